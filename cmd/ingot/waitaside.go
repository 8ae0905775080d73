package main

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// aside are the argument and the flag of what is done to a node's machine beside its life: the node stays in its state.
type aside struct {
	oneNode
	Wait waiting `help:"Wait until it is done, showing how it goes; --wait=5m waits no longer." placeholder:"TIME"`
}

// run asks, and waits for the operation when it is told to.
func (a *aside) run(ctx context.Context, s *session, title string, kind ingot.Kind, ask func(context.Context) error) error {
	if !a.Wait.on {
		return ask(ctx)
	}
	node, err := s.Node(ctx, a.Node)
	if err != nil {
		return err
	}
	before, err := s.Operations(ctx, a.Node)
	if err != nil {
		return err
	}
	return a.Wait.carry(ctx, s, title, []asked{{node: node, ask: ask, wait: s.waitOperation(a.Node, kind, before)}})
}

// change asks for a state of the machine.
func (a *aside) change(ctx context.Context, s *session, title string, kind ingot.Kind, state string, to object) error {
	return a.run(ctx, s, title, kind, func(ctx context.Context) error {
		return s.Resource("nodes", a.Node, "states", state).Put(ctx, to)
	})
}

// waitOperation waits for the end of the operation of a kind that is not among those before.
func (s *session) waitOperation(node string, kind ingot.Kind, before []client.Operation) func(context.Context) (client.Node, error) {
	old := map[string]bool{}
	for _, op := range before {
		old[op.UUID] = true
	}
	return func(ctx context.Context) (client.Node, error) {
		return s.WaitNode(ctx, node, func(n client.Node) (bool, error) {
			all, err := s.Operations(ctx, node)
			if err != nil {
				return false, err
			}
			for _, op := range all {
				switch {
				case op.Kind != kind || old[op.UUID] || op.Outcome == "":
				case op.Outcome == ingot.Done:
					return true, nil
				default:
					return false, ingot.Errorf(ingot.Permanent, "cannot carry out %s on node %s: it was %s (%s)", kind, n.Label(), op.Outcome, op.Error)
				}
			}
			return false, nil
		})
	}
}

// lookEvery is how often what has no events is looked at.
const lookEvery = 500 * time.Millisecond

// watch asks for a thing until done says yes or fails, and shows its state meanwhile.
func (w waiting) watch(ctx context.Context, s *session, title string, get func(context.Context) (object, error), done func(object) (bool, error)) (thing object, err error) {
	ctx, cancel := w.bounded(ctx)
	defer cancel()
	view := s.view()
	view.Begin(title)
	defer func() { view.End(err) }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := ""
	for {
		thing, err = get(ctx)
		over := false
		if err == nil {
			if state, _ := thing["state"].(string); state != last {
				view.State(state)
				last = state
			}
			over, err = done(thing)
		}
		if over || err != nil && ingot.CodeOf(err) != ingot.Unavailable {
			return thing, err
		}
		select {
		case <-ctx.Done():
			return thing, context.Cause(ctx)
		case <-tick.C:
		}
	}
}
