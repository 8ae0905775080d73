package conductor

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// servicePlan carries out the user's list of steps on a machine that carries an instance, which is started again
// afterwards: service (1.87).
func (c *Conductor) servicePlan() Plan {
	off := c.powerOff(firstPowerOff)
	off.State = ingot.Servicing
	steps := inRamdisk([]Step{off, c.netboot("service"), c.powerOn("power-on"), c.callIn()})
	steps = append(steps, c.collect("service", nil), c.slot("service", nil))
	return Plan{
		Steps: append(steps, inRamdisk(c.instanceAgain(""))...),
		Abort: append([]Step{c.settleMove()}, inRamdisk(c.makeSafe())...),
		// Ironic goes on from service failed to active by itself after a user's abort.
		Cancel:    append([]Step{c.settleMove()}, inRamdisk(c.instanceAgain(""))...),
		Cancelled: func(r *Run) { r.SetState(ingot.Active, "") },
		Finish:    func(r *Run) { r.Change(func(n *ingot.Node) { n.ServiceStep = nil }) },
	}
}

// restorePlan brings the instance back after a service that failed: abort in service failed.
func (c *Conductor) restorePlan() Plan {
	return Plan{Steps: append([]Step{c.noCopyRuns()}, c.instanceAgain(ingot.Servicing)...), Abort: c.makeSafe()}
}

// disableRamdisk is the key of an operation's parameters that says that its steps need no ramdisk, and of its memory where
// a runbook of automated cleaning says so.
const disableRamdisk = "disable_ramdisk"

// inRamdisk has every step hold at once for an operation that boots no ramdisk: the machine goes on with what it does.
func inRamdisk(steps []Step) []Step {
	for i := range steps {
		do := steps[i].Do
		steps[i].Do = func(ctx context.Context, r *Run) (Progress, error) {
			if r.withoutRamdisk() {
				return Holds(), nil
			}
			return do(ctx, r)
		}
	}
	return steps
}

func (r *Run) withoutRamdisk() bool {
	return r.Op.Params[disableRamdisk] == true || r.Op.Memory[disableRamdisk] == true
}
