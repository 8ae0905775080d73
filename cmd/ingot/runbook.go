package main

// runbookCommand is `ingot runbook`.
type runbookCommand struct {
	apiFlags
	allVerbs
	Traits traitVerbs `cmd:"" help:"Traits: nodes that have one of them may be given the runbook."`
}

func (*runbookCommand) resource() resource {
	return resource{
		path: []string{"runbooks"}, detail: true,
		columns: []string{"uuid", "name", "public", "owner"}, long: []string{"description", "traits", "steps"},
	}
}
