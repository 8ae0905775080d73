package conductor

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/configdrive"
)

// imageDeploy is the deploy interface of guests whose disk begins as the image: no ramdisk, no agent.
const imageDeploy = "libvirt-image"

// fromImage says whether a node's disk is made by its host.
func fromImage(n *ingot.Node) bool { return n.Interfaces.Deploy == imageDeploy }

// unlessImage has every step hold at once for a node whose disk its host makes: what a ramdisk would do is done.
func unlessImage(steps ...Step) []Step {
	for i := range steps {
		do := steps[i].Do
		steps[i].Do = func(ctx context.Context, r *Run) (Progress, error) {
			if fromImage(r.Node) {
				return Holds(), nil
			}
			return do(ctx, r)
		}
	}
	return steps
}

// guestStep is a step on a guest's machine as it is made; it holds at once for any other machine, which people have made.
func guestStep(name string, do func(ctx context.Context, r *Run, m ingot.GuestMaker) error) Step {
	return Step{Name: name, Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		machine, _, err := r.c.Machines.Machine(r.Node)
		if err != nil {
			return Progress{}, ingot.Fatal(err)
		}
		if _, isGuest := ingot.As[ingot.GuestMaker](machine); !isGuest {
			return Holds(), nil
		}
		err = r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
			maker, _ := ingot.As[ingot.GuestMaker](m)
			return do(ctx, r, maker)
		})
		if err != nil {
			return Progress{}, fmt.Errorf("cannot make guest %s: %w", r.Node.Label(), err)
		}
		return Holds(), nil
	}}
}

// defineGuest is the step that has a guest's machine on its host as node and ports say now.
func defineGuest() Step {
	return guestStep("define-guest", func(ctx context.Context, r *Run, m ingot.GuestMaker) error { return m.DefineGuest(ctx, r.Ports) })
}

// guestDisks is the step that puts the image and the config drive into a guest's drives; with a ramdisk's deploy the agent
// writes both, and no drive has an older config drive in it.
func guestDisks() Step {
	step := guestStep("guest-disks", func(ctx context.Context, r *Run, m ingot.GuestMaker) error {
		if fromImage(r.Node) {
			image, err := r.c.ImageBytes.OpenImage(ctx, imageSource(r.Node))
			if err != nil {
				return fmt.Errorf("cannot use its image: %w", err)
			}
			if err := m.ImageDisk(ctx, r.Op.UUID, image); err != nil {
				return err
			}
		}
		iso, err := r.configDriveISO(ctx)
		if err != nil {
			return err
		}
		return m.ConfigDrive(ctx, iso)
	})
	step.Timeout = time.Hour // as long as any image may take to be there
	return step
}

// configDriveISO is the config drive for a drive of its own; nil where there is none, or where the agent writes it.
func (r *Run) configDriveISO(ctx context.Context) ([]byte, error) {
	if !fromImage(r.Node) || ingot.Text(r.Op.Memory, "config_drive") == "" {
		return nil, nil
	}
	text, _, err := r.c.Blobs.Blob(ctx, configDriveKey(r.Node.UUID))
	if err != nil {
		return nil, err
	}
	return configdrive.Decode(string(text), maxConfigDrive)
}

// blankGuest are the steps that clean a guest whose disk its host makes: the disk goes, with all that was on it.
func (c *Conductor) blankGuest() []Step {
	off := c.powerOff("power-off-guest")
	off.State = ingot.Cleaning
	steps := []Step{off, guestStep("blank-disk", func(ctx context.Context, _ *Run, m ingot.GuestMaker) error {
		if err := m.ConfigDrive(ctx, nil); err != nil {
			return err
		}
		return m.BlankDisk(ctx)
	})}
	for i := range steps {
		do := steps[i].Do
		steps[i].Do = func(ctx context.Context, r *Run) (Progress, error) {
			if !fromImage(r.Node) {
				return Holds(), nil
			}
			return do(ctx, r)
		}
	}
	return steps
}
