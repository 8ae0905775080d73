package conductor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// exchangePatience bounds one exchange with a BMC, and so the lease on it.
const exchangePatience = 20 * time.Second

// exchange talks to a node's BMC once. The lease is committed before the first packet, with the exchange's deadline in
// it: a conductor that takes over waits until it has passed. All talk with BMCs goes through here: operations, power
// sync, sensors and the API's questions.
func (c *Conductor) exchange(ctx context.Context, node *ingot.Node, talk func(context.Context, ingot.Machine) error) error {
	machine, key, err := c.Machines.Machine(node)
	if err != nil {
		return ingot.Fatal(err)
	}
	ctx, done, err := c.Pulse.act(ctx)
	if err != nil {
		return notAsked{err}
	}
	defer done()
	holding := c.Pulse.holding()
	began, may := time.Now(), c.permit(holding)
	if key != "" {
		unlock, err := c.talking.lock(ctx, key)
		if err != nil {
			return err
		}
		defer unlock()
		began, may = time.Now(), c.permit(holding)
		permitted, _ := ingot.As[ingot.Permitted](machine)
		release, err := c.lease(ctx, key, permitted != nil && permitted.AsksPermit())
		if err != nil {
			return notAsked{err}
		}
		defer release()
	}
	// What the lease took to be committed is part of its time.
	bounded, cancel := context.WithDeadline(ingot.WithPermit(ctx, may), began.Add(exchangePatience))
	defer cancel()
	err = c.converse(bounded, node, machine, talk)
	if err != nil && (!c.Pulse.acting() || may() != nil) {
		return notAsked{err}
	}
	return err
}

// permit is for an exchange that begins now: nothing is sent when its lease is over, or when others may have taken this
// conductor for dead since, which ends its leases; by a clock that goes on while the process is stopped and while the
// machine sleeps.
func (c *Conductor) permit(holding func() bool) func() error {
	clock := c.Pulse.clock()
	until := clock() + exchangePatience + leaseMargin
	return func() error {
		switch {
		case clock() >= until:
			return ingot.Errorf(ingot.Unavailable, "the time of the exchange with the BMC is over: nothing more is sent")
		case !holding():
			return c.Pulse.errNoPulse()
		}
		return nil
	}
}

// notAsked is a failure that says nothing of the BMC: it was not talked to, or the talk was broken off.
type notAsked struct{ error }

func (e notAsked) Unwrap() error { return e.error }

// converse does the talking, and ends the session.
func (c *Conductor) converse(ctx context.Context, node *ingot.Node, machine ingot.Machine, talk func(context.Context, ingot.Machine) error) error {
	if closer, ok := ingot.As[ingot.Closer](machine); ok {
		defer func() {
			if closed := closer.Close(); closed != nil {
				c.Log.Debug("cannot close a BMC session", "node", node.UUID, "error", closed)
			}
		}()
	}
	return talk(ctx, machine)
}

// lease takes the lease on a BMC, or says when to ask again.
func (c *Conductor) lease(ctx context.Context, key string, yields bool) (release func(), err error) {
	wait, err := c.Leases.LeaseBMC(ctx, ingot.BMCLease{Address: key, Owner: c.ID, Until: c.Now().Add(exchangePatience + leaseMargin), Yields: yields})
	if err != nil {
		return nil, fmt.Errorf("cannot take the lease on BMC %s: %w", key, err)
	}
	if wait > 0 {
		return nil, &ingot.Error{Code: ingot.Unavailable, After: min(wait, time.Second), Err: fmt.Errorf("BMC %s is being talked to by another conductor", key)}
	}
	return func() {
		if err := c.Leases.ReleaseBMC(context.WithoutCancel(ctx), key, c.ID); err != nil {
			c.Log.Warn("cannot release the lease on a BMC; it runs out by itself", "bmc", key, "error", err)
		}
	}, nil
}

// leaseMargin is for packets on their way when an exchange's time ends.
const leaseMargin = 2 * time.Second

// keyed is a lock for each key: two lanes of one conductor take turns at a BMC, which has few sessions.
type keyed struct {
	mu    sync.Mutex
	holds map[string]*hold
}

type hold struct {
	turn  chan struct{} // capacity 1: full while held
	users int
}

func (k *keyed) lock(ctx context.Context, key string) (unlock func(), err error) {
	h := k.join(key)
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn; k.leave(key, h) }, nil
	case <-ctx.Done():
		k.leave(key, h)
		return nil, fmt.Errorf("BMC %s is busy with another exchange: %w", key, ctx.Err())
	}
}

func (k *keyed) join(key string) *hold {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.holds == nil {
		k.holds = map[string]*hold{}
	}
	h := k.holds[key]
	if h == nil {
		h = &hold{turn: make(chan struct{}, 1)}
		k.holds[key] = h
	}
	h.users++
	return h
}

func (k *keyed) leave(key string, h *hold) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(k.holds, key)
	}
}
