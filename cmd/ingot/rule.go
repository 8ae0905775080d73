package main

// ruleCommand is `ingot rule`.
type ruleCommand struct {
	apiFlags
	allVerbs
}

func (*ruleCommand) resource() resource {
	return resource{
		path: []string{"inspection_rules"}, detail: true,
		columns: []string{"uuid", "description", "priority"}, long: []string{"phase", "conditions", "actions"},
	}
}
