package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// The way back of to_guest, and what becomes of the server after it.

// keepMetal is what follows a failure. As long as the server has the instance it boots its own disk again, which nobody has
// written to, if it was stopped at all. Where the guest has it, that one runs.
func (c *Conductor) keepMetal() []Step {
	stopped := func(s Step) Step {
		do := s.Do
		s.Do = func(ctx context.Context, r *Run) (Progress, error) {
			if _, known := r.Op.Memory[ranKey]; !known {
				return Holds(), nil
			}
			return do(ctx, r)
		}
		return before(s)
	}
	return []Step{
		stopped(c.powerOff("abort-power-off")),
		stopped(back("abort-boot", c.diskBoot())),
		stopped(Step{Name: "metal-again", Class: Ensure, Do: runAgain}),
		after(on(takerOf, back("abort-disk-boot", c.diskBoot()))),
		after(back("abort-power-on", Step{Class: Ensure, Do: c.runOnTaker})),
		{Name: "let-go", Class: Ensure, Do: c.letGuestGo},
	}
}

// letGuestGo leaves nothing of what was made on the way: the copies, and the guest where it has not become the instance. It
// was made for this alone: it goes away, with its claim, as one goes that was made for an allocation that is gone.
func (c *Conductor) letGuestGo(ctx context.Context, r *Run) (Progress, error) {
	for attempt := range r.Op.Attempt {
		if err := c.Disks.DropDisk(copyKeyOf(r.Op.UUID, attempt+1)); err != nil {
			return Progress{}, err
		}
	}
	if r.moved() {
		return Holds(), nil
	}
	if err := c.Blobs.DeleteBlob(ctx, configDriveKey(r.taker())); err != nil {
		return Progress{}, err
	}
	about, err := r.about(ctx, r.taker())
	if err != nil {
		return Progress{}, err
	}
	why := fmt.Sprintf("the instance stays on %s: %s", r.Node.Label(), r.Op.Error)
	about.Record("WARNING", about.historyType(), why)
	about.SetState(ingot.Enroll, "")
	about.Change(func(n *ingot.Node) { n.LastError = why })
	r.include(about)
	return Holds(), nil
}

// leftGuest ends what an operation that failed could not end. A guest that has not become the instance was never started,
// and goes.
func leftGuest(r *Run) {
	if r.moved() {
		return
	}
	reason := fmt.Sprintf("the instance stays on %s: %s", r.Node.Label(), r.Op.Error)
	r.others = append(r.others, ingot.NodeResult{UUID: r.taker(), Changes: []func(*ingot.Node){func(n *ingot.Node) {
		if ingot.WorkOf(n.ProvisionState) == ingot.Deploying {
			n.ProvisionState, n.TargetProvisionState, n.LastError = ingot.Enroll, "", reason
		}
	}}})
}

// clearMetal has the server, whose disk is still a copy of the instance, taken down as one is whose instance was deleted. It
// is cleaned whatever is said of cleaning: see cleans.
func (c *Conductor) clearMetal(r *Run) {
	r.Change(func(n *ingot.Node) { n.ServiceStep = nil })
	next := c.newOperation(ingot.KindDelete, r.Node.UUID, map[string]any{}, r.Op.Requester, r.Now)
	next.Project = r.Op.Project
	r.following = &next
}
