package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
)

// waiting is the flag --wait, with or without a time.
type waiting struct {
	on     bool
	atMost time.Duration // 0 is without end
}

// IsBool says that the flag may come without a value.
func (waiting) IsBool() bool { return true }

// Decode reads "--wait" and "--wait=30m".
func (w *waiting) Decode(ctx *kong.DecodeContext) error {
	w.on = true
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		return nil
	}
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	atMost, err := time.ParseDuration(text)
	if err == nil && atMost <= 0 {
		err = fmt.Errorf("%s is no time to wait", text)
	}
	w.atMost = atMost
	return err
}

// bounded is a context that ends when the waiting does.
func (w waiting) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.atMost == 0 {
		return context.WithCancel(ctx)
	}
	late := ingot.Errorf(ingot.Unavailable, "cannot wait longer: it took more than %s", w.atMost)
	return context.WithTimeoutCause(ctx, w.atMost, late)
}

// asked is a request to a node that takes a while, and how to see that it is done.
type asked struct {
	node client.Node // as it was before
	ask  func(context.Context) error
	wait func(context.Context) (client.Node, error)
}

// carry asks all, and shows what goes on until all are done or have failed.
func (w waiting) carry(ctx context.Context, s *session, title string, all []asked) error {
	ctx, cancel := w.bounded(ctx)
	defer cancel()
	view := s.view()
	if len(all) == 1 {
		title = all[0].node.Label() + " " + title
		view.Begin(title)
		view.State(string(all[0].node.ProvisionState))
	} else {
		view.Begin(fmt.Sprintf("%d nodes %s", len(all), title))
	}
	var running errgroup.Group
	errs := make([]error, len(all))
	for i, a := range all {
		label := ""
		if len(all) > 1 {
			label = a.node.Label()
		}
		running.Go(func() error {
			errs[i] = a.carry(ctx, s, view, label)
			return errs[i]
		})
	}
	err := running.Wait()
	view.End(err)
	return joined(errs)
}

// carry asks one node and waits for it, while the view follows its events from before it was asked.
func (a asked) carry(ctx context.Context, s *session, view *live.View, label string) error {
	query := client.EventQuery{Node: a.node.UUID}
	if last, err := s.LastEvent(ctx); err == nil {
		query.After = &last
	}
	following, stop := context.WithCancel(ctx)
	var follower errgroup.Group
	follower.Go(func() error {
		view.FollowAs(following, s.Client, query, label)
		return nil
	})
	if label == "" {
		follower.Go(func() error {
			view.Notes(following, s.Client, a.node.UUID)
			return nil
		})
	}
	node, err := a.node, a.ask(ctx)
	if err == nil {
		node, err = a.wait(ctx)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	stop()
	err = errors.Join(err, follower.Wait())
	if label == "" && node.ProvisionState != a.node.ProvisionState {
		view.State(string(node.ProvisionState)) // its event may not have come yet
	}
	return err
}

// waitState waits until a node has come to one of the states.
func (s *session) waitState(node string, states ...ingot.State) func(context.Context) (client.Node, error) {
	return func(ctx context.Context) (client.Node, error) { return s.WaitState(ctx, node, states...) }
}

// waitPower waits until a node's power is in the state, and nothing is on its way to change it.
func (s *session) waitPower(node string, want ingot.PowerState) func(context.Context) (client.Node, error) {
	done := func(n client.Node) (bool, error) {
		if n.TargetPowerState == "" && n.PowerState != want && n.LastError != "" {
			return false, ingot.Errorf(ingot.Permanent, "cannot wait for node %s to be in %s: it is in %s (%s)", n.Label(), want, n.PowerState, n.LastError)
		}
		return n.TargetPowerState == "" && n.PowerState == want, nil
	}
	return func(ctx context.Context) (client.Node, error) { return s.WaitNode(ctx, node, done) }
}

// goals are the states that a verb may end in; none when the state table has no such verb in that state.
func goals(n client.Node, verb ingot.Verb) []ingot.State {
	row, ok := ingot.Next(n.ProvisionState, verb)
	if !ok {
		return nil
	}
	states := []ingot.State{row.Target}
	switch {
	case verb == ingot.VerbUnhold && n.TargetProvisionState != "":
		states = []ingot.State{n.TargetProvisionState}
	case row.Target == "":
		states = []ingot.State{row.To}
	}
	if slices.Contains(states, ingot.Available) {
		states = append(states, ingot.Manageable) // a retired node stops there
	}
	if n.ProvisionState == ingot.ServiceWait || n.ProvisionState == ingot.ServiceHold {
		states = append(states, ingot.Active)
	}
	return states
}
