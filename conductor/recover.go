package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/configdrive"
)

// rebuildKey is the key of a guest's driver_info with which its owner agrees that it is made anew from its image when its
// host is lost, and what was on its disk with it.
const rebuildKey = "rebuild_on_host_failure"

// recovery is how a guest whose host is lost is to run again; "" where it cannot.
type recovery string

const (
	recoverRestart recovery = "restart" // from the disk that hosts share
	recoverRebuild recovery = "rebuild" // from the image
)

// recoveryOf says what becomes of a guest whose host is lost, or why it stays.
func recoveryOf(h *ingot.Hypervisor, n *ingot.Node) (recovery, string) {
	pool := h.Pool(n.DiskPool())
	agreed, _ := n.DriverInfo[rebuildKey].(bool)
	switch {
	case pool != nil && pool.Shared:
		return recoverRestart, ""
	case h.OnHostFailure != ingot.FailureRebuild:
		return "", "its disk is on that host alone"
	case !agreed:
		return "", "its disk is on that host alone, and driver_info " + rebuildKey + " is not true"
	case !fromImage(n) || ingot.Text(n.InstanceInfo, "image_source") == "":
		return "", "its disk is on that host alone, and it has no image to be made from"
	}
	return recoverRebuild, ""
}

// recoverPlan has a guest run again on another host than its own, which is lost and known to be off.
func (c *Conductor) recoverPlan() Plan {
	settle := []Step{{Name: "settle-place", Class: Ensure, Do: c.settlePlace}}
	return Plan{
		Steps: []Step{
			{Name: "find-place", State: ingot.Servicing, Class: Ensure, Timeout: fencePatience, Do: c.findPlace},
			{Name: "become", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
				m := r.move()
				if m.stage == moveDone {
					return Holds(), nil
				}
				p, err := c.arrive(ctx, r, m, true)
				if ingot.CodeOf(err) == ingot.Conflict { // the host has come back
					err = ingot.Fatal(plainly{err})
				}
				return p, err
			}},
			defineGuest(),
			recoverDisks(),
			bootISO(),
			c.diskBoot(),
			c.powerOn("power-on-instance"),
		},
		Abort: settle, Cancel: settle, Finish: recovered, Failed: stayed, Cancelled: stayed,
	}
}

// findPlace chooses a host and takes the guest's place there. While there is none, it is waited for.
func (c *Conductor) findPlace(ctx context.Context, r *Run) (Progress, error) {
	m := r.move()
	restart := ingot.Text(r.Op.Params, "how") == string(recoverRestart)
	switch m.stage {
	case "":
		h, err := c.Guests.Hosts.Get(ctx, r.Node.ParentNode)
		if err != nil {
			return Progress{}, err
		}
		if h.Fence != ingot.FencedOff {
			return Progress{}, ingot.Fatalf("compute host %s is not known to be off any more", h.NodeUUID)
		}
		p, err := c.chooseHost(ctx, r, m, "", func(req *ingot.PlacementRequest) {
			if pool := h.Pool(r.Node.DiskPool()); restart && pool != nil {
				req.SharedPool = pool.Name
			}
			if !restart {
				req.Image, _ = ingot.ImageSum(imageSource(r.Node).Checksum)
			}
		})
		if ingot.CodeOf(err) == ingot.Conflict {
			return ForAgent(10*c.Settings.Poll, err.Error()), nil
		}
		return p, err
	case moveChosen:
		return c.takePlace(ctx, r, m, false)
	case moveDone:
		return Holds(), nil
	}
	there, err := c.see(ctx, r.Node, m.to)
	switch {
	case err != nil:
		return Progress{}, err
	case there.Power == ingot.PowerOn:
		return Progress{}, ingot.Fatalf("compute host %s runs guest %s already, which is not its own", m.to, r.Node.Label())
	case restart && !there.Disk:
		return Progress{}, ingot.Fatalf("compute host %s has not the disk of %s, though its pool is said to be shared", m.to, r.Node.Label())
	}
	return Holds(), nil
}

// recoverDisks is the step that has the guest's disk begin as its image again where it is rebuilt, and its config drive in
// its drive.
func recoverDisks() Step {
	step := guestStep("guest-disks", func(ctx context.Context, r *Run, m ingot.GuestMaker) error {
		if ingot.Text(r.Op.Params, "how") == string(recoverRebuild) {
			image, err := r.c.ImageBytes.OpenImage(ctx, imageSource(r.Node))
			if err != nil {
				return fmt.Errorf("cannot use its image: %w", err)
			}
			if err := m.ImageDisk(ctx, r.Op.UUID, image); err != nil {
				return err
			}
		}
		if !byHost(r.Node) {
			return nil
		}
		text, _, err := r.c.Blobs.Blob(ctx, configDriveKey(r.Node.UUID))
		if ingot.CodeOf(err) == ingot.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		iso, err := configdrive.Decode(string(text), maxConfigDrive)
		if err != nil {
			return ingot.Fatal(err)
		}
		return m.ConfigDrive(ctx, iso)
	})
	step.Timeout = fencePatience
	return step
}

// settlePlace gives back a place that the guest has not come to.
func (c *Conductor) settlePlace(ctx context.Context, r *Run) (Progress, error) {
	m := r.move()
	if m.stage == moveChosen || m.stage == movePlaced {
		if err := c.Guests.Moves.LeavePlace(ctx, r.place(m.to)); err != nil {
			return Progress{}, err
		}
	}
	return Holds(), nil
}

// recovered ends the loss of a guest.
func recovered(r *Run) {
	m := r.move()
	r.Record("WARNING", r.historyType(), fmt.Sprintf("its compute host %s was lost: %sed on %s", m.from, ingot.Text(r.Op.Params, "how"), m.to))
	r.Change(found)
}

// found is a guest of which is known again how it is.
func found(n *ingot.Node) {
	n.Found()
	recovers(n)
}

// recovers ends the fault of a guest that could not be seen.
func recovers(n *ingot.Node) {
	if n.Fault == ingot.FaultPower {
		n.Maintenance, n.MaintenanceReason, n.Fault = false, "", ""
	}
}

// stayed has a guest that could not run elsewhere in the state that it was in.
func stayed(r *Run) {
	if r.move().stage != moveDone {
		r.SetState(ingot.Active, "")
	}
}

// beginRecovery begins to have a guest run elsewhere. What holds it now is waited for.
func (c *Conductor) beginRecovery(ctx context.Context, n *ingot.Node, how recovery) error {
	now := c.Now()
	_, err := c.Operations.StartOperation(ctx, ingot.Start{
		Operation: c.newOperation(ingot.KindRecover, n.UUID, map[string]any{"how": string(how)}, "", now), NodeVersion: n.Version,
		Change: func(n *ingot.Node) {
			n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = ingot.Servicing, ingot.Active, now, ""
		},
		Events: []ingot.Event{{At: now, Type: "guest.recovers", Node: n.UUID, Data: map[string]any{"from": n.ParentNode, "how": how}}},
	})
	return ignoreStale(err)
}
