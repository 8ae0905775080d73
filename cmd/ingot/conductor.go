package main

// conductorCommand is `ingot conductor`.
type conductorCommand struct {
	apiFlags
	readVerbs
}

func (*conductorCommand) resource() resource {
	return resource{
		path: []string{"conductors"}, detail: true,
		columns: []string{"hostname", "conductor_group", "alive"}, long: []string{"drivers"},
	}
}
