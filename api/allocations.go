package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

// Allocator finds nodes for allocations.
type Allocator interface {
	// WakeAllocator is a hint that there is a new allocation; it may be lost.
	WakeAllocator()
}

type allocationField = field[ingot.Allocation, ingot.AllocationQuery]

// allocationFields is all that the wire knows of allocations. Lists show all of it.
func allocationFields() []allocationField {
	type allocation = ingot.Allocation
	class := textFilter(func(q *ingot.AllocationQuery) *string { return &q.ResourceClass })
	owner := textFilter(func(q *ingot.AllocationQuery) *string { return &q.Owner })
	state := textFilter(func(q *ingot.AllocationQuery) *ingot.AllocationState { return &q.State })
	table := []allocationField{
		{name: "uuid", column: id(func(a *allocation) *string { return &a.UUID }), create: true, readBy: "store: the key; allocator: the node's instance"},
		{name: "name", column: text(func(a *allocation) *string { return &a.Name }), create: true, patch: true, readBy: "allocator: a node of the name comes first"},
		{name: "owner", since: 60, column: text(func(a *allocation) *string { return &a.Owner }), create: true, readBy: "allocator: the project's nodes alone", filter: owner},
		{name: "resource_class", column: text(func(a *allocation) *string { return &a.ResourceClass }), create: true, max: 80, readBy: "allocator: which nodes will do", filter: class},
		{name: "candidate_nodes", column: strung(func(a *allocation) *[]string { return &a.Candidates }), create: true, check: texts, readBy: "allocator: which nodes will do"},
		{name: "traits", column: strung(func(a *allocation) *[]string { return &a.Traits }), create: true, check: traitNames("allocation"), readBy: "allocator: which nodes will do; deploy: instance_info's traits"},
		{name: "extra", column: object(func(a *allocation) *map[string]any { return &a.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "node_uuid", column: shown(text(func(a *allocation) *string { return &a.NodeUUID }))},
		{name: "state", column: shown(text(func(a *allocation) *ingot.AllocationState { return &a.State })), filter: state},
		{name: "last_error", column: shown(text(func(a *allocation) *string { return &a.LastError }))},
		{name: "created_at", column: moment(func(a *allocation) *time.Time { return &a.CreatedAt })},
		{name: "updated_at", column: moment(func(a *allocation) *time.Time { return &a.UpdatedAt })},
	}
	for i := range table {
		table[i].brief = true
	}
	return table
}

func texts(v any) error {
	items, _ := v.([]any)
	for _, item := range items {
		if _, ok := item.(string); !ok {
			return schemaError("allocation", "%s is not of type 'string'", repr(item))
		}
	}
	return nil
}

func allocationResource() *resource[ingot.Allocation, ingot.AllocationQuery] {
	type allocation = ingot.Allocation
	return &resource[allocation, ingot.AllocationQuery]{
		name: "allocation", noun: "Allocation", path: "allocations", since: 52, named: 52, patched: 57, late: true, rule: "allocation",
		fields:  allocationFields(),
		store:   func(a *API) Records[allocation, ingot.AllocationQuery] { return a.Allocations },
		uuid:    func(a *allocation) string { return a.UUID },
		version: func(*allocation) int64 { return 0 }, // it may have found its node meanwhile
		page:    func(q *ingot.AllocationQuery) *ingot.Page { return &q.Page },
		owner:   func(a *allocation) string { return a.Owner },
		project: func(q *ingot.AllocationQuery) *string { return &q.Project },
		asked:   func(q *ingot.AllocationQuery) string { return q.Owner },
		tell: func(a *allocation) (string, map[string]any) {
			return a.NodeUUID, map[string]any{"allocation": a.UUID, "name": a.Name, "state": a.State}
		},
		params: []string{"node"},
		narrow: narrowAllocations,
		take:   takeAllocation,
		judge:  keepPlacement,
		created: func(r *request, a *allocation) {
			if r.api.Allocator != nil && a.State == ingot.Allocating {
				r.api.Allocator.WakeAllocator()
			}
		},
	}
}

// narrowAllocations reads the list parameter node; that there is none is the request's fault.
func narrowAllocations(r *request, a *args, q *ingot.AllocationQuery) error {
	ident := a.ident("node")
	if ident == "" || a.err != nil {
		return a.err
	}
	node, err := r.ownerNamed(ident)
	q.NodeUUID = node.UUID
	return err
}

// takeAllocation fills a new allocation. One that names its node backfills: the node is in use already.
func takeAllocation(r *request, body any, a *ingot.Allocation) error {
	ident, err := r.takeBackfill(body)
	if err != nil {
		return err
	}
	if err := r.tables.allocations.fill(r, body, a); err != nil {
		return err
	}
	if err := r.ownAllocation(a); err != nil {
		return err
	}
	if err := r.checkFallback(a, ident != ""); err != nil {
		return err
	}
	a.State = ingot.Allocating
	if ident != "" {
		node, err := r.ownerNamed(ident)
		if err != nil {
			return err
		}
		a.NodeUUID, a.State = node.UUID, ingot.AllocationActive
		if a.ResourceClass == "" {
			a.ResourceClass = node.ResourceClass
		}
		if a.UUID == "" {
			a.UUID = node.InstanceUUID
		}
	} else if a.ResourceClass == "" {
		return ingot.Errorf(ingot.Invalid, "The resource_class field is mandatory when not backfilling")
	}
	for i, candidate := range a.Candidates {
		node, err := r.ownerNamed(candidate)
		if err != nil {
			return err
		}
		a.Candidates[i] = node.UUID
	}
	a.Traits = ingot.Traits(a.Traits)
	return nil
}

// takeBackfill takes the node to backfill, which is no field of what is kept, out of the body.
func (r *request) takeBackfill(body any) (string, error) {
	object, _ := body.(map[string]any)
	v, given := object["node"]
	delete(object, "node")
	ident, isText := v.(string)
	switch {
	case v != nil && !isText:
		return "", schemaError("allocation", "%s is not of type 'string', 'null'", repr(v))
	case given && v != nil && !r.since(58):
		return "", ingot.Errorf(ingot.Invalid, "Cannot set node when creating an allocation in this API version")
	}
	return ident, nil
}

// ownAllocation gives what a project makes to the project, unless it may make things for others.
func (r *request) ownAllocation(a *ingot.Allocation) error {
	if r.who.System || r.who.Project == "" {
		return nil
	}
	if a.Owner != "" && a.Owner != r.who.Project && !r.may("allocation:create_restricted", holder{}) {
		return ingot.Errorf(ingot.Forbidden, "Cannot create allocation with an owner Project ID value %s not matching the requester Project ID %s. "+
			"Policy baremetal:allocation:create_restricted is required for this capability.", a.Owner, r.who.Project)
	}
	if a.Owner == "" {
		a.Owner = r.who.Project
	}
	return nil
}

// allocationRoutes are the allocations, and the one that a node is of.
func (a *API) allocationRoutes(t *tables) []route {
	routes := t.allocations.routes(a)
	if len(routes) == 0 || a.Nodes == nil {
		return routes
	}
	return append(routes,
		route{"GET", "/nodes/{node}/allocation", 52, "allocation:get", showNodeAllocation},
		route{"DELETE", "/nodes/{node}/allocation", 52, "allocation:delete", deleteNodeAllocation},
	)
}

// nodeAllocation is the allocation that the path's node is of.
func (r *request) nodeAllocation() (ingot.Allocation, error) {
	node, err := r.nodeInPath()
	if err != nil {
		return ingot.Allocation{}, err
	}
	missing := ingot.Errorf(ingot.NotFound, "Allocation for node %s was not found", r.param("node"))
	found, err := r.api.Allocations.List(r.Context(), ingot.AllocationQuery{NodeUUID: node.UUID})
	switch {
	case err != nil:
		return ingot.Allocation{}, err
	case len(found) == 0:
		return ingot.Allocation{}, missing
	}
	return found[0], r.tables.allocations.permit(r, &found[0], missing)
}

// showNodeAllocation is GET /v1/nodes/{node}/allocation.
func showNodeAllocation(r *request) (response, error) {
	a := r.args("fields")
	fields := fieldsOf(r, a, r.tables.allocations.fields)
	if a.err != nil {
		return response{}, a.err
	}
	found, err := r.nodeAllocation()
	if err != nil {
		return response{}, err
	}
	return response{body: r.tables.allocations.render(r, &found, viewOf(r, r.tables.allocations.fields, fields))}, nil
}

// deleteNodeAllocation is DELETE /v1/nodes/{node}/allocation.
func deleteNodeAllocation(r *request) (response, error) {
	found, err := r.nodeAllocation()
	if err != nil {
		return response{}, err
	}
	return r.tables.allocations.remove(r, &found)
}
