package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// The way back of to_metal, and the end of the guest after it.

// keepGuest is what follows a failure. As long as the guest is the instance it runs again, before anything else where the
// metal's disk was not touched, and else when the metal was seen to be off: it may hold a copy that boots. Where the metal
// is the instance, it is the one that runs.
func (c *Conductor) keepGuest() []Step {
	return []Step{
		before(Step{Name: "keep-guest", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
			if r.metalTouched() {
				return Holds(), nil
			}
			return runAgain(ctx, r)
		}}),
		before(on(takerOf, c.powerOff("abort-power-off"))),
		before(on(takerOf, Step{Name: "abort-boot", Class: Ensure, Do: bootNothing})),
		before(Step{Name: "guest-again", Class: Ensure, Do: runAgain}),
		after(on(takerOf, back("abort-disk-boot", c.diskBoot()))),
		after(back("abort-power-on", Step{Class: Ensure, Do: c.runOnTaker})),
		{Name: "let-go", Class: Ensure, Do: c.letMetalGo},
	}
}

// metalTouched says whether an agent may have been told to write.
func (r *Run) metalTouched() bool { return r.Op.Memory[imageMemory] != nil }

// letMetalGo gives back what was taken. Metal whose disk was not touched is available as before; any other has to be
// cleaned first, which deleted does.
func (c *Conductor) letMetalGo(ctx context.Context, r *Run) (Progress, error) {
	if err := c.Disks.DropDisk(r.Op.UUID); err != nil {
		return Progress{}, err
	}
	if r.moved() {
		return Holds(), nil
	}
	metal := ingot.Text(r.Op.Params, metalKey)
	if err := c.Blobs.DeleteBlob(ctx, configDriveKey(metal)); err != nil {
		return Progress{}, err
	}
	about, err := r.about(ctx, metal)
	if err != nil {
		return Progress{}, err
	}
	why := fmt.Sprintf("guest %s stays where it is: %s", r.Node.UUID, r.Op.Error)
	about.Record("WARNING", about.historyType(), why)
	if r.metalTouched() {
		about.SetState(ingot.DeployFailed, ingot.Active)
		about.Change(func(n *ingot.Node) { n.LastError = why })
	} else {
		about.SetState(ingot.Available, "")
	}
	r.include(about)
	return Holds(), nil
}

// leftMetal ends what an operation that failed could not end: metal that may run, or is not known to be off.
func leftMetal(r *Run) {
	reason := fmt.Sprintf("cannot make the machine safe after a failure: it was to take over guest %s: %s", r.Node.UUID, r.Op.Error)
	metal := ingot.Text(r.Op.Params, metalKey)
	if !r.moved() && r.metalTouched() {
		r.Change(func(n *ingot.Node) { n.SetCopiedTo(metal) })
	}
	r.others = append(r.others, ingot.NodeResult{UUID: metal, Changes: []func(*ingot.Node){func(n *ingot.Node) {
		if ingot.WorkOf(n.ProvisionState) != ingot.Deploying || n.MovedFrom() == r.Node.UUID {
			return
		}
		n.ProvisionState, n.TargetProvisionState, n.LastError = ingot.DeployFailed, ingot.Active, reason
		n.Maintenance, n.MaintenanceReason, n.Fault = true, reason, ingot.FaultPower
	}}})
}

// emptyGuest has nothing left of the instance on the guest that it came from, which is to be available. One that was made
// for an allocation then goes away by itself.
func (c *Conductor) emptyGuest(ctx context.Context, r *Run) (Progress, error) {
	if p, err := ensurePower(ctx, r, ingot.ActionOff); err != nil || !p.holds {
		return p, err
	}
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		maker, able := ingot.As[ingot.GuestMaker](m)
		if !able {
			return unsupported(r.Node, toMetalStep)
		}
		if err := maker.ConfigDrive(ctx, nil); err != nil {
			return err
		}
		return maker.BlankDisk(ctx)
	})
	if err != nil {
		return Progress{}, fmt.Errorf("cannot empty guest %s: %w", r.Node.Label(), err)
	}
	if err := c.Disks.DropDisk(r.Op.UUID); err != nil {
		return Progress{}, err
	}
	if err := c.Blobs.DeleteBlob(ctx, configDriveKey(r.Node.UUID)); err != nil {
		return Progress{}, err
	}
	r.Change(func(n *ingot.Node) {
		n.ForgetMoves()
		endLease(n)
	})
	return Holds(), nil
}

// noCopyRuns is the step that has metal off which may hold a copy of the guest's instance, before the guest starts again.
func (c *Conductor) noCopyRuns() Step {
	return Step{Name: "no-copy-runs", State: ingot.Servicing, Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		id := r.Node.CopiedTo()
		if id == "" {
			return Holds(), nil
		}
		metal, err := c.Nodes.Node(ctx, id)
		switch {
		case ingot.CodeOf(err) == ingot.NotFound:
		case err != nil:
			return Progress{}, err
		case metal.ProvisionState == ingot.DeployFailed: // any other verb has done away with the copy
			if p, err := c.bring(ctx, r, "node", []ingot.Node{metal}, ingot.TargetPowerOff); err != nil || !p.holds {
				return p, err
			}
		}
		r.Change(func(n *ingot.Node) { n.SetCopiedTo("") })
		return Holds(), nil
	}}
}
