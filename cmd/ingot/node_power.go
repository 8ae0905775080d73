package main

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// nodePower is `ingot node power`.
type nodePower struct {
	On  powerOn  `cmd:"" help:"Switch nodes on."`
	Off powerOff `cmd:"" help:"Switch nodes off."`
}

// powered are the arguments of what changes power.
type powered struct {
	Nodes   []string      `arg:"" name:"node" help:"UUIDs or names."`
	Wait    waiting       `help:"Wait until it is done, showing how it goes; --wait=5m waits no longer." placeholder:"TIME"`
	Timeout time.Duration `help:"The service gives up after this time."`
}

// softly are the arguments of what may ask the operating system first.
type softly struct {
	powered
	Soft bool `help:"Ask the operating system."`
}

type (
	powerOn    struct{ powered }
	powerOff   struct{ softly }
	nodeReboot struct{ softly }
)

// Run switches on.
func (c *powerOn) Run(ctx context.Context, s *session) error {
	return c.run(ctx, s, ingot.TargetPowerOn, ingot.PowerOn)
}

// Run switches off.
func (c *powerOff) Run(ctx context.Context, s *session) error {
	if c.Soft {
		return c.run(ctx, s, ingot.TargetSoftOff, ingot.PowerOff)
	}
	return c.run(ctx, s, ingot.TargetPowerOff, ingot.PowerOff)
}

// Run power-cycles.
func (c *nodeReboot) Run(ctx context.Context, s *session) error {
	if c.Soft {
		return c.run(ctx, s, ingot.TargetSoftReboot, ingot.PowerOn)
	}
	return c.run(ctx, s, ingot.TargetReboot, ingot.PowerOn)
}

func (c *powered) run(ctx context.Context, s *session, target ingot.PowerTarget, want ingot.PowerState) error {
	ask := func(ctx context.Context, name string) error { return s.SetPowerWithin(ctx, name, target, c.Timeout) }
	if !c.Wait.on {
		return each(ctx, c.Nodes, ask)
	}
	var all []asked
	for _, name := range c.Nodes {
		node, err := s.Node(ctx, name)
		if err != nil {
			return err
		}
		all = append(all, asked{node: node, wait: s.waitPower(name, want), ask: func(ctx context.Context) error { return ask(ctx, name) }})
	}
	return c.Wait.carry(ctx, s, string(target), all)
}
