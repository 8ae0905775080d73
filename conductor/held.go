package conductor

import (
	"context"
	"io"

	"github.com/ingot-metal/ingot"
)

// agent is the wire to the agent on a node, as long as this conductor may act.
func (c *Conductor) agent(n *ingot.Node) AgentWire {
	return heldWire{c.Machines.Agent(n), c.Pulse}
}

// heldWire is a wire that is cut when the conductor's term ends: others may be talking to the agent from then on.
type heldWire struct {
	wire  AgentWire
	pulse *Pulse
}

// Commands lists the agent's commands (AgentWire).
func (w heldWire) Commands(ctx context.Context, n *ingot.Node) ([]ingot.AgentCommand, error) {
	ctx, done, err := w.pulse.act(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return w.wire.Commands(ctx, n)
}

// Send gives the agent a command (AgentWire).
func (w heldWire) Send(ctx context.Context, n *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	ctx, done, err := w.pulse.act(ctx)
	if err != nil {
		return ingot.AgentCommand{}, err
	}
	defer done()
	return w.wire.Send(ctx, n, request, wait)
}

// AgentAwaiter is a wire whose agents live in this process: it is told of each operation that waits for a node's agent to
// call, since the machine may have been booted by another process, which has ended.
type AgentAwaiter interface {
	Await(node *ingot.Node)
}

// await tells the wire to a node's agent that it is waited for, where it wants to know.
func (c *Conductor) await(n *ingot.Node) {
	if wire, ok := c.Machines.Agent(n).(AgentAwaiter); ok && c.Pulse.acting() {
		wire.Await(n)
	}
}

// ReadDisk reads the disk of the agent's machine (AgentWire).
func (w heldWire) ReadDisk(ctx context.Context, n *ingot.Node, wish ingot.DiskWish, into io.Writer) error {
	ctx, done, err := w.pulse.act(ctx)
	if err != nil {
		return err
	}
	defer done()
	return w.wire.ReadDisk(ctx, n, wish, into)
}
