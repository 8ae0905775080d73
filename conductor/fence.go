package conductor

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// fakeDriver is the hardware type of machines that are pretended: nothing can be made sure of by their power.
const fakeDriver = "fake-hardware"

// fencePlan makes sure that a compute host which is lost is off, by its BMC alone: nothing of it may run when its guests
// are started elsewhere. It goes on until the power was seen to be off, or the host is not lost any more.
func (c *Conductor) fencePlan() Plan {
	return Plan{Steps: []Step{
		{Name: "is-lost", Class: Ensure, Timeout: fencePatience, Do: c.isLost},
		{Name: "fence", Class: Ensure, Timeout: fencePatience, Do: c.fence},
		{Name: "fenced", Class: Ensure, Do: c.fenced},
	}}
}

const (
	// fencePatience is how long one fencing goes on; another is begun after it.
	fencePatience = 24 * time.Hour
	// calledOff and seenOff are keys of a fencing's memory: why there is nothing to fence, and when the power was first
	// seen to be off.
	calledOff = "called_off"
	seenOff   = "seen_off"
)

// isLost looks whether the host is to be fenced at all: it may have come back, or somebody works on it. One whose
// libvirt answers on a new connection is not lost, however busy the kept one is.
func (c *Conductor) isLost(ctx context.Context, r *Run) (Progress, error) {
	h, err := c.Guests.Hosts.Get(ctx, r.Node.UUID)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		r.Remember(calledOff, "it is no compute host any more")
		return Holds(), nil
	case err != nil:
		return Progress{}, err
	}
	if why := mayRun(&h, r.Node); why != "" {
		r.Remember(calledOff, why)
		return Holds(), nil
	}
	if c.Guests.Prober.Answers(ctx, h) == nil {
		r.Remember(calledOff, "it answers")
		c.WakeHypervisor(h.NodeUUID)
		return Holds(), nil
	}
	return Holds(), c.noteFence(ctx, h.NodeUUID, ingot.Fencing, "")
}

// mayRun is why a host is left alone; "" for one that is to be fenced.
func mayRun(h *ingot.Hypervisor, n *ingot.Node) string {
	switch {
	case h.State != ingot.HypervisorDown:
		return "it is not down"
	case h.OnHostFailure == ingot.FailureNone:
		return "on_host_failure is none"
	case n.Maintenance && n.Fault != ingot.FaultPower:
		return "it is in maintenance"
	}
	return ""
}

// fence has the power off, and sees twice that it is: a command that was on its way may land after the first look. What
// a BMC cannot do now it may do later.
func (c *Conductor) fence(ctx context.Context, r *Run) (Progress, error) {
	if r.Op.Memory[calledOff] != nil {
		return Holds(), nil
	}
	if h, err := c.Guests.Hosts.Get(ctx, r.Node.UUID); err == nil && r.Op.Memory[seenOff] == nil {
		if why := mayRun(&h, r.Node); why != "" {
			r.Remember(calledOff, why)
			return Holds(), nil
		}
	}
	p, err := ensurePower(ctx, r, ingot.ActionOff)
	if err != nil {
		if wasNotAsked(err) {
			return Progress{}, err
		}
		if noted := c.noteFence(ctx, r.Node.UUID, ingot.Unfenced, err.Error()); noted != nil {
			return Progress{}, noted
		}
		return Progress{}, fmt.Errorf("cannot fence: %w", plainly{err})
	}
	switch {
	case !p.holds:
		delete(r.Op.Memory, seenOff)
		return NotYet(powerPoll, p.note), nil
	case r.Op.Memory[seenOff] == nil:
		r.Remember(seenOff, true)
		return NotYet(powerPoll, "its power is off; looking once more"), nil
	}
	return Holds(), nil
}

// fenced writes down that the host is off, while it is lost.
func (c *Conductor) fenced(ctx context.Context, r *Run) (Progress, error) {
	if why := ingot.Text(r.Op.Memory, calledOff); why != "" {
		r.Record("INFO", r.historyType(), "this compute host is not fenced: "+why)
		return Holds(), c.noteFence(ctx, r.Node.UUID, "", "")
	}
	if err := c.noteFence(ctx, r.Node.UUID, ingot.FencedOff, ""); err != nil {
		return Progress{}, err
	}
	r.Record("WARNING", r.historyType(), "this compute host was lost, and is fenced: its BMC says that its power is off")
	r.events = append(r.events, ingot.Event{At: r.Now, Type: "hypervisor.fenced", Node: r.Node.UUID, Data: map[string]any{"operation": r.Op.UUID}})
	c.WakeHypervisor("")
	return Holds(), nil
}

// noteFence writes down how far it is with fencing a host that is down; of one that is not there is nothing to say.
func (c *Conductor) noteFence(ctx context.Context, host string, state ingot.FenceState, reason string) error {
	_, err := c.Guests.Hosts.Change(ctx, host, 0, func(h *ingot.Hypervisor) error {
		if h.State != ingot.HypervisorDown {
			state, reason = "", ""
		}
		h.Fence, h.FenceReason = state, reason
		return nil
	})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

// cannotFence is why nothing can make sure that a host is off; nil where its BMC can.
func (c *Conductor) cannotFence(n *ingot.Node) error {
	machine, _, err := c.Machines.Machine(n)
	if err != nil {
		return err
	}
	if _, manual := ingot.As[ingot.Manual](machine); manual || n.Driver == fakeDriver {
		return fmt.Errorf("node %s of driver %s has no BMC: nothing can make sure that it is off, and nothing is started elsewhere", n.UUID, n.Driver)
	}
	if n.DisablePowerOff {
		return fmt.Errorf("node %s has disable_power_off set: it cannot be made sure that it is off, and nothing is started elsewhere", n.UUID)
	}
	return nil
}

// beginFence begins the fencing of a host; one that is under way goes on.
func (c *Conductor) beginFence(ctx context.Context, h *ingot.Hypervisor, n *ingot.Node) error {
	if err := c.cannotFence(n); err != nil {
		if h.Fence == ingot.Unfenced && h.FenceReason == err.Error() {
			return nil
		}
		c.Log.Error("a compute host is lost and cannot be fenced", "host", n.UUID, "error", err)
		return c.noteFence(ctx, n.UUID, ingot.Unfenced, err.Error())
	}
	now := c.Now()
	_, err := c.Operations.StartOperation(ctx, ingot.Start{
		Operation: c.newOperation(ingot.KindFence, n.UUID, nil, "", now), NodeVersion: n.Version,
		Events: []ingot.Event{{At: now, Type: "hypervisor.lost", Node: n.UUID, Data: map[string]any{"reason": h.StateReason, "policy": h.OnHostFailure}}},
	})
	switch ingot.CodeOf(err) {
	case ingot.Locked:
		if live, look := c.Operations.LiveOperation(ctx, n.UUID, ingot.LaneProvision); look == nil && live.Kind != ingot.KindFence {
			return c.noteFence(ctx, n.UUID, ingot.Unfenced, fmt.Sprintf("node %s is being worked on (%s)", n.UUID, live.Kind))
		}
		return nil
	case ingot.Conflict:
		return nil
	}
	return err
}
