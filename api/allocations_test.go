package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// wakes counts the hints that there is an allocation.
type wakes struct{ n int }

func (w *wakes) WakeAllocator() { w.n++ }

func TestAllocations(t *testing.T) {
	t.Parallel()
	woken := &wakes{}
	s := start(t, func(a *api.API) { a.Allocator = woken })
	node := s.enrol(t, "n1")
	a := s.must(t, 201, "POST", "/v1/allocations", map[string]any{
		"name": "a1", "resource_class": "big", "traits": []string{"CUSTOM_B", "CUSTOM_A"}, "candidate_nodes": []string{"n1"}, "extra": map[string]any{"x": 1}, "owner": "p1",
	})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/allocations/"+id, a.Header.Get("Location"))
	require.ElementsMatch(t, []string{"uuid", "name", "owner", "resource_class", "candidate_nodes", "traits", "extra", "node_uuid", "state", "last_error", "created_at", "updated_at", "links"}, keys(a.body))
	require.Equal(t, []any{"allocating", []any{node}, []any{"CUSTOM_A", "CUSTOM_B"}, nil}, []any{a.body["state"], a.body["candidate_nodes"], a.body["traits"], a.body["node_uuid"]})
	require.Equal(t, 1, woken.n)
	require.NotContains(t, s.must(t, 200, "GET", "/v1/allocations/a1", nil, version("1.59")).body, "owner")
	for query, want := range map[string]int{"": 1, "?resource_class=big&state=allocating&owner=p1": 1, "?resource_class=small": 0, "?state=active": 0, "?owner=p2": 0, "?node=n1": 0, "?fields=uuid,state": 1} {
		require.Len(t, s.must(t, 200, "GET", "/v1/allocations"+query, nil).body["allocations"], want, query)
	}
	s.must(t, 200, "PATCH", "/v1/allocations/a1", `[{"op": "replace", "path": "/name", "value": "a2"}, {"op": "add", "path": "/extra/y", "value": 2}]`)

	for _, row := range []struct {
		status       int
		vers         string
		method, path string
		body         any
		fault        string
	}{
		{404, "1.51", "GET", "/v1/allocations", nil, ""},
		{405, "1.51", "POST", "/v1/allocations", nil, ""},
		{405, "1.56", "PATCH", "/v1/allocations/a2", nil, ""},
		{404, "1.51", "GET", "/v1/nodes/n1/allocation", nil, ""},
		{406, "1.59", "GET", "/v1/allocations?owner=p1", nil, ""},
		{406, "1.59", "GET", "/v1/allocations?fields=owner", nil, ""},
		{406, "1.59", "POST", "/v1/allocations", map[string]any{"resource_class": "big", "owner": "p1"}, ""},
		{400, "1.57", "POST", "/v1/allocations", map[string]any{"node": "n1"}, "Cannot set node when creating an allocation in this API version"},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{}, "The resource_class field is mandatory when not backfilling"},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "candidate_nodes": []string{"nope"}}, "Node nope could not be found."},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "candidate_nodes": []any{1}}, "Schema error for allocation: 1 is not of type 'string'"},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "traits": []string{"nope"}}, "Schema error for allocation: 'nope' is not valid under any of the given schemas"},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "name": "a b"}, "Cannot create allocation with invalid name 'a b'"},
		{400, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "state": "active"}, "Schema error for allocation: Additional properties are not allowed ('state' was unexpected)"},
		{409, "1.60", "POST", "/v1/allocations", map[string]any{"resource_class": "x", "name": "a2"}, "An allocation with name a2 already exists."},
		{400, "1.60", "GET", "/v1/allocations?node=nope", nil, "Node nope could not be found."},
		{404, "1.60", "GET", "/v1/allocations/nope", nil, "Allocation nope could not be found."},
		{404, "1.60", "GET", "/v1/nodes/n1/allocation", nil, "Allocation for node n1 was not found"},
		{404, "1.60", "DELETE", "/v1/nodes/n1/allocation", nil, "Allocation for node n1 was not found"},
		{400, "1.60", "PATCH", "/v1/allocations/a2", `[{"op": "replace", "path": "/resource_class", "value": "x"}]`, "Cannot patch /resource_class. Only the following can be updated: extra, name"},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body, version(row.vers))
		if row.fault != "" {
			require.Equal(t, row.fault, a.fault(), "%s %s %v", row.method, row.path, row.body)
		}
	}
	s.must(t, 204, "DELETE", "/v1/allocations/a2", nil)
}

// TestBackfill: an allocation for a node that is in use already is active at once, and stands for the node's instance.
func TestBackfill(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.enrol(t, "n1")
	set := func(change func(*ingot.Node)) {
		t.Helper()
		_, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: id, Change: func(n *ingot.Node) error { change(n); return nil }})
		require.NoError(t, err)
	}
	set(func(n *ingot.Node) { n.ResourceClass, n.Traits = "big", []string{"CUSTOM_A"} })
	fault := s.must(t, 409, "POST", "/v1/allocations", map[string]any{"node": "n1", "resource_class": "small", "traits": []string{"CUSTOM_B"}}).fault()
	require.Contains(t, fault, `Node must be in the "active" state, but the current state is "enroll"; Resource class big does not match the requested resource class small; `+
		"List of traits [CUSTOM_A] does not match the requested traits [CUSTOM_B]")
	require.Empty(t, s.must(t, 200, "GET", "/v1/allocations", nil).body["allocations"], "nothing is kept of what was refused")

	instance := "22222222-3333-4444-8555-666666666666"
	set(func(n *ingot.Node) { n.ProvisionState, n.InstanceUUID = ingot.Active, instance })
	a := s.must(t, 201, "POST", "/v1/allocations", map[string]any{"node": "n1", "traits": []string{"CUSTOM_A"}})
	require.Equal(t, []any{instance, "active", id, "big"}, []any{a.body["uuid"], a.body["state"], a.body["node_uuid"], a.body["resource_class"]})
	require.Equal(t, instance, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["allocation_uuid"])
	require.Equal(t, instance, s.must(t, 200, "GET", "/v1/nodes/n1/allocation?fields=uuid", nil).body["uuid"])
	require.Len(t, s.must(t, 200, "GET", "/v1/allocations?node=n1", nil).body["allocations"], 1)
	require.Contains(t, s.must(t, 409, "POST", "/v1/allocations", map[string]any{"node": "n1", "uuid": nobody}).fault(), "is associated with instance "+instance)

	require.Contains(t, s.must(t, 409, "DELETE", "/v1/nodes/n1/allocation", nil).fault(), "because the node is active")
	require.Contains(t, s.must(t, 409, "PATCH", "/v1/nodes/n1", `[{"op": "remove", "path": "/instance_uuid"}]`).fault(), "with an allocation can not have instance_uuid removed")
	set(func(n *ingot.Node) { n.ProvisionState = ingot.Available })
	s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "remove", "path": "/instance_uuid"}]`)
	require.Nil(t, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["allocation_uuid"])
	s.must(t, 404, "GET", "/v1/allocations/"+instance, nil)

	set(func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	s.must(t, 201, "POST", "/v1/allocations", map[string]any{"node": "n1", "name": "again"})
	set(func(n *ingot.Node) { n.ProvisionState = ingot.ErrorState })
	s.must(t, 204, "DELETE", "/v1/nodes/n1/allocation", nil)
	require.Nil(t, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["instance_uuid"])

	set(func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	s.must(t, 201, "POST", "/v1/allocations", map[string]any{"node": "n1", "name": "last"})
	s.must(t, 409, "DELETE", "/v1/nodes/n1", nil)
	set(func(n *ingot.Node) { n.Maintenance = true })
	s.must(t, 204, "DELETE", "/v1/nodes/n1", nil)
	s.must(t, 404, "GET", "/v1/allocations/last", nil)
}

// TestAllocationsOfProjects: what a project makes is its own, and others do not see it.
func TestAllocationsOfProjects(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.Auth = personas{} })
	a := s.must(t, 201, "POST", "/v1/allocations", map[string]any{"name": "mine", "resource_class": "big"}, as("member@p1"))
	require.Equal(t, "p1", a.body["owner"])
	s.must(t, 403, "POST", "/v1/allocations", map[string]any{"resource_class": "big", "owner": "p2"}, as("member@p1"))
	s.must(t, 403, "POST", "/v1/allocations", map[string]any{"resource_class": "big"}, as("reader@p1"))
	for who, want := range map[string]int{"reader@p1": 1, "reader@p2": 0, "reader@system": 1} {
		require.Len(t, s.must(t, 200, "GET", "/v1/allocations", nil, as(who)).body["allocations"], want, who)
	}
	s.must(t, 403, "GET", "/v1/allocations?owner=p2", nil, as("reader@p1"))
	require.Len(t, s.must(t, 200, "GET", "/v1/allocations?owner=p1", nil, as("reader@p1")).body["allocations"], 1)
	require.Empty(t, s.must(t, 200, "GET", "/v1/allocations?owner=p2", nil, as("reader@system")).body["allocations"])
	s.must(t, 404, "GET", "/v1/allocations/mine", nil, as("member@p2"))
	s.must(t, 403, "DELETE", "/v1/allocations/mine", nil, as("reader@p1"))
	s.must(t, 204, "DELETE", "/v1/allocations/mine", nil, as("member@p1"))
}
