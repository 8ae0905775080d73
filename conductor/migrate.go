package conductor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-metal/ingot"
)

// destinationKey is the argument of the steps that move a guest: a compute host's name or UUID. Without it placement
// chooses.
const destinationKey = "destination"

func liveMigrate(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	return r.c.migrate(ctx, r, args, true)
}

func coldMigrate(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	return r.c.migrate(ctx, r, args, false)
}

// isGuest says whether a node is a guest that can be moved.
func isGuest(c *Conductor, n *ingot.Node) bool { return c.Guests != nil && n.IsGuest() }

// migrate moves the guest, one stage in each pass.
func (c *Conductor) migrate(ctx context.Context, r *Run, args map[string]any, live bool) (Progress, error) {
	m, destination := r.move(), ingot.Text(args, destinationKey)
	switch m.stage {
	case "":
		p, err := c.chooseHost(ctx, r, m, destination, nil)
		if ingot.CodeOf(err) == ingot.Conflict {
			err = ingot.Fatal(fmt.Errorf("%w", plainly{err}))
		}
		return p, err
	case moveChosen:
		return c.takePlace(ctx, r, m, destination != "")
	case movePlaced:
		return c.bringOver(ctx, r, m, live)
	case moveDone:
		return c.afterMove(ctx, r, m, live)
	}
	return Holds(), nil
}

// plainly is an error without its code.
type plainly struct{ err error }

func (p plainly) Error() string { return p.err.Error() }

// bringOver looks at both hosts and does what is next.
func (c *Conductor) bringOver(ctx context.Context, r *Run, m move, live bool) (Progress, error) {
	here, there, err := c.seeBoth(ctx, r.Node, m)
	switch {
	case err != nil:
		return Progress{}, err
	case there.Runs():
		if here.Power == ingot.PowerOn { // stands still, and must never go on
			return NotYet(c.Settings.Poll, "waiting for the host that it came from to let go"), c.halt(ctx, r, m)
		}
		return c.arrive(ctx, r, m, false)
	case here.Moving != "" || there.Moving != "": // in the waiting state, from which an abort calls it off
		return ForAgent(c.Settings.Poll, here.Moving+there.Moving), nil
	case there.Power == ingot.PowerOn: // left over of a transfer that broke off: its libvirt ends it
		return NotYet(c.Settings.Poll, "waiting for compute host "+m.to+" to let go"), c.mover(ctx, r.Node, m.to, retire)
	case here.Halted:
		return NotYet(0, "the transfer broke off: it goes on where it was"), c.mover(ctx, r.Node, m.from, func(ctx context.Context, g ingot.GuestMover) error { return g.ResumeGuest(ctx) })
	case here.Stays != "":
		return Progress{}, ingot.Fatalf("%s cannot be moved: %s", r.Node.Label(), here.Stays)
	case live && here.Power == ingot.PowerOff:
		return Progress{}, ingot.Fatalf("%s is off: use cold_migrate", r.Node.Label())
	case !live && here.Power == ingot.PowerOff:
		if err := r.plugPorts(ctx); err != nil { // what is sent has to have the cards of its ports
			return Progress{}, err
		}
	case !live && here.Power == ingot.PowerOn:
		if !m.ran {
			m.ran = true
			r.setMove(m)
			return NotYet(0, "it will run again when it has arrived"), nil
		}
		return c.quiet(ctx, r)
	}
	return c.transfer(ctx, r, m, live)
}

func retire(ctx context.Context, g ingot.GuestMover) error { return g.RetireGuest(ctx) }

// halt ends the copy of a guest that stands still on its old host while the other one runs it.
func (c *Conductor) halt(ctx context.Context, r *Run, m move) error {
	return c.mover(ctx, r.Node, m.from, func(ctx context.Context, g ingot.GuestMover) error {
		if s, err := g.SeeGuest(ctx); err != nil || !s.Halted || s.Moving != "" {
			return err
		}
		return g.RetireGuest(ctx)
	})
}

// quiet has the guest off before it is looked at again.
func (c *Conductor) quiet(ctx context.Context, r *Run) (Progress, error) {
	if p, err := c.hush(ctx, r); err != nil || !p.holds {
		return p, err
	}
	return NotYet(0, "it is off"), nil
}

// hush has the guest off: its system is asked first, and not for ever.
func (c *Conductor) hush(ctx context.Context, r *Run) (Progress, error) {
	action := ingot.ActionSoftOff
	if r.Now.Sub(r.Op.StepSince) > c.Settings.PowerTimeout {
		action = ingot.ActionOff
	}
	p, err := ensurePower(ctx, r, action)
	if ingot.CodeOf(err) == ingot.Unsupported && action == ingot.ActionSoftOff { // nothing can ask it
		return ensurePower(ctx, r, ingot.ActionOff)
	}
	return p, err
}

// transfer sends the guest. One that failed is looked at again, and begun again a few times.
func (c *Conductor) transfer(ctx context.Context, r *Run, m move, live bool) (Progress, error) {
	err := c.mover(ctx, r.Node, m.from, func(ctx context.Context, g ingot.GuestMover) error {
		return g.SendGuest(ctx, ingot.GuestMove{To: m.to, Key: fmt.Sprintf("%s/%d/%d", r.Op.UUID, r.Op.Slot, m.failures), Ports: r.Ports, Live: live})
	})
	switch {
	case err == nil && live:
		return NotYet(0, "it has been sent"), nil
	case err == nil:
		return c.arrive(ctx, r, m, false)
	case ingot.IsFatal(err), ingot.CodeOf(err) == ingot.Unavailable, wasNotAsked(err):
		return Progress{}, err
	case m.failures+1 >= moveTries:
		return Progress{}, ingot.Fatalf("gave up after %d transfers that failed: %w", m.failures+1, err)
	}
	m.failures++
	r.setMove(m)
	return NotYet(c.Settings.Poll, err.Error()), nil
}

// wasNotAsked says whether an error says nothing of the host.
func wasNotAsked(err error) bool {
	_, missed := errors.AsType[notAsked](err)
	return missed
}

// afterMove clears the host that the guest came from, and has one run again that was off for the move.
func (c *Conductor) afterMove(ctx context.Context, r *Run, m move, live bool) (Progress, error) {
	if err := c.leaveBehind(ctx, r, m); err != nil {
		return Progress{}, err
	}
	if !live && m.ran {
		if p, err := ensurePower(ctx, r, ingot.ActionOn); err != nil || !p.holds {
			return p, err
		}
	}
	r.Record("INFO", r.historyType(), fmt.Sprintf("moved from compute host %s to %s", m.from, m.to))
	c.WakeHypervisor(m.from)
	m.stage = moveEnded
	r.setMove(m)
	return Holds(), nil
}

// settleMove is the step that leaves one live copy of a guest and one place for it after a move that was broken off: where
// it runs, it stays.
func (c *Conductor) settleMove() Step {
	return Step{Name: "settle-move", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		switch m := r.move(); m.stage {
		case moveChosen, movePlaced:
			return c.takeBack(ctx, r, m)
		case moveDone:
			return c.afterMove(ctx, r, m, !m.ran)
		}
		return Holds(), nil
	}}
}

// takeBack ends a move before the guest has arrived; one that has arrived meanwhile stays there.
func (c *Conductor) takeBack(ctx context.Context, r *Run, m move) (Progress, error) {
	here, there, err := c.seeBoth(ctx, r.Node, m)
	if err != nil {
		return Progress{}, err
	}
	from := func(do func(context.Context, ingot.GuestMover) error) error { return c.mover(ctx, r.Node, m.from, do) }
	switch {
	case here.Moving != "" || there.Moving != "":
		return NotYet(c.Settings.Poll, "breaking off the transfer"), from(func(ctx context.Context, g ingot.GuestMover) error { return g.StopSending(ctx) })
	case there.Runs() && here.Power == ingot.PowerOn:
		return NotYet(c.Settings.Poll, "waiting for the host that it came from to let go"), c.halt(ctx, r, m)
	case there.Runs():
		return c.arrive(ctx, r, m, false)
	case here.Halted:
		return NotYet(0, "it goes on where it was"), from(func(ctx context.Context, g ingot.GuestMover) error { return g.ResumeGuest(ctx) })
	}
	if err := from(func(ctx context.Context, g ingot.GuestMover) error { return g.StopSending(ctx) }); err != nil {
		return Progress{}, err
	}
	if err := c.mover(ctx, r.Node, m.to, retire); err != nil {
		return Progress{}, err
	}
	if err := c.Guests.Moves.LeavePlace(ctx, r.place(m.to)); err != nil {
		return Progress{}, err
	}
	if m.ran {
		if p, err := ensurePower(ctx, r, ingot.ActionOn); err != nil || !p.holds {
			return p, err
		}
	}
	m.stage = moveEnded
	r.setMove(m)
	return Holds(), nil
}

// checkMoves refuses steps of a request that move guests and cannot.
func (c *Conductor) checkMoves(ctx context.Context, n *ingot.Node, steps []map[string]any) error {
	for _, step := range steps {
		name := ingot.Text(step, "step")
		if ingot.Text(step, "interface") != "management" || !slices.Contains([]string{liveMigrateStep, coldMigrateStep, evacuateStep}, name) {
			continue
		}
		args, _ := step["args"].(map[string]any)
		for key, v := range args {
			if text, isText := v.(string); name == evacuateStep || key != destinationKey || !isText || text == "" {
				return ingot.Errorf(ingot.Invalid, "step management.%s takes no argument %s: %v", name, key, v)
			}
		}
		if err := c.checkMove(ctx, n, name, ingot.Text(args, destinationKey)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conductor) checkMove(ctx context.Context, n *ingot.Node, name, destination string) error {
	if name == evacuateStep {
		if !isHost(c, n) {
			return ingot.Errorf(ingot.Invalid, "cannot carry out step management.%s: node %s is no compute host", name, n.UUID)
		}
		_, err := c.Guests.Hosts.Get(ctx, n.UUID)
		return err
	}
	hosts, err := c.hostsFor(ctx, n)
	switch {
	case err != nil:
		return err
	case !n.IsGuest():
		return ingot.Errorf(ingot.Invalid, "cannot carry out step management.%s: node %s is no guest", name, n.UUID)
	case name == liveMigrateStep && n.PowerState == ingot.PowerOff:
		return ingot.Errorf(ingot.Conflict, "guest %s is off: use cold_migrate", n.UUID)
	case destination == "":
		return nil
	}
	host, err := namedHost(hosts, destination)
	if err == nil && host == n.ParentNode {
		err = ingot.Errorf(ingot.Conflict, "guest %s is on compute host %s already", n.UUID, destination)
	}
	return err
}

// The steps that move guests.
const (
	liveMigrateStep = "live_migrate"
	coldMigrateStep = "cold_migrate"
	evacuateStep    = "evacuate_guests"
)
