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
		judge: func(t *tx, v, was *p) error { return t.sameNode(v.NodeUUID, was.NodeUUID) },
	}
}

func matchPorts(d dialect, w *where, q *ingot.PortQuery) {
	w.text("node_uuid", q.NodeUUID)
	w.text("address", strings.ToLower(q.Address))
	w.text("portgroup_uuid", q.PortgroupUUID)
	w.ofProject(q.Project)
	w.contains(d, "description", q.DescriptionContains)
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
			{name: "extra", place: func(v *p) field { return document{&v.Extra, false} }},
			{name: "internal_info", place: func(v *p) field { return document{&v.Internal, false} }},
			{name: "created_at", place: func(v *p) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *p) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}
