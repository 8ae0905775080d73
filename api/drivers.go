package api

import (
	"context"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Drivers says which hardware this service can drive, and who does it.
type Drivers interface {
	// HardwareTypes are the enabled ones.
	HardwareTypes(ctx context.Context) ([]ingot.HardwareType, error)
	Conductors(ctx context.Context) ([]ingot.Conductor, error)
}

// hardware is every hardware type, when the node's is among them and somebody serves the node's conductor group.
func (r *request) hardware(n *ingot.Node) ([]ingot.HardwareType, error) {
	types, err := r.hardwareTypes()
	if err != nil {
		return nil, err
	}
	served := slices.ContainsFunc(types, func(h ingot.HardwareType) bool { return h.Name == n.Driver })
	if served && n.ConductorGroup != "" {
		conductors, err := r.api.Drivers.Conductors(r.Context())
		if err != nil {
			return nil, err
		}
		served = slices.ContainsFunc(conductors, func(c ingot.Conductor) bool {
			return c.Alive && c.Group == n.ConductorGroup && slices.Contains(c.Drivers, n.Driver)
		})
	}
	if !served {
		return nil, ingot.Errorf(ingot.Invalid, `No valid host was found. Reason: No conductor service registered which supports driver %s for conductor group "%s".`,
			n.Driver, n.ConductorGroup)
	}
	return types, nil
}

func (r *request) hardwareTypes() ([]ingot.HardwareType, error) {
	if r.api.Drivers == nil {
		return nil, nil
	}
	return r.api.Drivers.HardwareTypes(r.Context())
}

// settle gives the node the default of each interface that it does not name, and refuses those that its hardware type
// cannot be combined with.
func settle(n *ingot.Node, types []ingot.HardwareType) error {
	i := slices.IndexFunc(types, func(h ingot.HardwareType) bool { return h.Name == n.Driver })
	if i < 0 {
		return ingot.Errorf(ingot.Invalid, "Could not find the following driver(s) or hardware type(s): %s.", n.Driver)
	}
	hw := types[i]
	for _, kind := range ingot.InterfaceKinds() {
		name := n.Interfaces.Field(kind)
		if *name == "" {
			*name = hw.Default[kind]
			continue
		}
		if hw.Allows(kind, *name) {
			continue
		}
		enabled := []string{}
		for _, other := range types {
			if other.Allows(kind, *name) {
				return ingot.Errorf(ingot.Invalid, "%s interface implementation '%s' is not supported by hardware type %s.", kind, *name, n.Driver)
			}
			enabled = append(enabled, other.Enabled[kind]...)
		}
		slices.Sort(enabled)
		return ingot.Errorf(ingot.Invalid, "Could not find the following interface in the 'ironic.hardware.interfaces.%s' entrypoint: %s. Valid interfaces are [%s].",
			kind, *name, reprWords(slices.Compact(enabled)))
	}
	return nil
}

// listDrivers is GET /v1/drivers.
func listDrivers(r *request) (response, error) {
	a := r.args("type", "detail", "fields")
	detail, sort, fields := a.flag("detail"), a.text("type"), a.list("fields")
	switch {
	case a.err != nil:
	case fields != nil && detail != nil && *detail:
		a.fail(ingot.Errorf(ingot.Invalid, "Can not specify ?detail=True and fields in the same request."))
	case (detail != nil || a.has("type")) && !r.since(30):
		a.fail(errNeedsVersion(30))
	case fields != nil && !r.since(77):
		a.fail(errNotAcceptable())
	case a.has("type") && sort != "classic" && sort != "dynamic":
		a.fail(ingot.Errorf(ingot.Invalid, `"type" filter must be one of "classic" or "dynamic", if specified.`))
	}
	if a.err != nil {
		return response{}, a.err
	}
	types, err := r.hardwareTypes()
	if err != nil {
		return response{}, err
	}
	items := []map[string]any{}
	for _, h := range types {
		if sort == "classic" {
			continue
		}
		item, err := r.renderDriver(&h, detail != nil && *detail, fields)
		if err != nil {
			return response{}, err
		}
		items = append(items, item)
	}
	return response{body: map[string]any{"drivers": items}}, nil
}

// renderDriver is a hardware type on the wire.
func (r *request) renderDriver(h *ingot.HardwareType, detail bool, fields []string) (map[string]any, error) {
	out := map[string]any{"name": h.Name, "hosts": slices.Concat([]string{}, h.Hosts)}
	if r.since(14) {
		out["properties"] = r.links("drivers/" + h.Name + "/properties")
	}
	if r.since(30) {
		out["type"] = "dynamic"
	}
	if r.since(30) && detail {
		for _, f := range interfaceFields() {
			kind := strings.TrimSuffix(f.name, "_interface")
			if f.since > 31 && !r.since(f.since) {
				continue
			}
			out["default_"+f.name] = orNull(h.Default[kind])
			out["enabled_"+f.name+"s"] = slices.Concat([]string{}, h.Enabled[kind])
		}
	}
	var unknown []string
	for _, name := range fields {
		if _, known := out[name]; !known && name != "links" {
			unknown = append(unknown, name)
		}
	}
	if unknown != nil {
		slices.Sort(unknown)
		return nil, ingot.Errorf(ingot.Invalid, `Field(s) "%s" are not valid`, strings.Join(unknown, ", "))
	}
	for name := range out {
		if fields != nil && !contains(fields, name) {
			delete(out, name)
		}
	}
	out["links"] = r.links("drivers/" + h.Name)
	return out, nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (r *request) driver() (ingot.HardwareType, error) {
	if err := r.bare(); err != nil {
		return ingot.HardwareType{}, err
	}
	name := r.param("driver")
	types, err := r.hardwareTypes()
	if err != nil {
		return ingot.HardwareType{}, err
	}
	for _, h := range types {
		if h.Name == name {
			return h, nil
		}
	}
	return ingot.HardwareType{}, ingot.Errorf(ingot.NotFound, "Could not find the following driver(s) or hardware type(s): %s.", name)
}

// showDriver is GET /v1/drivers/{driver}.
func showDriver(r *request) (response, error) {
	a := r.args("fields")
	fields := a.list("fields")
	if fields != nil && !r.since(77) {
		a.fail(errNotAcceptable())
	}
	if a.err != nil {
		return response{}, a.err
	}
	h, err := r.driver()
	if err != nil {
		return response{}, err
	}
	body, err := r.renderDriver(&h, true, fields)
	return response{body: body}, err
}

// showDriverProperties is GET /v1/drivers/{driver}/properties: the keys of driver_info, with a sentence for each.
func showDriverProperties(r *request) (response, error) {
	h, err := r.driver()
	if err != nil {
		return response{}, err
	}
	properties := h.Properties
	if properties == nil {
		properties = map[string]string{}
	}
	return response{body: properties}, nil
}
