package main

import "context"

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
