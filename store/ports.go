package store

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Ports are the store's ports. They are also found by their MAC address or name.
func (s *Store) Ports() *Records[ingot.Port, ingot.PortQuery] {
	return &Records[ingot.Port, ingot.PortQuery]{s, s.tables.ports}
}

// ListPorts gives the ports that match.
func (s *Store) ListPorts(ctx context.Context, q ingot.PortQuery) ([]ingot.Port, error) {
	return s.Ports().List(ctx, q)
}

func portKind() *kind[ingot.Port, ingot.PortQuery] {
	type p = ingot.Port
	label := func(v *p) string { return "port " + v.UUID + " of node " + v.NodeUUID }
	return &kind[p, ingot.PortQuery]{
		table: portTable(),
		noun:  "Port",
		head:  func(v *p) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys:  byAddress,
		page:  func(q *ingot.PortQuery) ingot.Page { return q.Page },
		match: matchPorts,
		unique: []unique[p]{
			sole("uuid", func(v *p) string { return v.UUID }, "A port with UUID %s already exists.", label),
			sole("address", func(v *p) string { return v.Address }, "A port with MAC address %s already exists.", label),
			sole("name", func(v *p) string { return v.Name }, "A port with name %s already exists.", label),
		},
		node:  func(v *p) string { return v.NodeUUID },
		tidy:  func(v *p) { v.Address = strings.ToLower(v.Address) },
		judge: judgePort,
	}
}

func matchPorts(d dialect, w *where, q *ingot.PortQuery) {
	w.text("node_uuid", q.NodeUUID)
	w.text("address", strings.ToLower(q.Address))
	w.text("portgroup_uuid", q.PortgroupUUID)
	w.ofProject(q.Project)
	w.contains(d, "description", q.DescriptionContains)
	w.nodesOf(q.Shards, q.ConductorGroups)
}

// nodesOf selects what belongs to nodes of these shards or conductor groups, if any are named.
func (w *where) nodesOf(shards, groups []string) {
	if len(shards) > 0 {
		w.and("node_uuid IN (SELECT uuid FROM nodes WHERE shard IN (?))", shards)
	}
	if len(groups) > 0 {
		w.and("node_uuid IN (SELECT uuid FROM nodes WHERE conductor_group IN (?))", groups)
	}
}

// judgePort refuses a port whose node or port group is not there, or that does not fit into its group.
func judgePort(t *tx, p, was *ingot.Port) error {
	if err := t.sameNode(p.NodeUUID, was.NodeUUID); err != nil {
		return err
	}
	if p.PortgroupUUID == "" || p.PortgroupUUID == was.PortgroupUUID && p.NodeUUID == was.NodeUUID && p.PhysicalNetwork == was.PhysicalNetwork {
		return nil
	}
	// The group's row is locked: it is not deleted, and no second port judged by it, before this one has been written.
	g, err := t.store.tables.portgroups.lock(t, p.PortgroupUUID, 0)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return ingot.Errorf(ingot.Invalid, "%w", err)
	case err != nil:
		return err
	case g.NodeUUID != p.NodeUUID:
		return ingot.Errorf(ingot.Invalid, "Port can not be added to a portgroup belonging to a different node.")
	}
	others, err := t.list("SELECT physical_network FROM ports WHERE "+has("portgroup_uuid")+" AND uuid <> ? ORDER BY id LIMIT 1", g.UUID, p.UUID)
	if err != nil {
		return err
	}
	network := g.PhysicalNetwork
	if len(others) > 0 {
		network = others[0]
	}
	if network == p.PhysicalNetwork || len(others) == 0 && network == "" {
		return nil
	}
	return ingot.Errorf(ingot.Conflict, "Port with physical network %s cannot become a member of port group %s which has ports in physical network %s.",
		orNone(p.PhysicalNetwork), g.UUID, orNone(network))
}

// orNone is text as Ironic's sentences have it: nothing is None.
func orNone(text string) string {
	if text == "" {
		return "None"
	}
	return text
}

func portTable() *table[ingot.Port] {
	type p = ingot.Port
	return &table[p]{
		name: "ports",
		uuid: func(v *p) string { return v.UUID },
		columns: []column[p]{
			{name: "uuid", place: func(v *p) field { return (*text)(&v.UUID) }, once: true, sort: own},
			{name: "version", place: func(v *p) field { return (*number)(&v.Version) }, quiet: true},
			{name: "node_uuid", place: func(v *p) field { return (*text)(&v.NodeUUID) }, sort: own},
			{name: "address", place: func(v *p) field { return (*text)(&v.Address) }, sort: own},
			{name: "name", place: func(v *p) field { return (*text)(&v.Name) }, sort: own},
			{name: "description", place: func(v *p) field { return (*text)(&v.Description) }, sort: own},
			{name: "pxe_enabled", place: func(v *p) field { return (*flag)(&v.PXEEnabled) }, sort: own},
			{name: "local_link_connection", place: func(v *p) field { return document{&v.LocalLinkConnection, false} }},
			{name: "physical_network", place: func(v *p) field { return (*text)(&v.PhysicalNetwork) }, sort: own},
			{name: "portgroup_uuid", place: func(v *p) field { return (*text)(&v.PortgroupUUID) }, sort: own},
			{name: "is_smartnic", place: func(v *p) field { return (*flag)(&v.IsSmartNIC) }, sort: own},
			{name: "vendor", place: func(v *p) field { return (*text)(&v.Vendor) }, sort: own},
			{name: "category", place: func(v *p) field { return (*text)(&v.Category) }, sort: own},
			{name: "available_for_dynamic_portgroup", place: func(v *p) field { return (*flag)(&v.ForDynamicGroups) }, sort: own},
			{name: "extra", place: func(v *p) field { return document{&v.Extra, false} }},
			{name: "internal_info", place: func(v *p) field { return document{&v.Internal, false} }},
			{name: "created_at", place: func(v *p) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *p) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}
