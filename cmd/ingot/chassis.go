package main

// chassisCommand is `ingot chassis`.
type chassisCommand struct {
	apiFlags
	allVerbs
}

func (*chassisCommand) resource() resource {
	return resource{
		path: []string{"chassis"}, detail: true,
		columns: []string{"uuid", "description"}, long: []string{"extra"},
	}
}
