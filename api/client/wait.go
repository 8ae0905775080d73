package client

import (
	"context"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// waitPoll is how often a wait looks at the node without being told to.
const waitPoll = 2 * time.Second

// WaitState waits until the node is in one of the states, and gives it as it is then. It fails with the node's
// last_error when the node has come to rest in another state: nothing is under way that could still lead there. Events
// make it quick; where there are none (another Ironic) it polls.
func (c *Client) WaitState(ctx context.Context, ident string, states ...ingot.State) (Node, error) {
	return c.WaitNode(ctx, ident, func(n Node) (bool, error) {
		s := n.ProvisionState
		switch {
		case slices.Contains(states, s):
			return true, nil
		case s.Busy() || n.TargetProvisionState != "" && s.Class() != ingot.Failed && s != ingot.ErrorState:
			return false, nil
		}
		return false, ingot.Errorf(ingot.Permanent, "cannot wait for node %s to become %s: it is in state %s (%s)", n.Label(), states[0], s, orNothing(n.LastError))
	})
}

func orNothing(text string) string {
	if text == "" {
		return "no error"
	}
	return text
}

// WaitNode asks done about the node until it says yes or fails, or ctx ends. An API that does not answer for a while
// (it is being restarted) is waited for.
func (c *Client) WaitNode(ctx context.Context, ident string, done func(Node) (bool, error)) (Node, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hints := make(chan struct{}, 1)
	go c.hint(ctx, ident, hints)
	timer := time.NewTimer(waitPoll)
	defer timer.Stop()
	for {
		n, err := c.Node(ctx, ident)
		ok := false
		if err == nil {
			ok, err = done(n)
		}
		if ok || err != nil && ingot.CodeOf(err) != ingot.Unavailable {
			return n, err
		}
		timer.Reset(waitPoll)
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-hints:
		case <-timer.C:
		}
	}
}

// hint says when something happened to the node, until ctx ends. A stream that breaks off is opened again; one that the
// service does not have is left.
func (c *Client) hint(ctx context.Context, ident string, hints chan<- struct{}) {
	for ctx.Err() == nil {
		for _, err := range c.Events(ctx, EventQuery{Node: ident}) {
			if err != nil && ingot.CodeOf(err) != ingot.Unavailable {
				return
			}
			select {
			case hints <- struct{}{}:
			default: // one is waiting to be read
			}
		}
		pause := time.NewTimer(waitPoll)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}
