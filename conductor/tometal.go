package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// A guest's instance goes on on metal. Until the step become the guest is the instance, and whatever fails ends with the
// metal off and the guest running again; that step gives the instance to the metal in one transaction, and from then on
// there is only forward.

// toMetalStep is the service step, of interface management, that people ask for.
const toMetalStep = "to_metal"

// The keys of the operation's parameters and memory.
const (
	metalKey = "metal" // the node that takes over, chosen and taken when the operation was begun
	sentKey  = "sent"  // the command that has the agent write the copy
)

// toMetalPlan is to_metal. The names of the metal's steps are those of a deploy; a new attempt begins at its power-off.
func (c *Conductor) toMetalPlan() Plan {
	metal := func(s Step) Step { return on(takerOf, s) }
	live := c.powerOn("power-on-instance")
	return Plan{
		Steps: []Step{
			{Name: "check", State: ingot.Servicing, Class: Ensure, Do: c.canExport},
			metal(c.powerOff(firstPowerOff)),
			metal(c.netboot("deploy")),
			metal(c.powerOn("power-on")),
			metal(c.callIn()),
			{Name: "config-drive", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
				if !fromImage(r.Node) { // an agent wrote it: it is on the disk, and goes along as it is
					return Holds(), nil
				}
				return bringConfigDrive(ctx, r)
			}},
			c.stopInstance("stop-guest"),
			{Name: "copy-disk", Class: Ensure, Timeout: c.Settings.CommandTimeout, Do: c.copyDisk},
			{Name: "write-image", Class: Once, Timeout: c.Settings.CommandTimeout, Do: c.writeCopy},
			metal(Step{Name: "boot-entry", Class: Once, Do: installBootloader}),
			metal(Step{Name: "sync", Class: Ensure, Do: syncDisks}),
			metal(c.powerOff("power-off-agent")),
			{Name: "become", Class: Ensure, Do: c.become},
			metal(c.diskBoot()),
			{Name: live.Name, Class: Ensure, Timeout: live.Timeout, Do: c.runOnTaker},
			{Name: "remove-guest", Class: Ensure, Do: c.emptyGuest},
		},
		Abort:  c.keepGuest(),
		Cancel: c.keepGuest(),
		Finish: func(r *Run) { r.Change(func(n *ingot.Node) { n.ServiceStep = nil }) },
		Unsafe: leftMetal,
	}
}

// exporter talks to the guest's host about its disk.
func (r *Run) exporter(ctx context.Context, talk func(context.Context, ingot.GuestExporter) error) error {
	return manage(ctx, r.c, r.Node, toMetalStep, talk)
}

// canExport refuses a guest whose disk cannot be given out, before anything is done.
func (c *Conductor) canExport(ctx context.Context, r *Run) (Progress, error) {
	err := r.exporter(ctx, func(ctx context.Context, m ingot.GuestExporter) error { return m.CanExport(ctx) })
	if err != nil {
		return Progress{}, fmt.Errorf("cannot take %s to metal: %w", r.Node.Label(), err)
	}
	return Holds(), nil
}

// copyDisk has a copy of the guest's disk on this machine, where the agent can fetch it.
func (c *Conductor) copyDisk(ctx context.Context, r *Run) (Progress, error) {
	ready, err := c.Disks.KeptDisk(ctx, r.Op.UUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = r.exporter(ctx, func(ctx context.Context, m ingot.GuestExporter) error {
			return m.ExportDisk(ctx, r.Op.UUID, func(format string) (ingot.DiskCopy, error) { return c.Disks.NewDisk(r.Op.UUID, format) })
		})
		if err == nil {
			return NotYet(0, "its disk is copied"), nil
		}
	}
	if p, is := goesOn(err); is {
		return p, nil
	}
	if err != nil {
		err = fmt.Errorf("cannot copy the disk of %s: %w", r.Node.Label(), err)
		if r.Op.Tries >= silentTries { // nothing runs meanwhile
			err = ingot.Fatal(err)
		}
		return Progress{}, err
	}
	rememberImage(r, ready)
	return Holds(), nil
}

// writeCopy has the metal's agent write the copy, once in an attempt. Another process than the one that made the copy has
// none to give, and makes its own before it tells the agent anything.
func (c *Conductor) writeCopy(ctx context.Context, r *Run) (Progress, error) {
	if r.Op.Memory[sentKey] != r.commandID() {
		if p, err := c.copyDisk(ctx, r); err != nil || !p.holds {
			return p, err
		}
	}
	about, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	p, err := on(func(context.Context, *Run) (*Run, error) { return about, nil }, Step{Do: writeImage}).Do(ctx, r)
	if err == nil && p.back == "" {
		r.Remember(sentKey, r.commandID())
	}
	return p, err
}
