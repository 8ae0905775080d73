package api

import "github.com/ingot-metal/ingot"

// listPlacements is GET /v1/placements: where a guest of a flavor could be now, and why not elsewhere. It reserves
// nothing.
func listPlacements(r *request) (response, error) {
	a := r.args("resource_class", "traits", "candidate_nodes", "anti_affinity_group", "physical_networks")
	a.need("resource_class")
	class, candidates := a.text("resource_class"), a.words("candidate_nodes")
	req := ingot.PlacementRequest{Traits: a.words("traits"), Group: a.text("anti_affinity_group"), PhysicalNetworks: a.words("physical_networks")}
	if a.err != nil {
		return response{}, a.err
	}
	var err error
	if req.Flavor, err = r.flavorOf(class); err != nil {
		return response{}, err
	}
	for _, trait := range req.Traits {
		if err := checkTrait("placement", trait); err != nil {
			return response{}, err
		}
	}
	for _, ident := range candidates {
		node, err := r.ownerNamed(ident)
		if err != nil {
			return response{}, err
		}
		req.Candidates = append(req.Candidates, node.UUID)
	}
	hosts, err := r.api.Guests.ComputeHosts(r.Context())
	if err != nil {
		return response{}, err
	}
	placement := ingot.Place(hosts, req)
	found, rejected := []map[string]any{}, []map[string]any{}
	for _, c := range placement.Candidates {
		found = append(found, map[string]any{"node_uuid": c.Host, "name": orNull(c.Name), "weight": c.Weight})
	}
	for _, c := range placement.Rejected {
		rejected = append(rejected, map[string]any{"node_uuid": c.Host, "name": orNull(c.Name), "reason": c.Reason, "detail": orNull(c.Detail)})
	}
	return response{body: map[string]any{
		"flavor": req.Flavor.ResourceClass, "resources": wireAmounts(req.Flavor.Resources),
		"candidates": found, "rejected": rejected, "summary": placement.String(),
	}}, nil
}
