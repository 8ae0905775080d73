package main

import (
	"context"
	"fmt"
)

// nodeRAID is `ingot node raid`.
type nodeRAID struct {
	Show raidShow `cmd:"" help:"Show the volumes that there are and those that are wanted."`
	Set  raidSet  `cmd:"" help:"Say which volumes are wanted; the clean step raid.create_configuration makes them."`
}

type (
	raidShow struct{ oneNode }
	raidSet  struct {
		oneNode
		Config string `arg:"" help:"JSON or YAML with logical_disks, or @FILE; {} wants none."`
	}
)

// Run prints the configurations.
func (c *raidShow) Run(ctx context.Context, s *session) error {
	thing, err := s.Resource("nodes").Get(ctx, c.Node, "raid_config", "target_raid_config")
	if err != nil {
		return err
	}
	delete(thing, "links")
	return s.printThing(thing)
}

// Run sets the wanted configuration.
func (c *raidSet) Run(ctx context.Context, s *session) error {
	text, err := content(c.Config)
	if err != nil {
		return err
	}
	wanted, err := document(text)
	if err != nil {
		return fmt.Errorf("cannot read the RAID configuration: %w", err)
	}
	return s.Resource("nodes", c.Node, "states", "raid").Put(ctx, wanted)
}
