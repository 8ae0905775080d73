package conductor

import (
	"context"
	"fmt"
	"io"

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

// OpenConsole joins a node's serial console. Whoever joins closes it.
func (c *Conductor) OpenConsole(ctx context.Context, node ingot.Node, force bool) (joined io.ReadWriteCloser, err error) {
	if _, err := able[ingot.SerialConsole](c, &node, "console", "serial console"); err != nil {
		return nil, err
	}
	if !node.ConsoleEnabled {
		return nil, ingot.Errorf(ingot.Conflict, "The console of node %s is not enabled.", node.UUID)
	}
	err = c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error {
		console, err := ability[ingot.SerialConsole](&node, m, "console", "serial console")
		if err == nil {
			joined, err = console.OpenConsole(ctx, force)
		}
		return err
	})
	return joined, err
}

// ConsoleLog gives at most the last most bytes of what a node said on its serial console.
func (c *Conductor) ConsoleLog(ctx context.Context, node ingot.Node, most int64) (said []byte, err error) {
	err = c.exchange(ctx, &node, func(ctx context.Context, m ingot.Machine) error {
		log, err := ability[ingot.ConsoleLog](&node, m, "console", "console log")
		if err == nil {
			said, err = log.ConsoleLog(ctx, most)
		}
		return err
	})
	return said, err
}
