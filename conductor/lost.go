package conductor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-metal/ingot"
)

// Compute hosts that are lost, and those that are back. Nothing here is remembered from one round to the next: what is in
// the store decides, so that a round that was cut short is simply made again.

// FailOver goes once over the compute hosts that this conductor prefers, and has done what is due for those that are down
// and for the guests of those that are back.
func (c *Conductor) FailOver(ctx context.Context) error {
	if err := c.Guests.Moves.DropStrayPlaces(ctx); err != nil {
		return err
	}
	hosts, err := c.Guests.Hosts.List(ctx, ingot.HypervisorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return err
	}
	share := c.Pulse.preferred()
	var errs []error
	for i := range hosts {
		h := &hosts[i]
		if !share.Has(h.NodeUUID) {
			continue
		}
		var err error
		switch h.State {
		case ingot.HypervisorDown:
			err = c.hostIsLost(ctx, h)
		case ingot.HypervisorConnecting:
		default:
			err = c.hostIsBack(ctx, h)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("compute host %s: %w", h.NodeUUID, err))
		}
	}
	return errors.Join(errs...)
}

// guestsOf are the guests of a host that nothing works on.
func (c *Conductor) guestsOf(ctx context.Context, host string) ([]ingot.Node, error) {
	guests, err := c.children(ctx, host)
	return slices.DeleteFunc(guests, func(n ingot.Node) bool { return !n.IsGuest() || c.free(&n) != nil }), err
}

// hostIsLost says of the guests of a host that is down that nothing is known of them, and does what the operator wants to
// become of them.
func (c *Conductor) hostIsLost(ctx context.Context, h *ingot.Hypervisor) error {
	guests, err := c.guestsOf(ctx, h.NodeUUID)
	if err != nil {
		return err
	}
	for i := range guests {
		if err := c.lose(ctx, &guests[i], h); err != nil {
			return err
		}
	}
	node, err := c.Nodes.Node(ctx, h.NodeUUID)
	if err != nil {
		return err
	}
	switch why := mayRun(h, &node); {
	case why != "":
		if h.Fence == ingot.Fencing || h.Fence == ingot.Unfenced || h.OnHostFailure != ingot.FailureNone && h.Fence == "" && h.FenceReason != why {
			return c.noteFence(ctx, h.NodeUUID, "", why)
		}
		return nil
	case h.Fence == ingot.FencedOff:
		return c.recoverGuests(ctx, h, guests)
	case c.Now().Sub(h.DownSince) < c.Guests.LostAfter:
		return nil
	}
	return c.beginFence(ctx, h, &node)
}

// lose forgets the power of a guest whose host does not answer.
func (c *Conductor) lose(ctx context.Context, n *ingot.Node, h *ingot.Hypervisor) error {
	if n.PowerState == "" {
		return nil
	}
	reason := "its compute host " + h.NodeUUID + " is down: " + h.StateReason
	if h.OnHostFailure != ingot.FailureNone && n.ShouldRun() {
		if _, why := recoveryOf(h, n); why != "" {
			reason += "; it is not started elsewhere: " + why
		}
	}
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: n.UUID, Version: n.Version,
		Change: func(n *ingot.Node) error {
			n.LosePower()
			if !n.Maintenance {
				n.Maintenance, n.MaintenanceReason, n.Fault = true, reason, ingot.FaultPower
			}
			return nil
		},
		Events: []ingot.Event{{At: c.Now(), Type: "node.fault", Node: n.UUID, Data: map[string]any{"fault": ingot.FaultPower, "reason": reason}}},
	})
	return ignoreStale(err)
}

// recoverGuests begins to have the guests of a fenced host run elsewhere that ran there. Those that somebody works on, that
// carry nothing, or whose disk is lost with the host, stay.
func (c *Conductor) recoverGuests(ctx context.Context, h *ingot.Hypervisor, guests []ingot.Node) error {
	for i := range guests {
		n := &guests[i]
		if n.ProvisionState != ingot.Active || !n.ShouldRun() || n.Maintenance && n.Fault != ingot.FaultPower {
			continue
		}
		how, why := recoveryOf(h, n)
		if why != "" {
			continue
		}
		if err := c.beginRecovery(ctx, n, how); err != nil {
			return err
		}
	}
	return nil
}

// hostIsBack looks at the guests of a host that answers which ran when it was lost, or was switched off.
func (c *Conductor) hostIsBack(ctx context.Context, h *ingot.Hypervisor) error {
	guests, err := c.guestsOf(ctx, h.NodeUUID)
	guests = slices.DeleteFunc(guests, func(n ingot.Node) bool { return !n.RanWhenLost() })
	if err != nil || len(guests) == 0 {
		return err
	}
	host, err := c.Nodes.Node(ctx, h.NodeUUID) // after its guests: what is noted of one for the sake of its host's power is newer
	if err != nil || host.TargetPowerState != "" || host.PowerState == ingot.PowerOff {
		return err // it answers yet
	}
	for i := range guests {
		if err := c.guestIsBack(ctx, h, &guests[i]); err != nil {
			return err
		}
	}
	return nil
}

// guestIsBack records the power of a guest that ran when its host was lost, and starts one that is off, where the operator
// wants that.
func (c *Conductor) guestIsBack(ctx context.Context, h *ingot.Hypervisor, n *ingot.Node) error {
	var seen ingot.PowerState
	err := c.exchange(ctx, n, func(ctx context.Context, m ingot.Machine) (err error) {
		seen, err = m.PowerState(ctx)
		return err
	})
	if err != nil {
		c.Log.Info("a guest of a compute host that is back is not there", "guest", n.UUID, "host", h.NodeUUID, "error", err)
		return nil
	}
	_, refused := c.powerAllowed(n, ingot.TargetPowerOn)
	starts := seen == ingot.PowerOff && (h.Autostart || h.OnHostFailure != ingot.FailureNone) && refused == nil
	after, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Version: n.Version, Change: func(n *ingot.Node) error {
		n.PowerState = seen
		recovers(n)
		if !starts { // else it is remembered until its start is stored
			n.Found()
		}
		return nil
	}, Events: []ingot.Event{{At: c.Now(), Type: "node.power", Node: n.UUID, Data: map[string]any{"from": n.PowerState, "to": seen, "recovered": true}}}})
	if err != nil || !starts {
		return ignoreStale(err)
	}
	return ignoreStale(c.SetPower(ctx, after, ingot.TargetPowerOn, 0))
}

// clearStale does away with what a host that answers again has of guests that run elsewhere by now, before it counts as
// up: nothing of them may start. What cannot be cleared makes it degraded. Guests on their way there are theirs.
func (c *Conductor) clearStale(ctx context.Context, host string, f *ingot.HostFacts) error {
	var kept []ingot.UnmanagedDomain
	for _, domain := range f.Unmanaged {
		n, err := c.Nodes.Node(ctx, domain.UUID)
		if err != nil && ingot.CodeOf(err) != ingot.NotFound {
			return err
		}
		if err != nil || !n.IsGuest() { // nobody's
			kept = append(kept, domain)
			continue
		}
		err = c.mover(ctx, &n, host, func(ctx context.Context, m ingot.GuestMover) error {
			// Looked at again under the guest's lease, which whoever moves it needs.
			now, err := c.Nodes.Node(ctx, n.UUID)
			if err != nil || now.ParentNode == host {
				return err
			}
			coming, err := c.Guests.Moves.HasPlace(ctx, n.UUID, host)
			if err != nil || coming {
				return err
			}
			c.Log.Warn("a compute host has a guest that is another's: it is cleared", "host", host, "guest", n.UUID)
			return m.RetireGuest(ctx)
		})
		if err != nil {
			f.Problems = append(f.Problems, fmt.Sprintf("it has guest %s, which is on compute host %s: %v", n.UUID, n.ParentNode, err))
			kept = append(kept, domain)
		}
	}
	f.Unmanaged = kept
	return nil
}
