package store

import (
	"strings"

	"github.com/ingot-metal/ingot"
)

// Portgroups are the store's port groups. They are also found by their MAC address or name.
func (s *Store) Portgroups() *Records[ingot.Portgroup, ingot.PortgroupQuery] {
	return &Records[ingot.Portgroup, ingot.PortgroupQuery]{s, s.tables.portgroups}
}

func portgroupKind() *kind[ingot.Portgroup, ingot.PortgroupQuery] {
	type g = ingot.Portgroup
	label := func(v *g) string { return "port group " + v.UUID + " of node " + v.NodeUUID }
	return &kind[g, ingot.PortgroupQuery]{
		table: portgroupTable(),
		noun:  "Portgroup",
		head:  func(v *g) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys:  byAddress,
		page:  func(q *ingot.PortgroupQuery) ingot.Page { return q.Page },
		match: func(_ dialect, w *where, q *ingot.PortgroupQuery) {
			w.text("node_uuid", q.NodeUUID)
			w.text("address", strings.ToLower(q.Address))
			w.ofProject(q.Project)
			w.nodesOf(q.Shards, q.ConductorGroups)
		},
		unique: []unique[g]{
			sole("uuid", func(v *g) string { return v.UUID }, "A portgroup with UUID %s already exists.", label),
			sole("address", func(v *g) string { return v.Address }, "A portgroup with MAC address %s already exists.", label),
			sole("name", func(v *g) string { return v.Name }, "A portgroup with name %s already exists.", label),
		},
		node:  func(v *g) string { return v.NodeUUID },
		tidy:  func(v *g) { v.Address = strings.ToLower(v.Address) },
		judge: judgePortgroup,
		free:  emptyPortgroup,
	}
}

func portgroupTable() *table[ingot.Portgroup] {
	type g = ingot.Portgroup
	return &table[g]{
		name: "portgroups",
		uuid: func(v *g) string { return v.UUID },
		columns: []column[g]{
			{name: "uuid", place: func(v *g) field { return (*text)(&v.UUID) }, once: true, sort: own},
			{name: "version", place: func(v *g) field { return (*number)(&v.Version) }, quiet: true},
			{name: "node_uuid", place: func(v *g) field { return (*text)(&v.NodeUUID) }, sort: own},
			{name: "address", place: func(v *g) field { return (*text)(&v.Address) }, sort: own},
			{name: "name", place: func(v *g) field { return (*text)(&v.Name) }, sort: own},
			{name: "mode", place: func(v *g) field { return (*text)(&v.Mode) }, sort: own},
			{name: "properties", place: func(v *g) field { return document{&v.Properties, false} }},
			{name: "standalone_ports_supported", place: func(v *g) field { return (*flag)(&v.Standalone) }, sort: own},
			{name: "physical_network", place: func(v *g) field { return (*text)(&v.PhysicalNetwork) }, sort: own},
			{name: "category", place: func(v *g) field { return (*text)(&v.Category) }, sort: own},
			{name: "dynamic_portgroup", place: func(v *g) field { return (*flag)(&v.Dynamic) }, sort: own},
			{name: "extra", place: func(v *g) field { return document{&v.Extra, false} }},
			{name: "internal_info", place: func(v *g) field { return document{&v.Internal, false} }},
			{name: "created_at", place: func(v *g) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *g) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}

// judgePortgroup refuses to give a group with ports to another node, and keeps its ports on its physical network.
func judgePortgroup(t *tx, g, was *ingot.Portgroup) error {
	if err := t.sameNode(g.NodeUUID, was.NodeUUID); err != nil {
		return err
	}
	if was.UUID == "" { // a new one has no ports
		return nil
	}
	if g.NodeUUID != was.NodeUUID {
		if ports, err := t.portsIn(g.UUID); err != nil || len(ports) > 0 {
			return or(err, ingot.Invalid, "Portgroup %s can not be associated with node %s because there are ports associated with this portgroup.", g.UUID, g.NodeUUID)
		}
	}
	if g.PhysicalNetwork == was.PhysicalNetwork {
		return nil
	}
	_, err := t.exec("UPDATE ports SET physical_network = ?, version = version + 1, updated_at = ? WHERE "+has("portgroup_uuid")+" AND physical_network <> ?",
		g.PhysicalNetwork, micros(t.now), g.UUID, g.PhysicalNetwork)
	return err
}

// emptyPortgroup refuses to delete a group that has ports (Ironic: PortgroupNotEmpty).
func emptyPortgroup(t *tx, g *ingot.Portgroup) error {
	ports, err := t.portsIn(g.UUID)
	if err != nil || len(ports) > 0 {
		return or(err, ingot.Invalid, "Cannot complete the requested action because portgroup %s contains ports.", g.UUID)
	}
	return nil
}

func (t *tx) portsIn(group string) ([]string, error) {
	return t.list("SELECT uuid FROM ports WHERE "+has("portgroup_uuid")+" ORDER BY id LIMIT 1", group)
}

// or is err or, if there is none, the refusal.
func or(err error, code ingot.Code, sentence string, args ...any) error {
	if err != nil {
		return err
	}
	return ingot.Errorf(code, sentence, args...)
}
