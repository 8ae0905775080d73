package main

// templateCommand is `ingot template`.
type templateCommand struct {
	apiFlags
	allVerbs
}

func (*templateCommand) resource() resource {
	return resource{
		path: []string{"deploy_templates"}, detail: true,
		columns: []string{"uuid", "name"}, long: []string{"steps"},
	}
}
