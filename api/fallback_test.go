package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

func TestFallbackIsChecked(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	s.host(t, "host-a", room())
	ask := func(placement any) map[string]any {
		return map[string]any{"resource_class": "baremetal.small", "extra": map[string]any{"placement": placement}}
	}
	for _, row := range []struct {
		placement any
		fault     string
	}{
		{map[string]any{"fallback": "cloud"}, "extra.placement.fallback of an allocation can not be cloud"},
		{map[string]any{"fallback": 1}, "extra.placement.fallback of an allocation can not be 1"},
		{map[string]any{"fallback": "virtual", "wait_seconds": -1}, "extra.placement.wait_seconds of an allocation can not be -1"},
		{map[string]any{"fallback": "virtual", "wait_seconds": "1"}, "extra.placement.wait_seconds of an allocation can not be 1"},
		{map[string]any{"fallback": "virtual", "colour": "red"}, "extra.placement of an allocation has no colour: it has fallback, flavor, anti_affinity_group, physical_networks, image_checksum and wait_seconds"},
		{map[string]any{"fallback": "virtual", "anti_affinity_group": ""}, "extra.placement.anti_affinity_group of an allocation can not be "},
		{map[string]any{"fallback": "virtual", "physical_networks": "physnet1"}, "extra.placement.physical_networks of an allocation can not be physnet1"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", 1}}, "extra.placement.physical_networks of an allocation can not be [physnet1 1]"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{""}}, "extra.placement.physical_networks of an allocation can not be []"},
		{map[string]any{"fallback": "virtual", "physical_networks": slices.Repeat([]any{"n"}, 9)}, "extra.placement.physical_networks of an allocation can not be [n n n n n n n n n]"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", "lab"}}, "No compute host has the physical network lab; there are: physnet1, no other."},
		{map[string]any{"fallback": "virtual", "image_checksum": "http://images/SHA256SUMS"}, "extra.placement.image_checksum of an allocation can not be http://images/SHA256SUMS"},
		{map[string]any{"fallback": "virtual", "image_checksum": 1}, "extra.placement.image_checksum of an allocation can not be 1"},
		{map[string]any{"fallback": "virtual", "flavor": "huge"}, "There is no flavor of resource class huge; the flavors are: compute.small."},
		{map[string]any{"fallback": "virtual", "result": map[string]any{"kind": "metal"}}, "extra.placement.result of an allocation is for the answer"},
	} {
		require.Equal(t, row.fault, s.must(t, 400, "POST", "/v1/allocations", ask(row.placement)).fault())
	}
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "flavor": "compute.small", "wait_seconds": 60, "anti_affinity_group": "web"}))
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", "physnet1"}}))
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "physical_networks": []any{}}))
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "image_checksum": strings.Repeat("0A", 32)}))
	s.must(t, 201, "POST", "/v1/allocations", ask("a note of the client's own"))
	node := s.enrol(t, "n")
	s.set(t, node, func(n *ingot.Node) { n.ProvisionState, n.ResourceClass = ingot.Active, "baremetal.small" })
	backfill := ask(map[string]any{"fallback": "virtual"})
	backfill["node"] = "n"
	require.Equal(t, "An allocation that names its node can not fall back to a guest.", s.must(t, 400, "POST", "/v1/allocations", backfill).fault())

	plain := start(t)
	require.Equal(t, "This service has no compute hosts for an allocation to fall back to.", plain.must(t, 400, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual"})).fault())
	plain.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"mine": true}))
}

// TestNetworksOfOthers: what another project's compute host has is nothing that a project can ask for.
func TestNetworksOfOthers(t *testing.T) {
	t.Parallel()
	s, _ := computing(t, func(a *api.API) { a.Auth = personas{} })
	host, _ := s.must(t, 201, "POST", "/v1/nodes", map[string]any{"driver": "fake-hardware", "name": "h", "owner": "p2"}, as("admin@system")).body["uuid"].(string)
	s.set(t, host, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	s.must(t, 202, "PUT", "/v1/nodes/h/hypervisor", map[string]any{
		"type": "libvirt", "uri": hostURI, "networks": []any{map[string]any{"physical_network": "theirs", "bridge": "br0"}},
	}, as("admin@system"))
	ask := map[string]any{"resource_class": "small", "extra": map[string]any{"placement": map[string]any{"fallback": "virtual", "physical_networks": []any{"theirs"}}}}
	require.Equal(t, "No compute host has the physical network theirs; there are: no other.", s.must(t, 400, "POST", "/v1/allocations", ask, as("member@p1")).fault())
	s.must(t, 201, "POST", "/v1/allocations", ask, as("member@p2"))
}

// TestPlacementIsKept: a patch neither asks for a guest nor forgets what was tried.
func TestPlacementIsKept(t *testing.T) {
	t.Parallel()
	s, _ := computing(t)
	s.must(t, 201, "POST", "/v1/flavors", small())
	s.host(t, "host-a", room())
	made := func(name string, extra map[string]any) string {
		id, _ := s.must(t, 201, "POST", "/v1/allocations", map[string]any{"name": name, "resource_class": "baremetal.small", "extra": extra}).body["uuid"].(string)
		return id
	}
	patch := func(name, op, path string, v any) (string, []any) {
		return "/v1/allocations/" + name, []any{map[string]any{"op": op, "path": path, "value": v}}
	}
	plain, asked := made("plain", map[string]any{}), made("asked", map[string]any{"note": 1, "placement": map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1"}}})
	_, err := s.Store.Allocations().Change(t.Context(), asked, 0, func(a *ingot.Allocation) error {
		a.SetResult(ingot.PlacementResult{Attempts: 3, Failed: []string{"a", "b"}, Reason: "no bridge br0"})
		return nil
	})
	require.NoError(t, err)
	for _, row := range []struct {
		name, op, path string
		v              any
	}{
		{"plain", "add", "/extra/placement", map[string]any{"fallback": "virtual"}},
		{"plain", "add", "/extra", map[string]any{"placement": map[string]any{"fallback": "virtual"}}},
		{"asked", "replace", "/extra/placement/fallback", "only-virtual"},
		{"asked", "replace", "/extra/placement/result/attempts", 0},
		{"asked", "remove", "/extra/placement/result/failed_hosts", nil},
		{"asked", "remove", "/extra/placement", nil},
		{"asked", "add", "/extra/placement", "a note"},
		{"asked", "remove", "/extra", nil},
	} {
		path, body := patch(row.name, row.op, row.path, row.v)
		id := map[string]string{"plain": plain, "asked": asked}[row.name]
		require.Equal(t, "extra.placement of allocation "+id+" can not be changed: an allocation says at first whether a guest will do.", s.must(t, 400, "PATCH", path, body).fault(), row)
	}
	for _, row := range []struct {
		id, path string
		v        any
	}{
		{asked, "/extra/note", 2},
		{asked, "/name", "other"},
		{plain, "/extra/placement", "a note"},
		{plain, "/extra/placement", "another"},
		{plain, "/extra", map[string]any{}},
	} {
		path, body := patch(row.id, "add", row.path, row.v)
		s.must(t, 200, "PATCH", path, body)
	}
	a, err := s.Store.Allocations().Get(t.Context(), asked)
	require.NoError(t, err)
	require.Equal(t, ingot.PlacementResult{Attempts: 3, Failed: []string{"a", "b"}, Reason: "no bridge br0"}, a.Result())

	ironic := start(t)
	ironic.must(t, 201, "POST", "/v1/allocations", map[string]any{"name": "n", "resource_class": "a", "extra": map[string]any{"placement": map[string]any{"mine": 1}}})
	path, body := patch("n", "replace", "/extra/placement/mine", 2)
	ironic.must(t, 200, "PATCH", path, body)
}

// TestWhoMayFallBack: who may make allocations may ask for a guest, and nobody else.
func TestWhoMayFallBack(t *testing.T) {
	t.Parallel()
	s, _ := computing(t, func(a *api.API) { a.Auth = personas{} })
	ask := map[string]any{"resource_class": "small", "extra": map[string]any{"placement": map[string]any{"fallback": "only-virtual"}}}
	for who, status := range map[string]int{"member@p1": 201, "admin@p1": 201, "member@system": 201, "reader@p1": 403, "reader@system": 403} {
		s.must(t, status, "POST", "/v1/allocations", ask, as(who))
	}
}
