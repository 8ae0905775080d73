package main

import "context"

// nodeTraits is `ingot node traits`.
type nodeTraits struct {
	List   traitsList   `cmd:"" help:"List them."`
	Add    traitsAdd    `cmd:"" help:"Give a node traits."`
	Remove traitsRemove `cmd:"" help:"Take traits from a node."`
	Set    traitsSet    `cmd:"" help:"Replace all traits of a node."`
}

// traitsList is `ingot node traits list`.
type traitsList struct{ oneNode }

// Run prints the traits.
func (c *traitsList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("nodes", c.Node, "traits").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"trait"})
}

// someTraits are a node and traits.
type someTraits struct {
	oneNode
	Traits []string `arg:"" name:"trait" help:"CUSTOM_... or a name of os-traits."`
}

type (
	traitsAdd    struct{ someTraits }
	traitsRemove struct{ someTraits }
	traitsSet    struct {
		oneNode
		Traits []string `arg:"" optional:"" name:"trait" help:"CUSTOM_... or names of os-traits; none takes all away."`
	}
)

// Run adds traits.
func (c *traitsAdd) Run(ctx context.Context, s *session) error {
	return each(ctx, c.Traits, func(ctx context.Context, trait string) error { return s.AddTrait(ctx, c.Node, trait) })
}

// Run removes traits.
func (c *traitsRemove) Run(ctx context.Context, s *session) error {
	return each(ctx, c.Traits, func(ctx context.Context, trait string) error { return s.RemoveTrait(ctx, c.Node, trait) })
}

// Run replaces all traits.
func (c *traitsSet) Run(ctx context.Context, s *session) error {
	return s.SetTraits(ctx, c.Node, c.Traits)
}

// nodeVIFs is `ingot node vifs`.
type nodeVIFs struct {
	List   vifsList   `cmd:"" help:"List them."`
	Attach vifsAttach `cmd:"" help:"Attach one."`
	Detach vifsDetach `cmd:"" help:"Detach one."`
}

// vifsList is `ingot node vifs list`.
type vifsList struct{ oneNode }

// Run prints the virtual interfaces.
func (c *vifsList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("nodes", c.Node, "vifs").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"id"})
}

// vifsAttach is `ingot node vifs attach`.
type vifsAttach struct {
	oneNode
	VIF       string `arg:"" name:"vif" help:"Its ID."`
	Port      string `help:"UUID of the port to attach it to." xor:"place"`
	Portgroup string `help:"UUID of the port group to attach it to." xor:"place"`
}

// Run attaches it.
func (c *vifsAttach) Run(ctx context.Context, s *session) error {
	fields := object{"id": c.VIF}
	if c.Port != "" {
		fields["port_uuid"] = c.Port
	}
	if c.Portgroup != "" {
		fields["portgroup_uuid"] = c.Portgroup
	}
	return s.Resource("nodes", c.Node, "vifs").Post(ctx, fields)
}

// vifsDetach is `ingot node vifs detach`.
type vifsDetach struct {
	oneNode
	VIF string `arg:"" name:"vif" help:"Its ID."`
}

// Run detaches it.
func (c *vifsDetach) Run(ctx context.Context, s *session) error {
	return s.Resource("nodes", c.Node, "vifs").Delete(ctx, c.VIF)
}
