package main

// portgroupCommand is `ingot portgroup`.
type portgroupCommand struct {
	apiFlags
	allVerbs
}

func (*portgroupCommand) resource() resource {
	return resource{
		path: []string{"portgroups"}, detail: true,
		columns: []string{"uuid", "name", "address", "node_uuid"}, long: []string{"mode", "standalone_ports_supported", "physical_network"},
	}
}
