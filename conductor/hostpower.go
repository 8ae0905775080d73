package conductor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// The guests of a compute host whose power a user changes. They end before it, by themselves where it is asked softly, and
// it is noted of those that ran, so that they are started when it is back: FailOver. Nothing of a guest keeps its host from
// being switched off but work on it: what cannot be asked ends with the host.

const (
	// guestsAsked is the key of an operation's memory with the guests whose systems were asked to end, by UUID.
	guestsAsked = "guests_asked"
	// withHost is the parameter of a guest's change of power that is for the sake of its host's.
	withHost = "with_host"
)

// parting is how far it is with the guests of a host that goes.
type parting struct {
	soft    bool          // their systems are asked
	left    time.Duration // until they are not asked any more
	over    bool          // who is not off by now goes with the host
	silent  bool          // the host does not answer for its guests
	waiting []ingot.Node
	worked  *ingot.Node // something works on it
}

// guestsOff has a compute host's guests off before the host.
func (c *Conductor) guestsOff(ctx context.Context, r *Run) (Progress, error) {
	if powerTarget(r) == ingot.TargetPowerOn || !isHost(c, r.Node) {
		return Holds(), nil
	}
	h, err := c.Guests.Hosts.Get(ctx, r.Node.UUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		return Holds(), nil
	}
	if err != nil {
		return Progress{}, err
	}
	guests, err := c.children(ctx, r.Node.UUID)
	if err != nil {
		return Progress{}, err
	}
	p := c.partingOf(r, &h)
	for i := range guests {
		n := &guests[i]
		if !n.IsGuest() {
			continue
		}
		if err := c.part(ctx, r, n, p); err != nil {
			return Progress{}, err
		}
	}
	switch {
	case p.silent:
		return Holds(), nil
	case p.worked != nil && p.over:
		return Progress{}, ingot.Fatalf("Node %s child_node %s is presently locked and we are unable to perform any action on it at this time. Please retry after the current operation is completed.", r.Node.UUID, p.worked.UUID) //nolint:staticcheck // Ironic's text
	case len(p.waiting) == 0 || p.over:
		return Holds(), nil
	}
	return NotYet(c.Settings.Poll, "waiting for "+ingot.Labels(p.waiting)+" to power off"), nil
}

// partingOf begins with what time there is: the request's for systems that are asked to end, and the one of a change of
// power for those that are made to.
func (c *Conductor) partingOf(r *Run, h *ingot.Hypervisor) *parting {
	waited, most := r.Now.Sub(r.Op.StepSince), c.Settings.PowerTimeout
	p := &parting{silent: h.State == ingot.HypervisorDown}
	switch powerTarget(r) {
	case ingot.TargetSoftOff, ingot.TargetSoftReboot:
		limit := r.timeout(c.Settings.SoftPowerTimeout)
		p.soft, p.left = waited < limit, limit-waited
		most += limit
	default:
		most = r.timeout(most)
	}
	p.over = waited >= most
	return p
}

// part does what is next for one guest.
func (c *Conductor) part(ctx context.Context, r *Run, n *ingot.Node, p *parting) error {
	if p.silent || p.over && n.TargetPowerState == "" && c.free(n) == nil {
		return c.goesWithHost(ctx, n)
	}
	var seen ingot.PowerState
	err := c.exchange(ctx, n, func(ctx context.Context, m ingot.Machine) (err error) {
		seen, err = m.PowerState(ctx)
		return err
	})
	switch {
	case ingot.CodeOf(err) == ingot.NotFound || err == nil && seen == ingot.PowerOff:
		return nil
	case err != nil && (p.soft || wasNotAsked(err)): // it may pass
		p.waiting = append(p.waiting, *n)
		return nil
	case err != nil:
		c.Log.Warn("a compute host that is switched off does not answer for its guests: they end with it", "host", r.Node.UUID, "guest", n.UUID, "error", err)
		p.silent = true
		return c.goesWithHost(ctx, n)
	case n.DisablePowerOff:
		return ingot.Fatalf("cannot power off %s, which lives off %s: it has disable_power_off set", n.Label(), r.Node.Label())
	}
	p.waiting = append(p.waiting, *n)
	if n.TargetPowerState != "" {
		return nil
	}
	return c.sendOff(ctx, r, n, p)
}

// sendOff begins to have a guest off that runs: once it is asked, and then made to.
func (c *Conductor) sendOff(ctx context.Context, r *Run, n *ingot.Node, p *parting) error {
	asked := ingot.Text(r.Op.Memory, guestsAsked)
	change := powerChange{target: ingot.TargetPowerOff, withHost: true}
	if p.soft && !strings.Contains(asked, n.UUID) {
		change.target, change.timeout = ingot.TargetSoftOff, max(p.left, time.Second)
		r.Remember(guestsAsked, asked+n.UUID+" ")
	}
	err := c.changePower(ctx, *n, change)
	switch ingot.CodeOf(err) {
	case "", ingot.Conflict, ingot.NotFound: // looked at again
		return nil
	case ingot.Locked:
		p.worked = n
		return nil
	}
	return fmt.Errorf("cannot change the power of %s: %w", n.Label(), err)
}

// goesWithHost notes of a guest that is not told that it ran.
func (c *Conductor) goesWithHost(ctx context.Context, n *ingot.Node) error {
	if n.PowerState != ingot.PowerOn || n.RanWhenLost() || n.ProvisionState.Busy() {
		return nil
	}
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error {
		n.NoteRan()
		return nil
	}})
	return ignoreStale(err)
}
