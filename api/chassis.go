package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

type chassisField = field[ingot.Chassis, ingot.ChassisQuery]

// chassisFields is all that the wire knows of chassis: Ironic's CHASSIS_SCHEMA.
func chassisFields() []chassisField {
	type chassis = ingot.Chassis
	return []chassisField{
		{name: "uuid", brief: true, column: id(func(c *chassis) *string { return &c.UUID }), create: true, readBy: "store: the key"},
		{name: "description", brief: true, column: text(func(c *chassis) *string { return &c.Description }), create: true, patch: true, max: 255, readBy: "clients: notes of their own"},
		{name: "extra", column: object(func(c *chassis) *map[string]any { return &c.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "nodes", column: parts[chassis](), part: true},
		{name: "created_at", column: moment(func(c *chassis) *time.Time { return &c.CreatedAt })},
		{name: "updated_at", column: moment(func(c *chassis) *time.Time { return &c.UpdatedAt })},
	}
}

func chassisResource() *resource[ingot.Chassis, ingot.ChassisQuery] {
	type chassis = ingot.Chassis
	return &resource[chassis, ingot.ChassisQuery]{
		name: "chassis", noun: "Chassis", path: "chassis", since: 1, rule: "chassis",
		fields:  chassisFields(),
		store:   func(a *API) Records[chassis, ingot.ChassisQuery] { return a.Chassis },
		uuid:    func(c *chassis) string { return c.UUID },
		version: func(c *chassis) int64 { return c.Version },
		page:    func(q *ingot.ChassisQuery) *ingot.Page { return &q.Page },
		tell:    func(c *chassis) (string, map[string]any) { return "", map[string]any{"chassis": c.UUID} },
	}
}

// chassisRoutes are the chassis and the lists of their nodes.
func (a *API) chassisRoutes(t *tables) []route {
	routes := t.chassis.routes(a)
	if len(routes) == 0 || a.Nodes == nil {
		return routes
	}
	list := func(detail bool) handler {
		return func(r *request) (response, error) { return nodeList(r, detail, inChassis) }
	}
	return append(routes,
		route{"GET", "/chassis/{chassis}/nodes", 1, "node:list", list(false)},
		route{"GET", "/chassis/{chassis}/nodes/detail", 1, "node:list", list(true)},
	)
}

// inChassis selects the nodes of the chassis in the path.
func inChassis(r *request, query *ingot.NodeQuery) error {
	c, err := r.tables.chassis.find(r)
	query.ChassisUUID = c.UUID
	return err
}
