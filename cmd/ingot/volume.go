package main

// volumeCommand is `ingot volume`.
type volumeCommand struct {
	apiFlags
	Connector volumeConnectors `cmd:"" help:"What a node presents to storage: an iSCSI name, a WWN, an address."`
	Target    volumeTargets    `cmd:"" help:"Volumes that a node uses."`
}

// volumeConnectors is `ingot volume connector`.
type volumeConnectors struct {
	allVerbs
}

func (*volumeConnectors) resource() resource {
	return resource{
		path: []string{"volume", "connectors"}, detail: true,
		columns: []string{"uuid", "node_uuid", "type", "connector_id"}, long: []string{"extra"},
	}
}

// volumeTargets is `ingot volume target`.
type volumeTargets struct {
	allVerbs
}

func (*volumeTargets) resource() resource {
	return resource{
		path: []string{"volume", "targets"}, detail: true,
		columns: []string{"uuid", "node_uuid", "boot_index", "volume_type", "volume_id"}, long: []string{"properties"},
	}
}
