package main

import "context"

// nodeIndicators is `ingot node indicators`.
type nodeIndicators struct {
	List indicatorsList `cmd:"" help:"List a node's lights."`
	Show indicatorsShow `cmd:"" help:"Say what a light does."`
	Set  indicatorsSet  `cmd:"" help:"Switch a light."`
}

type (
	indicatorsList struct{ oneNode }
	indicatorsShow struct{ oneLight }
	indicatorsSet  struct {
		oneLight
		State string `arg:"" enum:"on,off,blinking" help:"on, off or blinking."`
	}
)

// oneLight is a light of a node.
type oneLight struct {
	oneNode
	Light string `arg:"" help:"Its name as in the list: led@chassis."`
}

// Run prints the lights.
func (c *indicatorsList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("nodes", c.Node, "management", "indicators").List(ctx, nil)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"name", "component", "readonly", "states"})
}

// Run prints the light's state.
func (c *indicatorsShow) Run(ctx context.Context, s *session) error {
	now, err := s.Resource("nodes", c.Node, "management", "indicators").Get(ctx, c.Light)
	if err != nil {
		return err
	}
	return s.printThing(now)
}

// Run switches the light.
func (c *indicatorsSet) Run(ctx context.Context, s *session) error {
	return s.Resource("nodes", c.Node, "management", "indicators", c.Light).Put(ctx, object{"state": c.State})
}
