package main

// allocationCommand is `ingot allocation`.
type allocationCommand struct {
	apiFlags
	allVerbs
}

func (*allocationCommand) resource() resource {
	return resource{
		path:    []string{"allocations"},
		columns: []string{"uuid", "name", "resource_class", "state", "node_uuid"}, long: []string{"owner", "candidate_nodes", "traits", "last_error"},
	}
}
