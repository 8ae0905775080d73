package main

// portCommand is `ingot port`.
type portCommand struct {
	apiFlags
	allVerbs
}

func (*portCommand) resource() resource {
	return resource{
		path: []string{"ports"}, detail: true,
		columns: []string{"uuid", "address", "node_uuid", "name"}, long: []string{"pxe_enabled", "portgroup_uuid", "physical_network", "local_link_connection"},
	}
}
