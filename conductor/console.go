package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// ConsoleInfo says how people connect to a node's console (Ironic: GET states/console); nil when it is not on.
func (c *Conductor) ConsoleInfo(ctx context.Context, node ingot.Node) (info map[string]any, err error) {
	if !node.ConsoleEnabled {
		return nil, nil //nolint:nilnil // as said
	}
	err = c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error {
		console, err := ability[ingot.Console](&node, m, "console", "console")
		if err == nil {
			info, err = console.ConsoleInfo(ctx)
		}
		return err
	})
	return info, err
}

// SetConsole accepts the start or the stop of a console (Ironic: PUT states/console).
func (c *Conductor) SetConsole(ctx context.Context, node ingot.Node, on bool) error {
	if _, err := able[ingot.Console](c, &node, "console", "console"); err != nil {
		return err
	}
	if node.ConsoleEnabled == on {
		return nil
	}
	return c.startAside(ctx, &node, ingot.KindConsole, map[string]any{"enabled": on})
}

func setConsole(ctx context.Context, r *Run) (Progress, error) {
	on, _ := r.Op.Params["enabled"].(bool)
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		console, err := ability[ingot.Console](r.Node, m, "console", "console")
		if err != nil {
			return err
		}
		return console.SetConsole(ctx, on)
	})
	if err != nil {
		doing := map[bool]string{true: "enabling", false: "disabling"}[on]
		return Progress{}, fmt.Errorf("Error %s the console on node %s. Reason: %w", doing, r.Node.UUID, err) //nolint:staticcheck // Ironic's text
	}
	r.Change(func(n *ingot.Node) { n.ConsoleEnabled = on })
	return Holds(), nil
}
