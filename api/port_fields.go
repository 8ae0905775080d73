package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

type portField = field[ingot.Port, ingot.PortQuery]

// portFields is all that the wire knows of ports: Ironic's PortsController schema.
func portFields() []portField {
	type port = ingot.Port
	return []portField{
		{name: "uuid", brief: true, column: id(func(p *port) *string { return &p.UUID }), create: true, readBy: "store: the key"},
		{name: "address", brief: true, column: mac(func(p *port) *string { return &p.Address }), create: true, patch: true, required: true, readBy: "boot: which node a machine is", filter: macFilter(func(q *ingot.PortQuery) *string { return &q.Address })},
		{name: "node_uuid", column: id(func(p *port) *string { return &p.NodeUUID }), create: true, patch: true, readBy: "store: whose port it is"},
		{name: "name", since: 88, column: text(func(p *port) *string { return &p.Name }), create: true, patch: true, readBy: "store: lookups by name"},
		{name: "description", since: 97, column: text(func(p *port) *string { return &p.Description }), create: true, patch: true, max: 255, readBy: "ports: list filter"},
		{name: "extra", column: object(func(p *port) *map[string]any { return &p.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "internal_info", since: 18, column: shown(object(func(p *port) *map[string]any { return &p.Internal }))},
		{name: "pxe_enabled", since: 19, column: flag(func(p *port) *bool { return &p.PXEEnabled }), create: true, patch: true, readBy: "agent: told with the node's ports"},
		{name: "local_link_connection", since: 19, column: object(func(p *port) *map[string]any { return &p.LocalLinkConnection }), create: true, patch: true, check: linkConnection, readBy: "clients: where the cable goes (Ironic with the noop network keeps it likewise)"},
		{name: "portgroup_uuid", since: 24, column: id(func(p *port) *string { return &p.PortgroupUUID }), create: true, patch: true, readBy: "port groups: lists of their ports; VIFs: what they are attached to"},
		{name: "physical_network", since: 34, column: text(func(p *port) *string { return &p.PhysicalNetwork }), create: true, patch: true, max: 64, check: physicalNetwork, readBy: "clients: which network the cable is on (Ironic with the noop network keeps it likewise)"},
		{name: "is_smartnic", since: 53, column: flag(func(p *port) *bool { return &p.IsSmartNIC }), create: true, patch: true, readBy: "ports: what local_link_connection must say (Ironic with the noop network keeps it likewise)"},
		{name: "vendor", since: 100, column: text(func(p *port) *string { return &p.Vendor }), create: true, patch: true, max: 32, readBy: "clients: who made it (Ironic without trait-based networking keeps it likewise)"},
		{name: "category", since: 101, column: text(func(p *port) *string { return &p.Category }), create: true, patch: true, max: 80, readBy: "clients: what it is for (Ironic without trait-based networking keeps it likewise)"},
		{name: "available_for_dynamic_portgroup", since: 111, column: flag(func(p *port) *bool { return &p.ForDynamicGroups }), create: true, patch: true, readBy: "clients: groups are made by them alone (Ironic without trait-based networking keeps it likewise)"},
		{name: "created_at", column: moment(func(p *port) *time.Time { return &p.CreatedAt })},
		{name: "updated_at", column: moment(func(p *port) *time.Time { return &p.UpdatedAt })},
		{name: "description_contains", filter: textFilter(func(q *ingot.PortQuery) *string { return &q.DescriptionContains }), filterSince: 97},
		{name: "shard", filter: listFilter(func(q *ingot.PortQuery) *[]string { return &q.Shards }), filterSince: 82},
		{name: "conductor_groups", filter: listFilter(func(q *ingot.PortQuery) *[]string { return &q.ConductorGroups }), filterSince: 99},
	}
}

// mac is a MAC address.
func mac[T any](at func(*T) *string) column[T] {
	c := text(at)
	c.kind = kindMAC
	return c
}

func macFilter[Q any](at func(*Q) *string) func(*Q, string) error {
	return func(q *Q, value string) error {
		address, ok := canonicalMAC(value)
		if !ok {
			return ingot.Errorf(ingot.Invalid, "Expected valid MAC address for address: %s", value)
		}
		*at(q) = address
		return nil
	}
}

func physicalNetwork(v any) error {
	if v == "" {
		return ingot.Errorf(ingot.Invalid, "A non-empty value is required when setting physical_network")
	}
	return nil
}
