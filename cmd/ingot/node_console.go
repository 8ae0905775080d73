package main

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// nodeConsole is `ingot node console`.
type nodeConsole struct {
	Join    consoleJoin    `cmd:"" default:"withargs" help:"Sit at it: ingot node console NODE."`
	Log     consoleLog     `cmd:"" help:"What the node said on it."`
	Show    consoleShow    `cmd:"" help:"Where it can be joined."`
	Enable  consoleEnable  `cmd:"" help:"Open it."`
	Disable consoleDisable `cmd:"" help:"Close it."`
}

type (
	consoleShow    struct{ oneNode }
	consoleEnable  struct{ aside }
	consoleDisable struct{ aside }
)

// Run prints where the console is.
func (c *consoleShow) Run(ctx context.Context, s *session) error {
	now, err := s.Resource("nodes", c.Node, "states", "console").Document(ctx, nil)
	if err != nil {
		return err
	}
	return s.printThing(now)
}

// Run opens the console.
func (c *consoleEnable) Run(ctx context.Context, s *session) error {
	return c.change(ctx, s, "console enable", ingot.KindConsole, "console", object{"enabled": true})
}

// Run closes the console.
func (c *consoleDisable) Run(ctx context.Context, s *session) error {
	return c.change(ctx, s, "console disable", ingot.KindConsole, "console", object{"enabled": false})
}
