package conductor

import (
	"context"
	"slices"

	"github.com/ingot-metal/ingot"
)

// cleanMachine are the steps that erase a machine: all of provide, clean and the second half of delete.
func (c *Conductor) cleanMachine() []Step {
	off := c.powerOff(firstPowerOff)
	off.State = ingot.Cleaning
	steps := inRamdisk([]Step{off, c.netboot("clean"), c.powerOn("power-on"), c.callIn()})
	steps = append(steps, c.collect("clean", nil), c.slot("clean", nil))
	return append(steps, inRamdisk([]Step{c.powerOff("power-off-agent"), {Name: "abort-boot", Class: Ensure, Do: bootNothing}, c.leaveRamdisk()})...)
}

// makeSafe are the steps after a failure: off, and nothing to boot.
func (c *Conductor) makeSafe() []Step {
	return []Step{c.powerOff("abort-power-off"), {Name: "abort-boot", Class: Ensure, Do: bootNothing}}
}

// cleanPlan is manual cleaning: the user's list, in the user's order.
func (c *Conductor) cleanPlan() Plan {
	return Plan{Steps: c.cleanMachine(), Abort: inRamdisk(c.makeSafe()), Cancel: inRamdisk(c.makeSafe()), Finish: c.cleaned}
}

// providePlan is automated cleaning on the way to available.
func (c *Conductor) providePlan() Plan {
	return Plan{Steps: append(c.blankGuest(), c.automatedClean()...), Abort: inRamdisk(c.makeSafe()), Cancel: inRamdisk(c.makeSafe()), Finish: c.cleaned}
}

// deletePlan takes the instance off the machine and cleans it.
func (c *Conductor) deletePlan() Plan {
	steps := []Step{
		{Name: "tear-down", State: ingot.Deleting, Class: Ensure, Do: bootNothing},
		unlessNoop([]Step{c.powerOff("power-off-instance")})[0],
		releaseDisks(),
		{Name: "forget-instance", Class: Ensure, Do: forgetInstance},
	}
	return Plan{Steps: slices.Concat(steps, c.blankGuest(), c.automatedClean()), Abort: inRamdisk(c.makeSafe()), Cancel: inRamdisk(c.makeSafe()), Finish: c.cleaned}
}

// automatedClean are the steps of a cleaning that nobody asked for by itself, on a node that is to be cleaned.
func (c *Conductor) automatedClean() []Step {
	return c.unlessUnwanted(append([]Step{c.chooseRunbook()}, c.cleanMachine()...))
}

// unlessUnwanted has every step hold at once for a node that is not to be cleaned.
func (c *Conductor) unlessUnwanted(steps []Step) []Step { return only(c.cleans, steps...) }

// cleans says whether a node is cleaned without being asked (Ironic: automated_clean on the node, else the setting), or has
// to be.
func (c *Conductor) cleans(n *ingot.Node) bool {
	if n.Interfaces.Deploy == noopDeploy || byHost(n) { // a new disk holds nothing of the old one
		return false
	}
	if n.MovedTo() != "" { // its disk is a copy that could be started beside the instance
		return true
	}
	if n.AutomatedClean != nil {
		return *n.AutomatedClean
	}
	return c.Settings.AutomatedClean
}

// forgetInstance clears what belonged to the instance (Ironic: undeploy clears instance_info, instance_uuid and the
// allocation, and detaches virtual interfaces).
func forgetInstance(ctx context.Context, r *Run) (Progress, error) {
	if err := r.c.Blobs.DeleteBlob(ctx, configDriveKey(r.Node.UUID)); err != nil {
		return Progress{}, err
	}
	if err := r.c.NodePorts.ChangeNodePorts(ctx, r.Node.UUID, detachAll(r.Node.ProvisionState)); err != nil {
		return Progress{}, err
	}
	r.Change(func(n *ingot.Node) {
		n.InstanceInfo, n.InstanceUUID, n.InstanceName, n.AllocationUUID = map[string]any{}, "", "", ""
		n.DeployStep = nil
		n.Found() // what ran is no more
		endLease(n)
	})
	return Holds(), nil
}

// detachAll takes the instance's virtual interfaces off the node's ports and port groups, if the node is still in the
// state: a pass that lost its claim must not touch the next instance's.
func detachAll(state ingot.State) func(*ingot.Node, []ingot.Port, []ingot.Portgroup) error {
	return func(n *ingot.Node, ports []ingot.Port, groups []ingot.Portgroup) error {
		if n.ProvisionState != state {
			return nil
		}
		for i := range ports {
			ports[i].Internal = ingot.WithVIF(ports[i].Internal, "")
		}
		for i := range groups {
			groups[i].Internal = ingot.WithVIF(groups[i].Internal, "")
		}
		return nil
	}
}

// cleaned ends a cleaning; a retired node goes to manageable instead of available.
func (c *Conductor) cleaned(r *Run) {
	r.Change(func(n *ingot.Node) {
		n.CleanStep = nil
		n.ForgetMoves()
	})
	if r.Node.Retired && r.Node.TargetProvisionState == ingot.Available {
		r.SetState(ingot.Manageable, "")
	}
}
