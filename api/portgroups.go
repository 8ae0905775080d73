package api

import (
	"slices"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

type portgroupField = field[ingot.Portgroup, ingot.PortgroupQuery]

// defaultMode is how a port group works that does not say (Ironic: default_portgroup_mode).
const defaultMode = "active-backup"

// portgroupFields is all that the wire knows of port groups: Ironic's PORTGROUP_SCHEMA. What they say of the bond is
// for the switch's keepers and the instance's, as with Ironic's noop network.
func portgroupFields() []portgroupField {
	type group = ingot.Portgroup
	return []portgroupField{
		{name: "uuid", brief: true, column: id(func(g *group) *string { return &g.UUID }), create: true, readBy: "store: the key"},
		{name: "address", brief: true, column: mac(func(g *group) *string { return &g.Address }), create: true, patch: true, readBy: "port groups: list filter", filter: macFilter(func(q *ingot.PortgroupQuery) *string { return &q.Address })},
		{name: "name", brief: true, column: text(func(g *group) *string { return &g.Name }), create: true, patch: true, readBy: "store: lookups by name"},
		{name: "node_uuid", column: id(func(g *group) *string { return &g.NodeUUID }), create: true, patch: true, required: true, readBy: "store: whose group it is"},
		{name: "mode", since: 26, column: text(func(g *group) *string { return &g.Mode }), create: true, patch: true, readBy: "clients: how the bond works (Ironic with the noop network keeps it likewise)"},
		{name: "properties", since: 26, column: object(func(g *group) *map[string]any { return &g.Properties }), create: true, patch: true, readBy: "clients: how the bond works (Ironic with the noop network keeps it likewise)"},
		{name: "standalone_ports_supported", column: flag(func(g *group) *bool { return &g.Standalone }), create: true, patch: true, readBy: "ports: which may be members"},
		{name: "physical_network", since: 102, column: text(func(g *group) *string { return &g.PhysicalNetwork }), create: true, patch: true, max: 64, readBy: "ports: that of the members"},
		{name: "category", since: 103, column: text(func(g *group) *string { return &g.Category }), create: true, patch: true, max: 80, readBy: "clients: what it is for (Ironic without trait-based networking keeps it likewise)"},
		{name: "dynamic_portgroup", since: 111, column: shown(flag(func(g *group) *bool { return &g.Dynamic }))},
		{name: "extra", column: object(func(g *group) *map[string]any { return &g.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "internal_info", column: shown(object(func(g *group) *map[string]any { return &g.Internal }))},
		{name: "ports", column: parts[group](), part: true},
		{name: "created_at", column: moment(func(g *group) *time.Time { return &g.CreatedAt })},
		{name: "updated_at", column: moment(func(g *group) *time.Time { return &g.UpdatedAt })},
		{name: "shard", filter: listFilter(func(q *ingot.PortgroupQuery) *[]string { return &q.Shards }), filterSince: 106},
		{name: "conductor_groups", filter: listFilter(func(q *ingot.PortgroupQuery) *[]string { return &q.ConductorGroups }), filterSince: 99},
	}
}

func portgroupResource() *resource[ingot.Portgroup, ingot.PortgroupQuery] {
	type group = ingot.Portgroup
	return &resource[group, ingot.PortgroupQuery]{
		name: "portgroup", noun: "Portgroup", path: "portgroups", since: 23, named: 23, rule: "portgroup",
		fields:  portgroupFields(),
		store:   func(a *API) Records[group, ingot.PortgroupQuery] { return a.Portgroups },
		uuid:    func(g *group) string { return g.UUID },
		version: func(g *group) int64 { return g.Version },
		page:    func(q *ingot.PortgroupQuery) *ingot.Page { return &q.Page },
		node:    func(g *group) string { return g.NodeUUID },
		project: func(q *ingot.PortgroupQuery) *string { return &q.Project },
		tell: func(g *group) (string, map[string]any) {
			return g.NodeUUID, map[string]any{"portgroup": g.UUID, "address": g.Address}
		},
		params:    []string{"node"},
		narrow:    func(r *request, a *args, q *ingot.PortgroupQuery) error { return r.nodeFilter(a, &q.NodeUUID) },
		exclusive: onePortgroupFilter,
		fresh:     func() group { return group{Mode: defaultMode, Standalone: true} },
		take:      takePortgroup,
		judge:     judgePortgroup,
		deletable: func(r *request, g *group) error {
			node, err := r.nodeNamed(g.NodeUUID)
			if err != nil {
				return err
			}
			return free(&node)
		},
	}
}

// onePortgroupFilter refuses what Ironic cannot combine.
func onePortgroupFilter(q *ingot.PortgroupQuery) error {
	if given(q.NodeUUID != "", q.Address != "", len(q.Shards) > 0, len(q.ConductorGroups) > 0) > 1 {
		return ingot.Errorf(ingot.Invalid, "Filtering by node, address, or shard simultaneously is not supported.")
	}
	return nil
}

// portgroupRoutes are the port groups, and the lists of those of a node.
func (a *API) portgroupRoutes(t *tables) []route {
	return slices.Concat(t.portgroups.routes(a),
		t.portgroups.below(a, "/nodes/{node}/portgroups", 24, ofNode(func(q *ingot.PortgroupQuery) *string { return &q.NodeUUID })))
}

func takePortgroup(r *request, body any, g *ingot.Portgroup) error {
	if err := r.tables.portgroups.fill(r, body, g); err != nil {
		return err
	}
	if g.Mode == "" {
		g.Mode = defaultMode
	}
	_, err := r.ownerNamed(g.NodeUUID)
	return err
}

// judgePortgroup prepares a patch: the node that the group is to have must be there, and its ports fit it afterwards.
func judgePortgroup(r *request, g *ingot.Portgroup, ops []patchOp) (func(before, after *ingot.Portgroup) error, error) {
	preview := *g
	if err := applyPatch(r.tables.portgroups.fields, &preview, ops); err != nil {
		return nil, err
	}
	node, err := r.ownerNamed(preview.NodeUUID)
	if err != nil {
		return nil, err
	}
	ports, err := r.api.Ports.List(r.Context(), ingot.PortQuery{PortgroupUUID: g.UUID, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	return func(before, after *ingot.Portgroup) error {
		switch {
		case after.Mode == "":
			return ingot.Errorf(ingot.Invalid, "'mode' is a mandatory attribute and can not be removed")
		case node.Reservation != "":
			return errLocked(&node)
		case node.ProvisionState == ingot.Inspecting && r.since(39):
			return ingot.Errorf(ingot.Conflict, `Cannot update portgroup "%s" on node "%s" while it is in state "%s".`, g.UUID, node.UUID, node.ProvisionState)
		case before.NodeUUID != after.NodeUUID && !rewirable(&node):
			return ingot.Errorf(ingot.Conflict, "Portgroup %s can not be associated to node %s unless the node is in a enroll, inspecting, inspect wait, manageable state "+
				"or in maintenance mode. Current state is '%s'.", g.UUID, node.UUID, node.ProvisionState)
		case before.Standalone && !after.Standalone && node.Interfaces.Network != noopNetwork:
			return noneAlone(after, ports)
		}
		return nil
	}, nil
}

// noneAlone refuses to forbid the ports of a group to be used alone while one is.
func noneAlone(g *ingot.Portgroup, ports []ingot.Port) error {
	for i := range ports {
		var reasons []string
		if ports[i].PXEEnabled {
			reasons = append(reasons, "'pxe_enabled' is set to True")
		}
		if vif := ingot.Text(ports[i].Internal, ingot.VIFKey); vif != "" {
			reasons = append(reasons, "VIF "+vif+" is attached to this port")
		}
		if len(reasons) > 0 {
			return ingot.Errorf(ingot.Conflict, "standalone_ports_supported can not be set to False, because the port group %s contains port with %s",
				g.UUID, strings.Join(reasons, ", "))
		}
	}
	return nil
}
