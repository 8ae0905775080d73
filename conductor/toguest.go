package conductor

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/errand"
)

// The instance of a server goes on as a guest. The guest is there from the transaction that begins the operation on, with
// its claim, and is never started before it has the instance; the server's disk is only read, so that on the way back the
// server boots it again.

// toGuestStep is the service step, of interface management, that people ask for.
const toGuestStep = "to_guest"

// readPatience bounds the reading of a disk, and readWait how long one asking waits for it.
const (
	readPatience = 4 * time.Hour
	readWait     = 50 * time.Millisecond
)

// guestKey is the key of the operation's parameters with the guest that takes over.
const guestKey = "guest"

// toGuestPlan is to_guest. A new attempt begins at power-off, and reads the disk anew: nobody knows what ran meanwhile.
func (c *Conductor) toGuestPlan() Plan {
	live := c.powerOn("power-on-instance")
	return Plan{
		Steps: []Step{
			{Name: "check", State: ingot.Servicing, Class: Ensure, Do: c.canTurnGuest},
			on(takerOf, defineGuest()),
			{Name: "config-drive", Class: Ensure, Do: bringConfigDrive},
			c.stopInstance("stop-metal"),
			c.powerOff(firstPowerOff),
			c.netboot("service"),
			c.powerOn("power-on"),
			c.callIn(),
			{Name: "copy-disk", Class: Ensure, Timeout: c.Settings.CommandTimeout, Do: c.readDisk},
			{Name: "guest-disks", Class: Ensure, Timeout: c.Settings.CommandTimeout, Do: c.importDisk},
			c.powerOff("power-off-agent"),
			{Name: "boot-nothing", Class: Ensure, Do: bootNothing},
			{Name: "become", Class: Ensure, Do: c.become},
			on(takerOf, c.diskBoot()),
			{Name: live.Name, Class: Ensure, Timeout: live.Timeout, Do: c.runOnTaker},
			{Name: "let-go", Class: Ensure, Do: c.letGuestGo},
		},
		Abort:  c.keepMetal(),
		Cancel: c.keepMetal(),
		Cancelled: func(r *Run) {
			if !r.moved() {
				r.SetState(ingot.Active, "")
			}
		},
		Finish: c.clearMetal,
		Unsafe: leftGuest,
	}
}

// canTurnGuest finds out what would fail later, before anything is done: whether the machine can be asked, and whether the
// guest's host can take a disk.
func (c *Conductor) canTurnGuest(ctx context.Context, r *Run) (Progress, error) {
	if _, err := r.seen(ctx); err != nil {
		return Progress{}, fmt.Errorf("cannot look at the power of %s: %w", r.Node.Label(), err)
	}
	about, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	_, err = able[ingot.GuestImporter](c, about.Node, "management", toGuestStep)
	return Holds(), err
}

// copyKey names the copy of the disk: one for each boot of the ramdisk.
func (r *Run) copyKey() string { return copyKeyOf(r.Op.UUID, r.Op.Attempt) }

func copyKeyOf(operation string, attempt int) string {
	return fmt.Sprintf("%s-%d", operation, attempt)
}

// readDisk has a copy of the server's disk on this machine, as it is to be on the guest's, that the agent which runs now has
// given out: since then nothing has written to the disk.
func (c *Conductor) readDisk(ctx context.Context, r *Run) (Progress, error) {
	if lost, is := r.agentLost(); is {
		return lost, nil
	}
	key := r.copyKey()
	_, err := c.Disks.KeptDisk(ctx, key)
	if ingot.CodeOf(err) == ingot.NotFound {
		var wish ingot.DiskWish
		if wish, err = r.diskWish(ctx); err == nil {
			node := *r.Node
			err = c.reading.Ask(ctx, key, "the disk is being copied", errand.Terms{Most: readPatience, Wait: readWait, Again: c.Settings.Poll}, func(ctx context.Context) error {
				return c.fetchDisk(ctx, &node, key, wish)
			})
		}
		if err == nil {
			return NotYet(0, "its disk is copied"), nil
		}
	}
	if p, is := goesOn(err); is {
		return p.withAgent(), nil
	}
	if err != nil {
		return r.unreachable(ctx, fmt.Errorf("cannot copy the disk of %s: %w", r.Node.Label(), err))
	}
	return r.sameBoot(ctx)
}

// sameBoot holds when the agent of this attempt is still there: nothing else has run on the machine since it called.
func (r *Run) sameBoot(ctx context.Context) (Progress, error) {
	if lost, is := r.agentLost(); is {
		return lost, nil
	}
	if _, err := r.c.agent(r.Node).Commands(ctx, r.Node); err != nil {
		return r.unreachable(ctx, err)
	}
	return Holds(), nil
}

// diskWish is the guest's disk. The config drive has a drive of its own there, where there is one.
func (r *Run) diskWish(ctx context.Context) (ingot.DiskWish, error) {
	about, err := takerOf(ctx, r)
	if err != nil {
		return ingot.DiskWish{}, err
	}
	amounts, err := ingot.GuestAmounts(about.Node)
	if err != nil {
		return ingot.DiskWish{}, ingot.Fatal(err)
	}
	const gib = 1 << 30
	return ingot.DiskWish{Size: amounts[ingot.DiskGB] * gib, WithoutConfigDrive: ingot.Text(r.Op.Memory, "config_drive") != ""}, nil
}

// fetchDisk reads the disk and keeps it, and leaves nothing of it where that failed.
func (c *Conductor) fetchDisk(ctx context.Context, node *ingot.Node, key string, wish ingot.DiskWish) error {
	into, err := c.Disks.NewDisk(key, "raw")
	if err != nil {
		return err
	}
	if err := c.agent(node).ReadDisk(ctx, node, wish, struct{ io.Writer }{into}); err != nil {
		into.Drop()
		return err
	}
	return into.Keep()
}

// importDisk has the copy as the guest's disk, and the config drive in a drive of its own. Another process than the one that
// read the disk has no copy, and reads its own.
func (c *Conductor) importDisk(ctx context.Context, r *Run) (Progress, error) {
	about, err := takerOf(ctx, r)
	if err != nil {
		return Progress{}, err
	}
	key, elsewhere := r.copyKey(), false
	err = c.exchange(ctx, about.Node, func(ctx context.Context, m ingot.Machine) error {
		importer, err := ability[ingot.GuestImporter](about.Node, m, "management", toGuestStep)
		if err != nil {
			return err
		}
		maker, err := ability[ingot.GuestMaker](about.Node, m, "power", toGuestStep)
		if err != nil {
			return err
		}
		err = importer.ImportDisk(ctx, key, func() (ingot.GuestImage, error) {
			image, err := c.Disks.OpenDisk(ctx, key)
			elsewhere = ingot.CodeOf(err) == ingot.NotFound
			return image, err
		})
		if err != nil {
			return err
		}
		iso, err := about.configDriveISO(ctx)
		if err != nil {
			return err
		}
		return maker.ConfigDrive(ctx, iso)
	})
	if elsewhere {
		p, err := c.readDisk(ctx, r)
		if err == nil && p.holds {
			return NotYet(0, "its disk is copied again"), nil
		}
		return p, err
	}
	if p, is := goesOn(err); is {
		return p, nil
	}
	if err != nil {
		return Progress{}, fmt.Errorf("cannot bring the disk of %s to guest %s: %w", r.Node.Label(), about.Node.Label(), err)
	}
	return r.sameBoot(ctx)
}
