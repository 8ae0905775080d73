package conductor

import (
	"context"

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
