package conductor

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// powerPlan changes the power as a user asked: an operation of its own lane. A reboot is off and then on, and a reset where
// the machine must not lose power.
func (c *Conductor) powerPlan() Plan {
	const patience = 24 * time.Hour // each step knows how long it may take
	return Plan{
		Steps: []Step{
			{Name: "parent-on", Class: Ensure, Timeout: patience, Do: c.parentOn},
			{Name: "children-off", Class: Ensure, Timeout: patience, Do: c.childrenOff},
			{Name: "guests-off", Class: Ensure, Timeout: patience, Do: c.guestsOff},
			{Name: "soft-off", Class: Ensure, Timeout: patience, Do: c.softOff},
			{Name: "off", Class: Ensure, Timeout: patience, Do: func(ctx context.Context, r *Run) (Progress, error) {
				target := powerTarget(r)
				if target == ingot.TargetPowerOn || target == ingot.TargetSoftOff || target == ingot.TargetReboot && r.Node.DisablePowerOff {
					return Holds(), nil
				}
				p, err := ensurePower(ctx, r, ingot.ActionOff)
				return c.inPowerTime(r, p, err)
			}},
			{Name: "on", Class: Ensure, Timeout: patience, Do: func(ctx context.Context, r *Run) (Progress, error) {
				switch target := powerTarget(r); {
				case target == ingot.TargetPowerOff || target == ingot.TargetSoftOff:
					return Holds(), nil
				case target == ingot.TargetReboot && r.Node.DisablePowerOff:
					p, err := restart(ctx, r)
					return c.inPowerTime(r, p, err)
				}
				if err := r.plugPorts(ctx); err != nil {
					return c.inPowerTime(r, Progress{}, err)
				}
				p, err := ensurePower(ctx, r, ingot.ActionOn)
				return c.inPowerTime(r, p, err)
			}},
		},
		Finish: func(r *Run) { r.Change(func(n *ingot.Node) { n.TargetPowerState = "" }) },
	}
}

func powerTarget(r *Run) ingot.PowerTarget {
	return ingot.PowerTarget(ingot.Text(r.Op.Params, "target"))
}

// softOff asks the operating system to power off and waits for it, for as long as the request allows. A soft reboot
// whose system does not react fails, as Ironic's: it is not turned into a hard one.
func (c *Conductor) softOff(ctx context.Context, r *Run) (Progress, error) {
	target := powerTarget(r)
	if target != ingot.TargetSoftOff && target != ingot.TargetSoftReboot {
		return Holds(), nil
	}
	limit := r.timeout(c.Settings.SoftPowerTimeout)
	p, err := ensurePower(ctx, r, ingot.ActionSoftOff)
	if waited := r.Now.Sub(r.Op.StepSince); !p.holds && waited >= limit {
		return p, ingot.Fatalf("cannot soft power off %s: its operating system did not power off within %s; use power off", r.Node.Label(), limit)
	}
	return p, err
}

// timeout is how long the request of a change of power lets it take, or what holds where it does not say.
func (r *Run) timeout(otherwise time.Duration) time.Duration {
	if seconds, ok := r.Op.Params["timeout"].(float64); ok && seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	return otherwise
}

// SetPower accepts a change of power (Ironic: PUT states/power) by the identity of the context. It returns when the operation is stored.
func (c *Conductor) SetPower(ctx context.Context, node ingot.Node, target ingot.PowerTarget, timeout time.Duration) error {
	return c.changePower(ctx, node, powerChange{target: target, timeout: timeout})
}

// powerChange is what is asked of a machine's power.
type powerChange struct {
	target   ingot.PowerTarget
	timeout  time.Duration // 0 is the service's
	withHost bool          // of a guest that runs, for the sake of its host: it is to run again when that is back
}

// changePower begins the operation of a change of power.
func (c *Conductor) changePower(ctx context.Context, node ingot.Node, change powerChange) error {
	target := change.target
	shown, err := c.powerAllowed(&node, target)
	if err != nil {
		return err
	}
	now := c.Now()
	params := map[string]any{"target": string(target)}
	if change.timeout > 0 {
		params["timeout"] = change.timeout.Seconds()
	}
	if change.withHost {
		params[withHost] = true
	}
	who := ingot.IdentityOf(ctx)
	operation := c.newOperation(ingot.KindPower, node.UUID, params, who.User, now)
	operation.Project = who.Project
	_, err = c.Operations.StartOperation(ctx, ingot.Start{
		Operation:   operation,
		NodeVersion: node.Version,
		Change: func(n *ingot.Node) {
			n.TargetPowerState = shown
			n.LastError = ""
			n.Found() // it is decided anew whether it is to run
			if change.withHost {
				n.NoteRan()
			}
		},
		Events: []ingot.Event{{At: now, Type: "node.power-asked", Node: node.UUID, Data: map[string]any{"target": target}}},
	})
	return err
}

// powerAllowed says which state a target is shown as, or why it is refused now.
func (c *Conductor) powerAllowed(n *ingot.Node, target ingot.PowerTarget) (ingot.PowerState, error) {
	shown := ingot.PowerOn
	if target == ingot.TargetPowerOff || target == ingot.TargetSoftOff {
		shown = ingot.PowerOff
	}
	switch s := n.ProvisionState; {
	case s == ingot.Cleaning || s == ingot.CleanWait:
		return "", ingot.Errorf(ingot.Invalid, `The requested action "%s" can not be performed on node "%s" while it is in state "%s".`, target, n.UUID, s)
	case s.Class() == ingot.Working:
		return "", c.locked(n)
	case n.MovedTo() != "" && shown == ingot.PowerOn: // its disk is an old copy
		remedy := "Undeploy it"
		if s != ingot.ErrorState {
			remedy = "Clean it first"
		}
		return "", ingot.Errorf(ingot.Conflict, "Node %s must not be started: its instance runs on node %s. %s.", n.UUID, n.MovedTo(), remedy)
	case s == ingot.ServiceFailed && n.CopiedTo() != "" && shown == ingot.PowerOn:
		return "", ingot.Errorf(ingot.Conflict, "Node %s must not be started: node %s may run a copy of its instance. Abort the service, which has that one off first.", n.UUID, n.CopiedTo())
	case n.DisablePowerOff && shown == ingot.PowerOff:
		return "", ingot.Errorf(ingot.Conflict, "Failed to set node power state to %s.", target)
	case n.DisablePowerOff && target == ingot.TargetSoftReboot:
		return "", ingot.Errorf(ingot.Unsupported, "Node %s has disable_power_off set, and a soft reboot would power it off: use %s.", n.UUID, ingot.TargetReboot)
	case n.DisablePowerOff && target == ingot.TargetReboot:
		return shown, c.canReset(n)
	}
	return shown, nil
}

// canReset refuses what would need a reset of a machine that cannot be reset.
func (c *Conductor) canReset(n *ingot.Node) error {
	if _, err := able[ingot.Resetter](c, n, "power", "reset"); err != nil {
		return ingot.Errorf(ingot.Unsupported, "Node %s has disable_power_off set, and its power interface cannot start a machine again without powering it off: %w", n.UUID, err)
	}
	return nil
}

// newOperation is an operation that is due at once.
func (c *Conductor) newOperation(kind ingot.Kind, node string, params map[string]any, requester string, now time.Time) ingot.Operation {
	return ingot.Operation{
		UUID: uuid.NewString(), Kind: kind, NodeUUID: node, Lane: kind.Lane(), Params: params, Phase: ingot.Forward, Attempt: 1,
		DueAt: now, StepSince: now, PhaseSince: now, Memory: map[string]any{}, Requester: requester, StartedAt: now,
	}
}
