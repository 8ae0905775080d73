package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// adoptPlan takes over a machine that runs an instance already: adopt. It looks and writes down; the machine itself is
// neither stopped nor told anything.
func (c *Conductor) adoptPlan() Plan {
	return Plan{
		Steps: []Step{
			{Name: "check", State: ingot.Adopting, Class: Ensure, Do: checkAdopt},
			{Name: "power-state", Class: Ensure, Timeout: verifyPatience, Do: lookAtPower},
			{Name: "take-over", Class: Ensure, Do: takeOver},
		},
		// Nothing is to be made safe: an instance that could not be adopted runs on. Ironic forgets the power that it
		// had recorded, since what failed may have been the look at it.
		Failed: func(r *Run) { r.Change(func(n *ingot.Node) { n.PowerState = "" }) },
	}
}

// checkAdopt refuses an instance that Ingot could not start again.
func checkAdopt(_ context.Context, r *Run) (Progress, error) {
	if option := ingot.Capability(r.Node.InstanceInfo, "boot_option"); option != "" && option != "local" {
		return Progress{}, ingot.Fatalf("cannot adopt %s: instance_info has boot_option %s, and only instances that boot from their own disk (local) can be kept", r.Node.Label(), option)
	}
	return Holds(), nil
}

// lookAtPower records the power that the BMC tells.
func lookAtPower(ctx context.Context, r *Run) (Progress, error) {
	var seen ingot.PowerState
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) (err error) {
		seen, err = m.PowerState(ctx)
		return err
	})
	if err != nil {
		return Progress{}, fmt.Errorf("cannot read the power of %s: %w", r.Node.Label(), err)
	}
	r.setPower(seen)
	return Holds(), nil
}

// takeOver has the boot service leave the machine to its own disk from now on.
func takeOver(_ context.Context, r *Run) (Progress, error) {
	r.setBoot(instanceBoot())
	return Holds(), nil
}

// instanceBoot is the boot of a machine that carries an instance.
func instanceBoot() ingot.BootTarget {
	return ingot.BootTarget{Action: ingot.BootLocalDisk, Purpose: "instance"}
}
