package conductor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/configdrive"
)

// isoDeploy is Ironic's deploy interface of machines that run from what is in their CD drive (instance_info boot_iso); it is
// there for guests, beside a disk with nothing on it.
const isoDeploy = "ramdisk"

// fromImage says whether a node's disk begins as its image, on its host.
func fromImage(n *ingot.Node) bool { return n.Interfaces.Deploy == ingot.ImageDeploy }

// fromISO says whether a node runs from its CD drive.
func fromISO(n *ingot.Node) bool { return n.Interfaces.Deploy == isoDeploy }

// byHost says whether a node's host makes its disks: no agent ever writes them.
func byHost(n *ingot.Node) bool { return fromImage(n) || fromISO(n) }

// bootISO is the step that has the instance's ISO image in a guest's CD drive.
func bootISO() Step {
	return Step{Name: "boot-iso", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if !fromISO(r.Node) {
			return Holds(), nil
		}
		url := ingot.Text(r.Node.InstanceInfo, "boot_iso")
		err := managed(ctx, r, "boot_iso", func(ctx context.Context, m ingot.VirtualMedia) error {
			return m.InsertMedia(ctx, ingot.MediaCDROM, url)
		})
		if err != nil {
			return Progress{}, fmt.Errorf("cannot insert %s into the CD drive of %s: %w", url, r.Node.Label(), err)
		}
		return Holds(), nil
	}}
}

// validISO looks for the image that a node would run from.
func validISO(n *ingot.Node) ingot.Verdict {
	iso := ingot.Text(n.InstanceInfo, "boot_iso")
	scheme, rest, _ := strings.Cut(iso, "://")
	switch {
	case iso == "":
		return ingot.FailVerdict("missing in instance_info: boot_iso (the http:// or https:// URL of an ISO image, which the guest's host reads)")
	case scheme != "http" && scheme != "https" || rest == "":
		return ingot.FailVerdict("boot_iso " + iso + " is not an http:// or https:// URL")
	}
	return ingot.PassVerdict()
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
	if !byHost(r.Node) || ingot.Text(r.Op.Memory, "config_drive") == "" {
		return nil, nil
	}
	text, _, err := r.c.Blobs.Blob(ctx, configDriveKey(r.Node.UUID))
	if err != nil {
		return nil, err
	}
	return configdrive.Decode(string(text), maxConfigDrive)
}

// releaseDisks is the step that unplugs the disks which were plugged into a guest beside its own: they were the instance's, and
// the next one is not to find them. They are not erased.
func releaseDisks() Step {
	return guestStep("release-disks", func(ctx context.Context, r *Run, m ingot.GuestMaker) error {
		able, has := m.(ingot.DiskReleaser)
		if !has {
			return nil
		}
		names, err := able.ReleaseDisks(ctx)
		if err == nil && len(names) > 0 {
			r.Record("INFO", r.historyType(), "disks that were not its own were unplugged, and are as they were: "+strings.Join(names, ", "))
		}
		return err
	})
}

// blankGuest are the steps that clean a guest whose disk its host makes: the disk goes, with all that was on it.
func (c *Conductor) blankGuest() []Step {
	off := c.powerOff("power-off-guest")
	off.State = ingot.Cleaning
	return only(byHost, off, guestStep("blank-disk", func(ctx context.Context, r *Run, m ingot.GuestMaker) error {
		if err := m.ConfigDrive(ctx, nil); err != nil {
			return err
		}
		if media, has := m.(ingot.VirtualMedia); has && fromISO(r.Node) {
			if err := media.EjectMedia(ctx, nil); err != nil {
				return err
			}
		}
		return m.BlankDisk(ctx)
	}))
}
