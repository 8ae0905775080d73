package main

import "context"

// traitVerbs are `ingot node traits` and `ingot runbook traits`.
type traitVerbs struct {
	List   traitsList   `cmd:"" help:"List them."`
	Add    traitsAdd    `cmd:"" help:"Add some."`
	Remove traitsRemove `cmd:"" help:"Take some away."`
	Set    traitsSet    `cmd:"" help:"Replace all."`
}

// oneThing is the argument of what goes to a single thing of a resource.
type oneThing struct {
	Name string `arg:"" help:"UUID or name."`
}

// someTraits are a thing and traits.
type someTraits struct {
	oneThing
	Traits []string `arg:"" name:"trait" help:"CUSTOM_... or a name of os-traits."`
}

type (
	traitsList   struct{ oneThing }
	traitsAdd    struct{ someTraits }
	traitsRemove struct{ someTraits }
	traitsSet    struct {
		oneThing
		Traits []string `arg:"" optional:"" name:"trait" help:"CUSTOM_... or names of os-traits; none takes all away."`
	}
)

// Run prints the traits.
func (c *traitsList) Run(ctx context.Context, s *session, r resource) error {
	items, err := r.below(s, c.Name, "traits").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"trait"})
}

// Run adds traits.
func (c *traitsAdd) Run(ctx context.Context, s *session, r resource) error {
	return each(ctx, c.Traits, func(ctx context.Context, trait string) error {
		return r.below(s, c.Name, "traits", trait).Put(ctx, nil)
	})
}

// Run removes traits.
func (c *traitsRemove) Run(ctx context.Context, s *session, r resource) error {
	return each(ctx, c.Traits, r.below(s, c.Name, "traits").Delete)
}

// Run replaces all traits.
func (c *traitsSet) Run(ctx context.Context, s *session, r resource) error {
	return r.below(s, c.Name, "traits").Put(ctx, object{"traits": append([]string{}, c.Traits...)})
}
