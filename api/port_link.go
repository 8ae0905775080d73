package api

import (
	"regexp"

	"github.com/ingot-metal/ingot"
)

// datapathPattern is an OpenFlow datapath ID in lower case.
var datapathPattern = regexp.MustCompile(`^(0x)?[0-9a-f]{16}$`)

// The keys of local_link_connection that name a virtual tunnel end point of OVN. Versions 1.90 to 1.104 have them.
const (
	vtepLogical  = "vtep-logical-switch"
	vtepPhysical = "vtep-physical-switch"
)

// linkConnection checks the shape that Ironic's LOCAL_LINK_CONN_SCHEMA gives: a switch and its port, or a port and a
// host name or a tunnel end point, or an unmanaged network, or nothing. The switch is a MAC address or an OpenFlow
// datapath ID.
func linkConnection(v any) error {
	link, _ := v.(map[string]any)
	if len(link) == 0 {
		return nil
	}
	for key, item := range link {
		_, isText := item.(string)
		known := contains([]string{"port_id", "switch_id", "hostname", "switch_info", "network_type", vtepLogical, vtepPhysical}, key)
		if !isText || !known || key == "network_type" && item != "managed" && item != "unmanaged" {
			return schemaError("local_link_connection", "%s is not valid under any of the given schemas", repr(link))
		}
	}
	has := func(key string) bool { return link[key] != nil }
	leads := has("port_id") && (has("switch_id") || has("hostname") || has(vtepLogical)) || link["network_type"] == "unmanaged"
	if !leads || has(vtepLogical) != has(vtepPhysical) {
		return schemaError("local_link_connection", "%s is not valid under any of the given schemas", repr(link))
	}
	if has("switch_id") {
		return canonicalSwitch(link)
	}
	return nil
}

// canonicalSwitch writes a switch's ID in one way.
func canonicalSwitch(link map[string]any) error {
	id := ingot.Text(link, "switch_id")
	address, ok := canonicalMAC(id)
	switch {
	case ok:
		link["switch_id"] = address
	case datapathPattern.MatchString(lower(id)):
		link["switch_id"] = lower(id)
	default:
		return ingot.Errorf(ingot.Invalid, "Expected a MAC address or OpenFlow datapath ID but received %s.", id)
	}
	return nil
}

// hasTunnels says whether the version has tunnel end points.
func (r *request) hasTunnels() bool { return r.since(90) && !r.since(105) }

// linkKeyKnown refuses keys of a link that the version does not have.
func (r *request) linkKeyKnown(key string) error {
	switch {
	case key == "network_type" && !r.since(64), (key == vtepLogical || key == vtepPhysical) && !r.hasTunnels():
		return errNotAcceptable()
	}
	return nil
}

// linkKnown is linkKeyKnown for all of a link.
func (r *request) linkKnown(v any) error {
	link, _ := v.(map[string]any)
	for key := range link {
		if err := r.linkKeyKnown(key); err != nil {
			return err
		}
	}
	return nil
}

// linkPatchKnown is linkKnown for what a patch gives.
func (r *request) linkPatchKnown(ops []patchOp) error {
	for _, op := range ops {
		if op.steps[0] != "local_link_connection" {
			continue
		}
		err := r.linkKnown(op.value)
		if len(op.steps) > 1 {
			err = r.linkKeyKnown(op.steps[1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hideTunnels leaves a link empty that the version cannot understand.
func (r *request) hideTunnels(out pairs) {
	const name = "local_link_connection"
	value, _ := out.get(name)
	if link, _ := value.(map[string]any); link[vtepLogical] != nil && !r.hasTunnels() {
		out.replace(name, map[string]any{})
	}
}
