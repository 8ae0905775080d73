package api_test

import (
	"slices"
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
		{map[string]any{"fallback": "virtual", "colour": "red"}, "extra.placement of an allocation has no colour: it has fallback, flavor, anti_affinity_group, physical_networks and wait_seconds"},
		{map[string]any{"fallback": "virtual", "anti_affinity_group": ""}, "extra.placement.anti_affinity_group of an allocation can not be "},
		{map[string]any{"fallback": "virtual", "physical_networks": "physnet1"}, "extra.placement.physical_networks of an allocation can not be physnet1"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", 1}}, "extra.placement.physical_networks of an allocation can not be [physnet1 1]"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{""}}, "extra.placement.physical_networks of an allocation can not be []"},
		{map[string]any{"fallback": "virtual", "physical_networks": slices.Repeat([]any{"n"}, 9)}, "extra.placement.physical_networks of an allocation can not be [n n n n n n n n n]"},
		{map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", "lab"}}, "No compute host has the physical network lab; there are: physnet1, no other."},
		{map[string]any{"fallback": "virtual", "flavor": "huge"}, "There is no flavor of resource class huge; the flavors are: compute.small."},
		{map[string]any{"fallback": "virtual", "result": map[string]any{"kind": "metal"}}, "extra.placement.result of an allocation is for the answer"},
	} {
		require.Equal(t, row.fault, s.must(t, 400, "POST", "/v1/allocations", ask(row.placement)).fault())
	}
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "flavor": "compute.small", "wait_seconds": 60, "anti_affinity_group": "web"}))
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "physical_networks": []any{"physnet1", "physnet1"}}))
	s.must(t, 201, "POST", "/v1/allocations", ask(map[string]any{"fallback": "virtual", "physical_networks": []any{}}))
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
