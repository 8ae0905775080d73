package api

import "github.com/ingot-metal/ingot"

// placementAsked reads what a guest would need out of the parameters.
func (r *request) placementAsked() (req ingot.PlacementRequest, err error) {
	a := r.args("resource_class", "traits", "candidate_nodes", "anti_affinity_group", "physical_networks", "image_checksum")
	a.need("resource_class")
	class, candidates, image := a.text("resource_class"), a.words("candidate_nodes"), a.text("image_checksum")
	req = ingot.PlacementRequest{Traits: a.words("traits"), Group: a.text("anti_affinity_group"), PhysicalNetworks: a.words("physical_networks")}
	if a.err != nil {
		return req, a.err
	}
	var known bool
	if req.Image, known = ingot.ImageSum(image); image != "" && !known {
		return req, ingot.Errorf(ingot.Invalid, "image_checksum can not be %s: it is a SHA-256 or SHA-512 in hex", repr(image))
	}
	if req.Flavor, err = r.flavorOf(class); err != nil {
		return req, err
	}
	for _, trait := range req.Traits {
		if err := checkTrait("placement", trait); err != nil {
			return req, err
		}
	}
	for _, ident := range candidates {
		node, err := r.ownerNamed(ident)
		if err != nil {
			return req, err
		}
		req.Candidates = append(req.Candidates, node.UUID)
	}
	types, err := r.hardwareTypes()
	for i := range types {
		if types[i].Name == ingot.GuestDriver && types[i].Default["deploy"] == ingot.ImageDeploy { // as an allocation makes it
			req.DiskFormat = ingot.ImageDisks
		}
	}
	return req, err
}

// listPlacements is GET /v1/placements: where a guest of a flavor could be now, and why not elsewhere. It reserves
// nothing.
func listPlacements(r *request) (response, error) {
	req, err := r.placementAsked()
	if err != nil {
		return response{}, err
	}
	hosts, err := r.api.Guests.ComputeHosts(r.Context())
	if err != nil {
		return response{}, err
	}
	placement := ingot.Place(hosts, req)
	found, rejected := []map[string]any{}, []map[string]any{}
	for _, c := range placement.Candidates {
		found = append(found, map[string]any{"node_uuid": c.Host, "name": orNull(c.Name), "weight": c.Weight, "virt_type": orNull(c.VirtType)})
	}
	for _, c := range placement.Rejected {
		rejected = append(rejected, map[string]any{"node_uuid": c.Host, "name": orNull(c.Name), "reason": c.Reason, "detail": orNull(c.Detail)})
	}
	return response{body: map[string]any{
		"flavor": req.Flavor.ResourceClass, "resources": wireAmounts(req.Flavor.Resources),
		"candidates": found, "rejected": rejected, "summary": placement.String(),
	}}, nil
}
