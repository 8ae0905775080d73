package conductor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// An instance goes on on another node, which its operation holds: what to_metal and to_guest have in common. Until the step
// become the operation's own node has the instance, and whatever fails ends with it running there again; that step gives it
// to the other one in one transaction, and from then on there is only forward.

// The keys of the operation's memory.
const (
	ranKey     = "guest_ran"  // whether the instance ran, and so whether it is to run
	stoppedKey = "stopped_at" // when it was told to stop, in seconds
)

// taker is the node that takes the instance over.
func (r *Run) taker() string {
	return firstText(ingot.Text(r.Op.Params, metalKey), ingot.Text(r.Op.Params, guestKey))
}

// takerOf is the pass over the node that takes the instance over. Before it has it, it is booted with what the instance's
// says.
func takerOf(ctx context.Context, r *Run) (*Run, error) {
	about, err := r.about(ctx, r.taker())
	if err == nil && !r.moved() {
		about.Node.InstanceInfo = r.Node.InstanceAt(about.Node)
	}
	return about, err
}

// moved says whether the other node has the instance.
func (r *Run) moved() bool { return r.Node.MovedTo() == r.taker() }

// before has a step hold at once where the instance has moved, after where it has not.
func before(s Step) Step { return when(false, s) }
func after(s Step) Step  { return when(true, s) }

func when(moved bool, s Step) Step {
	do := s.Do
	s.Do = func(ctx context.Context, r *Run) (Progress, error) {
		if r.moved() != moved {
			return Holds(), nil
		}
		return do(ctx, r)
	}
	return s
}

// back is a step under another name, on the way back.
func back(name string, s Step) Step {
	s.Name = name
	return s
}

// asksInterchange is the step of a list of service steps that has the instance go on elsewhere; "" is none.
func asksInterchange(steps []map[string]any) string {
	for _, s := range steps {
		if name := ingot.Text(s, "step"); ingot.Text(s, "interface") == "management" && slices.Contains([]string{toMetalStep, toGuestStep}, name) {
			return name
		}
	}
	return ""
}

// interchangeArgs are the arguments of a list that is that one step.
func interchangeArgs(name string, n *ingot.Node, req *ingot.ProvisionRequest) (map[string]any, error) {
	name = "management." + name
	switch {
	case len(req.ServiceSteps) != 1:
		return nil, ingot.Errorf(ingot.Invalid, "step %s is a list of its own: node %s has no instance after it", name, n.UUID)
	case req.ServiceSteps[0][onChildNodes] == true:
		return nil, ingot.Errorf(ingot.Invalid, "step %s is not for children: ask it of the node that has the instance", name)
	case req.DisableRamdisk:
		return nil, ingot.Errorf(ingot.Invalid, "step %s needs the ramdisk, on the metal: leave disable_ramdisk out", name)
	}
	args, _ := req.ServiceSteps[0]["args"].(map[string]any)
	return args, nil
}

// beginning is what begins an operation that has a node's instance go on elsewhere, save for the other node: its name in the
// operation's parameters, and what the node shows of the step.
func (c *Conductor) beginning(n ingot.Node, row ingot.Transition, req *ingot.ProvisionRequest, kind ingot.Kind, params, shows map[string]any) ingot.Start {
	now, step := c.Now(), ingot.Text(req.ServiceSteps[0], "step")
	history, event := c.shown(n, row.To, row.Target, req)
	operation := c.newOperation(kind, n.UUID, params, req.Requester, now)
	operation.Project = req.Project
	limited := c.limits(ingot.KindDeploy)
	return ingot.Start{
		Operation: operation, NodeVersion: n.Version, Replace: row.From.Class() == ingot.Held,
		Change: func(n *ingot.Node) {
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = row.To, row.Target, now, ""
			n.CleanStep, n.DeployStep = nil, nil
			n.ServiceStep = map[string]any{"interface": "management", "step": step, "args": shows}
			n.ForgetMoves()
		},
		History: []ingot.History{history}, Events: []ingot.Event{event},
		Limit: limited.Limit, LimitKinds: limited.LimitKinds, LimitName: limited.LimitName,
	}
}

// shown is a node's change of state, as its history and an event tell it.
func (c *Conductor) shown(n ingot.Node, to, target ingot.State, req *ingot.ProvisionRequest) (ingot.History, ingot.Event) {
	from, since := n.ProvisionState, n.ProvisionUpdatedAt
	n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt = to, target, c.Now()
	history, event := c.transition(&n, from, since, req.Requester)
	history.Project = req.Project
	return history, event
}

// goesOn says whether an error is about work that goes on behind, and when to ask again.
func goesOn(err error) (Progress, bool) {
	var e *ingot.Error
	if asError(err, &e) && e.Code == ingot.Unavailable && e.After > 0 {
		return NotYet(e.After, err.Error()), true
	}
	return Progress{}, false
}

// seen is the power of the pass's machine.
func (r *Run) seen(ctx context.Context) (power ingot.PowerState, err error) {
	err = r.BMC(ctx, func(ctx context.Context, m ingot.Machine) (err error) {
		power, err = m.PowerState(ctx)
		return err
	})
	return power, err
}

// stopInstance is the step that has the machine off: its system is asked first, and not for ever. Whether it ran is written
// down before.
func (c *Conductor) stopInstance(name string) Step {
	return Step{Name: name, Class: Ensure, Timeout: 2*c.Settings.PowerTimeout + time.Minute, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if _, known := r.Op.Memory[ranKey]; !known {
			seen, err := r.seen(ctx)
			if err != nil {
				return Progress{}, err
			}
			r.Remember(ranKey, seen == ingot.PowerOn)
			r.Remember(stoppedKey, float64(c.Now().UnixMilli())/1000)
			return NotYet(0, "it stops now"), nil
		}
		return c.hush(ctx, r)
	}}
}

// runAgain has the machine run that ran before.
func runAgain(ctx context.Context, r *Run) (Progress, error) {
	if r.Op.Memory[ranKey] != true {
		return Holds(), nil
	}
	return ensurePower(ctx, r, ingot.ActionOn)
}

// become gives the instance to the other node. Both machines are off: what ran since the disk was copied would be lost.
func (c *Conductor) become(ctx context.Context, r *Run) (Progress, error) {
	if r.moved() {
		return Holds(), nil
	}
	other, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	for _, x := range []*Run{r, other} {
		seen, err := x.seen(ctx)
		switch {
		case err != nil:
			return Progress{}, err
		case seen != ingot.PowerOff:
			return Progress{}, ingot.Fatalf("somebody started %s after the disk of %s was copied: the instance stays where it is", x.Node.Label(), r.Node.Label())
		}
		x.setPower(seen)
	}
	r.include(other)
	err = c.Guests.Instances.MoveInstance(ctx, ingot.InstanceMove{
		From: r.Node.UUID, To: other.Node.UUID, Operation: r.Op.UUID, Claim: r.Op.Claim, History: c.moveHistory(r, other.Node),
		Events: []ingot.Event{{At: r.Now, Type: "instance.moved", Node: other.Node.UUID, Data: map[string]any{
			"from": r.Node.UUID, "to": other.Node.UUID, "instance": r.Node.InstanceUUID, "operation": r.Op.UUID,
		}}},
	})
	if ingot.CodeOf(err) == ingot.Conflict {
		err = ingot.Fatal(plainly{err})
	}
	if err != nil {
		return Progress{}, err
	}
	return NotYet(0, "the instance is that of "+other.Node.Label()+" now"), nil // the next pass reads both anew
}

// wordOf is a node's word in sentences about an interchange.
func wordOf(n *ingot.Node) string {
	if n.IsGuest() {
		return "guest"
	}
	return "metal"
}

// moveHistory says on either node what has become of it.
func (c *Conductor) moveHistory(r *Run, other *ingot.Node) []ingot.History {
	line := func(node, sentence string, state, target ingot.State) ingot.History {
		return ingot.History{
			NodeUUID: node, CreatedAt: r.Now, Severity: "INFO", Type: r.historyType(), Event: sentence, User: r.Op.Requester, Project: r.Op.Project,
			Conductor: c.Hostname, State: state, TargetState: target,
		}
	}
	return []ingot.History{
		line(r.Node.UUID, "its instance went to "+other.Label(), ingot.Deleting, ingot.Available),
		line(other.UUID, "took the instance of "+wordOf(r.Node)+" "+r.Node.Label()+" over", ingot.Active, ""),
	}
}

// runOnTaker starts the other node from its disk, where the first one ran, and writes down for how long nothing did.
func (c *Conductor) runOnTaker(ctx context.Context, r *Run) (Progress, error) {
	if r.Op.Memory[ranKey] != true {
		return Holds(), nil
	}
	about, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	p, err := c.switchOn(ctx, about)
	if err == nil && p.holds {
		stopped, _ := r.Op.Memory[stoppedKey].(float64)
		down := c.Now().Sub(time.UnixMilli(int64(stopped * 1000))).Round(100 * time.Millisecond)
		from, to := wordOf(r.Node), wordOf(about.Node)
		sentence := fmt.Sprintf("the instance went from %s %s to %s: %s from the %s's stop to the %s's start", from, r.Node.UUID, about.Node.Label(), down, from, to)
		r.Record("INFO", r.historyType(), sentence)
		about.Record("INFO", about.historyType(), sentence)
		about.events = append(about.events, ingot.Event{At: r.Now, Type: "instance.runs", Node: about.Node.UUID, Data: map[string]any{
			"from": r.Node.UUID, "to": about.Node.UUID, "operation": r.Op.UUID, "downtime_seconds": down.Seconds(),
		}})
	}
	r.include(about)
	return p, err
}
