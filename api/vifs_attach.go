package api

import (
	"github.com/ingot-metal/ingot"
)

// vif is a virtual interface to be attached, and to what, where the client says so (since 1.67).
type vif struct{ id, port, group string }

func vifWanted(r *request) (vif, error) {
	body, err := r.json()
	if err != nil {
		return vif{}, err
	}
	object, ok := body.(map[string]any)
	if !ok {
		return vif{}, schemaError("vif", "%s is not of type 'object'", repr(body))
	}
	id, given := object["id"]
	text, isText := id.(string)
	switch {
	case !given:
		return vif{}, schemaError("vif", "'id' is a required property")
	case !isText:
		return vif{}, schemaError("vif", "%s is not of type 'string'", repr(id))
	}
	a := &args{values: object} // what else it holds is not looked at, as in Ironic
	want := vif{id: a.ident("id"), port: a.uuid("port_uuid"), group: a.uuid("portgroup_uuid")}
	if a.err == nil && want.id == "" {
		a.fail(ingot.Errorf(ingot.Invalid, "Expected UUID or name for id: %s", text))
	}
	if r.since(67) && want.port != "" && want.group != "" {
		a.fail(ingot.Errorf(ingot.Invalid, "Cannot specify both port_uuid and portgroup_uuid"))
	}
	return want, a.err
}

// attach puts the interface on what is free and best (Ironic's get_free_port_like_object): a port group before a port, a
// port that boots before one that does not. A group whose ports are used one by one is not used as a whole, and one
// without ports not at all; a port of a group is used alone only where another of the group is.
func (v vif) attach(_ *ingot.Node, ports []ingot.Port, groups []ingot.Portgroup) error {
	if err := v.notYet(ports, groups); err != nil {
		return err
	}
	split := map[string]bool{}   // groups of which a port is used alone
	members := map[string]bool{} // groups that have a free port
	for i := range ports {
		if taken := ingot.Text(ports[i].Internal, ingot.VIFKey) != ""; taken {
			split[ports[i].PortgroupUUID] = true
		} else {
			members[ports[i].PortgroupUUID] = true
		}
	}
	for i := range groups {
		g := &groups[i]
		wanted := v.port == "" && (v.group == "" || v.group == g.UUID)
		if wanted && ingot.Text(g.Internal, ingot.VIFKey) == "" && members[g.UUID] && !split[g.UUID] {
			g.Internal = ingot.WithVIF(g.Internal, v.id)
			return nil
		}
	}
	var best *ingot.Port
	for i := range ports {
		p := &ports[i]
		if !v.fits(p, split) {
			continue
		}
		if best == nil || p.PXEEnabled && !best.PXEEnabled {
			best = p
		}
	}
	if best == nil {
		return ingot.Errorf(ingot.Invalid, "Unable to attach VIF %s, not enough free physical ports.", v.id)
	}
	best.Internal = ingot.WithVIF(best.Internal, v.id)
	return nil
}

// fits says whether a port may carry the interface alone.
func (v vif) fits(p *ingot.Port, split map[string]bool) bool {
	switch {
	case ingot.Text(p.Internal, ingot.VIFKey) != "", v.group != "", v.port != "" && v.port != p.UUID:
		return false
	}
	return p.PortgroupUUID == "" || v.port == "" && split[p.PortgroupUUID]
}

// notYet refuses an interface that is attached to the node already.
func (v vif) notYet(ports []ingot.Port, groups []ingot.Portgroup) error {
	const sentence = "Unable to attach VIF because VIF %s is already attached to Ironic %s %s"
	for i := range ports {
		if ingot.Text(ports[i].Internal, ingot.VIFKey) == v.id {
			return ingot.Errorf(ingot.Conflict, sentence, v.id, "Port", ports[i].UUID)
		}
	}
	for i := range groups {
		if ingot.Text(groups[i].Internal, ingot.VIFKey) == v.id {
			return ingot.Errorf(ingot.Conflict, sentence, v.id, "Portgroup", groups[i].UUID)
		}
	}
	return nil
}
