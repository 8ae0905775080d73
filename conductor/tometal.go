package conductor

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// A guest's instance goes on on metal. Until the step become the guest is the instance, and whatever fails ends with the
// metal off and the guest running again; that step gives the instance to the metal in one transaction, and from then on
// there is only forward.

// toMetalStep is the service step, of interface management, that people ask for.
const toMetalStep = "to_metal"

// The keys of the operation's parameters and memory.
const (
	metalKey   = "metal"      // the node that takes over, chosen and taken when the operation was begun
	ranKey     = "guest_ran"  // whether the guest ran, and so whether the metal is to run
	stoppedKey = "stopped_at" // when it was told to stop, in seconds
	sentKey    = "sent"       // the command that has the agent write the copy
)

// toMetalPlan is to_metal. The names of the metal's steps are those of a deploy; a new attempt begins at its power-off.
func (c *Conductor) toMetalPlan() Plan {
	metal := func(s Step) Step { return on(metalOf, s) }
	live := c.powerOn("power-on-instance")
	return Plan{
		Steps: []Step{
			{Name: "check", State: ingot.Servicing, Class: Ensure, Do: c.canExport},
			metal(c.powerOff(firstPowerOff)),
			metal(c.netboot("deploy")),
			metal(c.powerOn("power-on")),
			metal(c.callIn()),
			{Name: "config-drive", Class: Ensure, Do: bringConfigDrive},
			{Name: "stop-guest", Class: Ensure, Timeout: 2*c.Settings.PowerTimeout + time.Minute, Do: c.stopGuest},
			{Name: "copy-disk", Class: Ensure, Timeout: c.Settings.CommandTimeout, Do: c.copyDisk},
			{Name: "write-image", Class: Once, Timeout: c.Settings.CommandTimeout, Do: c.writeCopy},
			metal(Step{Name: "boot-entry", Class: Once, Do: installBootloader}),
			metal(Step{Name: "sync", Class: Ensure, Do: syncDisks}),
			metal(c.powerOff("power-off-agent")),
			{Name: "become", Class: Ensure, Do: c.becomeMetal},
			metal(c.diskBoot()),
			{Name: live.Name, Class: Ensure, Timeout: live.Timeout, Do: c.runOnMetal},
			{Name: "remove-guest", Class: Ensure, Do: c.emptyGuest},
		},
		Abort:  c.keepGuest(),
		Cancel: c.keepGuest(),
		Finish: func(r *Run) { r.Change(func(n *ingot.Node) { n.ServiceStep = nil }) },
		Unsafe: leftMetal,
	}
}

// metalOf is the pass over the metal. Before it has the instance, it is booted with what the guest's says.
func metalOf(ctx context.Context, r *Run) (*Run, error) {
	about, err := r.about(ctx, ingot.Text(r.Op.Params, metalKey))
	if err == nil && !r.moved() {
		about.Node.InstanceInfo = r.Node.InstanceAt(about.Node)
	}
	return about, err
}

// moved says whether the metal has the instance.
func (r *Run) moved() bool { return r.Node.MovedTo() == ingot.Text(r.Op.Params, metalKey) }

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

// stopGuest has the guest off: its system is asked first, and not for ever. Whether it ran is written down before.
func (c *Conductor) stopGuest(ctx context.Context, r *Run) (Progress, error) {
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
}

// seen is the power of the pass's machine.
func (r *Run) seen(ctx context.Context) (power ingot.PowerState, err error) {
	err = r.BMC(ctx, func(ctx context.Context, m ingot.Machine) (err error) {
		power, err = m.PowerState(ctx)
		return err
	})
	return power, err
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
	var e *ingot.Error
	switch {
	case asError(err, &e) && e.Code == ingot.Unavailable && e.After > 0: // it goes on
		return NotYet(e.After, err.Error()), nil
	case err != nil:
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
	about, err := metalOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	p, err := on(func(context.Context, *Run) (*Run, error) { return about, nil }, Step{Do: writeImage}).Do(ctx, r)
	if err == nil && p.back == "" {
		r.Remember(sentKey, r.commandID())
	}
	return p, err
}

// becomeMetal gives the instance to the metal, which is off, as the guest must still be: what ran since its disk was copied
// would be lost.
func (c *Conductor) becomeMetal(ctx context.Context, r *Run) (Progress, error) {
	if r.moved() {
		return Holds(), nil
	}
	seen, err := r.seen(ctx)
	switch {
	case err != nil:
		return Progress{}, err
	case seen != ingot.PowerOff:
		return Progress{}, ingot.Fatalf("somebody started %s after its disk was copied: it stays where it is", r.Node.Label())
	}
	metal := ingot.Text(r.Op.Params, metalKey)
	other, err := c.Nodes.Node(ctx, metal)
	if err != nil {
		return Progress{}, err
	}
	err = c.Guests.Instances.MoveInstance(ctx, ingot.InstanceMove{
		From: r.Node.UUID, To: metal, Operation: r.Op.UUID, Claim: r.Op.Claim, History: c.moveHistory(r, &other),
		Events: []ingot.Event{{At: r.Now, Type: "instance.moved", Node: metal, Data: map[string]any{"from": r.Node.UUID, "to": metal, "instance": r.Node.InstanceUUID, "operation": r.Op.UUID}}},
	})
	if ingot.CodeOf(err) == ingot.Conflict {
		err = ingot.Fatal(plainly{err})
	}
	if err != nil {
		return Progress{}, err
	}
	return NotYet(0, "the instance is that of "+other.Label()+" now"), nil // the next pass reads both anew
}

// moveHistory says on either node what has become of it.
func (c *Conductor) moveHistory(r *Run, metal *ingot.Node) []ingot.History {
	line := func(node, sentence string, state, target ingot.State) ingot.History {
		return ingot.History{
			NodeUUID: node, CreatedAt: r.Now, Severity: "INFO", Type: r.historyType(), Event: sentence, User: r.Op.Requester, Project: r.Op.Project,
			Conductor: c.Hostname, State: state, TargetState: target,
		}
	}
	return []ingot.History{
		line(r.Node.UUID, "its instance went to "+metal.Label(), ingot.Deleting, ingot.Available),
		line(metal.UUID, "took the instance of guest "+r.Node.Label()+" over", ingot.Active, ""),
	}
}

// runOnMetal starts the metal from its disk, where the guest ran, and writes down for how long nothing did.
func (c *Conductor) runOnMetal(ctx context.Context, r *Run) (Progress, error) {
	if r.Op.Memory[ranKey] != true {
		return Holds(), nil
	}
	about, err := metalOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	p, err := c.switchOn(ctx, about)
	if err == nil && p.holds {
		stopped, _ := r.Op.Memory[stoppedKey].(float64)
		down := c.Now().Sub(time.UnixMilli(int64(stopped * 1000))).Round(100 * time.Millisecond)
		sentence := fmt.Sprintf("the instance went from guest %s to %s: %s from the guest's stop to the metal's start", r.Node.UUID, about.Node.Label(), down)
		r.Record("INFO", r.historyType(), sentence)
		about.Record("INFO", about.historyType(), sentence)
		about.events = append(about.events, ingot.Event{At: r.Now, Type: "instance.runs", Node: about.Node.UUID, Data: map[string]any{
			"from": r.Node.UUID, "to": about.Node.UUID, "operation": r.Op.UUID, "downtime_seconds": down.Seconds(),
		}})
	}
	r.include(about)
	return p, err
}
