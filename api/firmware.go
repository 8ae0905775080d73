package api

import (
	"context"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// FirmwareStore is what the handlers of bios and firmware need of the store: what was last read of a node's machine.
type FirmwareStore interface {
	BIOSSettings(ctx context.Context, node string) ([]ingot.BIOSSetting, error)
	FirmwareComponents(ctx context.Context, node string) ([]ingot.FirmwareComponent, error)
}

// listBIOS is GET /v1/nodes/{node}/bios.
func listBIOS(r *request) (response, error) {
	a := r.args("detail", "fields")
	detail := a.flag("detail")
	fields := fieldsOf(r, a, r.tables.bios)
	switch {
	case detail != nil && !r.since(74):
		a.fail(ingot.Errorf(ingot.Invalid, "Invalid query parameter ?detail=%v received.", *detail))
	case fields != nil && !r.since(74):
		a.fail(ingot.Errorf(ingot.Invalid, "Invalid query parameter ?fields=[%s] received.", reprWords(fields)))
	}
	node, err := r.nodeListed(a, fields, detail)
	if err != nil {
		return response{}, err
	}
	settings, err := r.api.FirmwareStore.BIOSSettings(r.Context(), node.UUID)
	if err != nil {
		return response{}, err
	}
	switch {
	case fields != nil:
		fields = append(fields, "created_at", "updated_at")
	case detail == nil || !*detail:
		fields = briefOf(r.tables.bios)
	}
	items := make([]pairs, len(settings))
	for i := range settings {
		items[i] = r.renderBIOS(&settings[i], r.param("node"), fields)
	}
	return response{body: map[string]any{"bios": items}}, nil
}

// nodeListed is the node whose parts a list shows: all of each with detail, or some fields, but not both.
func (r *request) nodeListed(a *args, fields []string, detail *bool) (ingot.Node, error) {
	if fields != nil && detail != nil && *detail {
		a.fail(ingot.Errorf(ingot.Invalid, "Can not specify ?detail=True and fields in the same request."))
	}
	if a.err != nil {
		return ingot.Node{}, a.err
	}
	return r.node()
}

func (r *request) renderBIOS(s *ingot.BIOSSetting, node string, fields []string) pairs {
	out := viewOf(r, r.tables.bios, fields).render(s, 1)
	out.set("links", r.links("nodes/"+node+"/bios/"+s.Name))
	return out
}

// showBIOS is GET /v1/nodes/{node}/bios/{setting}.
func showBIOS(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	settings, err := r.api.FirmwareStore.BIOSSettings(r.Context(), node.UUID)
	if err != nil {
		return response{}, err
	}
	name := r.param("setting")
	i := slices.IndexFunc(settings, func(s ingot.BIOSSetting) bool { return s.Name == name })
	if i < 0 {
		return response{}, ingot.Errorf(ingot.NotFound, "Node %s doesn't have a BIOS setting '%s'", node.UUID, name)
	}
	return response{body: map[string]any{name: r.renderBIOS(&settings[i], node.UUID, nil)}}, nil
}

// listFirmware is GET /v1/nodes/{node}/firmware.
func listFirmware(r *request) (response, error) {
	a := r.args("detail", "fields")
	detail := a.flag("detail")
	if wanted := a.list("fields"); !r.since(114) {
		wanted = slices.DeleteFunc(wanted, func(f string) bool { return f != "vendor" && f != "model" && f != "serial_number" })
		if slices.Sort(wanted); len(wanted) > 0 {
			a.fail(ingot.Errorf(ingot.Invalid, "Fields %s are not allowed in this API version. They require at least API version 1.114.", strings.Join(wanted, ", ")))
		}
	}
	fields := fieldsOf(r, a, r.tables.firmware)
	node, err := r.nodeListed(a, fields, detail)
	if err != nil {
		return response{}, err
	}
	parts, err := r.api.FirmwareStore.FirmwareComponents(r.Context(), node.UUID)
	if err != nil {
		return response{}, err
	}
	if fields != nil {
		fields = append(fields, briefOf(r.tables.firmware)...)
	}
	shown := viewOf(r, r.tables.firmware, fields)
	items := make([]pairs, len(parts))
	for i := range parts {
		items[i] = shown.render(&parts[i], 0)
	}
	return response{body: map[string]any{"firmware": items}}, nil
}
