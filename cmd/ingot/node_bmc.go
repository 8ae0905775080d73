package main

import (
	"context"

	"github.com/ingot-metal/ingot/api/client"
)

// nodeBMC is `ingot node bmc`.
type nodeBMC struct {
	Show   bmcShow   `cmd:"" help:"Show where it is and whose login it has."`
	Set    bmcSet    `cmd:"" help:"Give a guest one, or a new password to the one that it has; the password is printed, this once."`
	Remove bmcRemove `cmd:"" help:"Take it away."`
}

type (
	bmcShow   struct{ oneNode }
	bmcRemove struct{ oneNode }
	bmcSet    struct {
		oneNode
		Username string `default:"admin" help:"Login name, up to 16 characters."`
	}
)

func (n oneNode) bmc(s *session) client.Resource { return s.Resource("nodes", n.Node, "bmc") }

// Run prints the virtual BMC.
func (c *bmcShow) Run(ctx context.Context, s *session) error {
	thing, err := c.bmc(s).Document(ctx, nil)
	if err != nil {
		return err
	}
	return s.printThing(thing)
}

// Run gives the guest a virtual BMC whose password the service makes: a command line can be read by everybody.
func (c *bmcSet) Run(ctx context.Context, s *session) error {
	thing, err := c.bmc(s).Set(ctx, map[string]any{"username": c.Username})
	if err != nil {
		return err
	}
	return s.printThing(thing)
}

// Run takes the virtual BMC away.
func (c *bmcRemove) Run(ctx context.Context, s *session) error { return c.bmc(s).Remove(ctx, nil) }
