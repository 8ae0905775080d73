package conductor

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/shacrypt"
)

// rescuePlan boots the machine into a ramdisk that a user can log in to: rescue. The instance's disk is not touched.
func (c *Conductor) rescuePlan() Plan {
	off := c.powerOff(firstPowerOff)
	off.State = ingot.Rescuing
	return Plan{
		Steps: []Step{
			off,
			c.netboot(rescuePurpose),
			c.powerOn("power-on"),
			c.callIn(),
			{Name: "finalize-rescue", Class: Once, Do: finalizeRescue},
		},
		Abort: c.makeSafe(), Cancel: c.makeSafe(),
	}
}

// unrescuePlan boots the instance again: unrescue.
func (c *Conductor) unrescuePlan() Plan {
	return Plan{Steps: c.instanceAgain(ingot.Unrescuing), Abort: c.makeSafe()}
}

// instanceAgain are the steps that start the instance from its disk, whatever ran before.
func (c *Conductor) instanceAgain(state ingot.State) []Step {
	off := c.powerOff("power-off-agent")
	off.State = state
	return []Step{off, c.diskBoot(), c.powerOn("power-on-instance")}
}

// rescuePurpose is why a machine boots the ramdisk for a rescue; the boot files depend on it.
const rescuePurpose = "rescue"

// rescuePassword is the key of an operation's parameters with the password's hash.
const rescuePassword = "rescue_password"

// hashedPassword is the password as the ramdisk gets it (Ironic: hashed_rescue_password); the plain text is kept nowhere.
func hashedPassword(password ingot.Secret) (ingot.Secret, error) {
	if strings.TrimSpace(password.Reveal()) == "" {
		return "", ingot.Errorf(ingot.Invalid, `A non-empty "rescue_password" is required when setting target provision state to rescue`)
	}
	return ingot.Secret(shacrypt.Hash(password.Reveal())), nil
}

// finalizeRescue gives the ramdisk its password, after which ironic-python-agent ends. An agent that has gone with its
// answer unheard is taken to be lost: the machine boots again, and is told again.
func finalizeRescue(ctx context.Context, r *Run) (Progress, error) {
	return r.once(ctx, call{ours: named("finalize_rescue"), request: ingot.AgentRequest{
		Name: "rescue.finalize_rescue", Params: map[string]any{"rescue_password": ingot.Text(r.Op.Params, rescuePassword), "hashed": true},
	}})
}

// validateRescue looks for the ramdisk that the node would be rescued with.
func (c *Conductor) validateRescue(n *ingot.Node) ingot.Verdict {
	kernel, ramdisk := ingot.Text(n.DriverInfo, "rescue_kernel"), ingot.Text(n.DriverInfo, "rescue_ramdisk")
	switch {
	case (kernel == "") != (ramdisk == ""):
		return ingot.FailVerdict("driver_info has only one of rescue_kernel and rescue_ramdisk: give both, or neither for the ramdisk of deployments")
	case kernel != "":
		return ingot.PassVerdict()
	}
	return c.validateBoot(n)
}
