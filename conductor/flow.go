package conductor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// Reserved steps: what lists of steps may ask of the conductor itself, under any interface (Ironic: power_on, power_off,
// reboot, hold, wait; the names win over steps of drivers and agents).

// flowSource marks the frozen reserved steps.
const flowSource = "flow"

// The reserved steps.
const (
	flowHold     = "hold"
	flowWait     = "wait"
	flowPowerOn  = "power_on"
	flowPowerOff = "power_off"
	flowReboot   = "reboot"
)

// shownAs is the key of a frozen step's arguments with the name that clients see: a reboot is two steps, off and on.
const shownAs = "shown_as"

// reserved says whether a step is the conductor's own.
func reserved(name string) bool {
	return slices.Contains([]string{flowHold, flowWait, flowPowerOn, flowPowerOff, flowReboot}, name)
}

// needsRamdisk says whether a step of a list needs a ramdisk: an agent's does, and so does a wait for its heartbeat.
func needsRamdisk(step map[string]any) bool {
	if step[onChildNodes] == true {
		return false
	}
	name := ingot.Text(step, "step")
	args, _ := step["args"].(map[string]any)
	if isBare(ingot.Text(step, "interface"), name) {
		return false
	}
	return !reserved(name) || name == flowWait && args["seconds"] == nil
}

// expandFlow turns the reserved steps of a list into those that are carried out.
func expandFlow(steps []ingot.OperationStep) []ingot.OperationStep {
	var out []ingot.OperationStep
	for _, s := range steps {
		switch {
		case s.Source == "agent" || s.Source == "plan" || !reserved(s.Step):
			out = append(out, s)
		case s.Step == flowReboot:
			for _, half := range []string{flowPowerOff, flowPowerOn} {
				part := s
				part.Step, part.Source, part.Args = half, flowSource, map[string]any{shownAs: flowReboot}
				out = append(out, part)
			}
		default:
			s.Source = flowSource
			s.Abortable = s.Step == flowHold || s.Step == flowWait
			out = append(out, s)
		}
	}
	return out
}

// checkFlow refuses arguments of a reserved step that nothing would read.
func checkFlow(kind string, step map[string]any) error {
	name := ingot.Text(step, "step")
	if !reserved(name) {
		return nil
	}
	args, _ := step["args"].(map[string]any)
	for key, v := range args {
		seconds, number := v.(float64)
		switch {
		case name != flowWait || key != "seconds":
			return ingot.Errorf(ingot.Invalid, "Invalid %s_steps: step %s takes no argument %s", kind, name, key)
		case !number || seconds < 0:
			return ingot.Errorf(ingot.Invalid, "Invalid %s_steps: seconds of step wait is not a number of at least 0", kind)
		}
	}
	return nil
}

// flowStep carries out a reserved step.
func (c *Conductor) flowStep(ctx context.Context, r *Run, step ingot.OperationStep) (Progress, error) {
	switch step.Step {
	case flowHold:
		return r.hold(), nil
	case flowWait:
		return c.waitStep(ctx, r, step)
	case flowPowerOff:
		if r.Node.DisablePowerOff {
			if step.Args[shownAs] != flowReboot {
				return Progress{}, ingot.Fatalf("Failed to set node power state to %s.", ingot.PowerOff)
			}
			r.forgetAgent()
			r.Remember(rebootedAt, float64(r.Now.Unix()))
			return Holds(), nil
		}
		p, err := c.switchOff(ctx, r)
		if err == nil && p.holds {
			r.forgetAgent()
			r.Remember(rebootedAt, float64(r.Now.Unix()))
		}
		return c.inPowerTime(r, p, err)
	}
	return c.flowOn(ctx, r, step)
}

// flowOn switches the machine on, into the ramdisk that its operation uses.
func (c *Conductor) flowOn(ctx context.Context, r *Run, step ingot.OperationStep) (Progress, error) {
	stayedOn := r.Node.DisablePowerOff && step.Args[shownAs] == flowReboot
	if !r.withoutRamdisk() && !stayedOn && r.Node.PowerState == ingot.PowerOff {
		if p, err := r.bootRamdisk(ctx, r.Node.Boot.Purpose); err != nil || !p.holds {
			return c.inPowerTime(r, p, err)
		}
	}
	if stayedOn {
		p, err := restart(ctx, r)
		return c.inPowerTime(r, p, err)
	}
	p, err := c.switchOn(ctx, r)
	return c.inPowerTime(r, p, err)
}

// inPowerTime fails a step that takes longer than a change of power may: as long as the request says, or the settings.
func (c *Conductor) inPowerTime(r *Run, p Progress, err error) (Progress, error) {
	limit := r.timeout(c.Settings.PowerTimeout)
	if !p.holds && r.Now.Sub(r.Op.StepSince) >= limit {
		if err == nil {
			err = fmt.Errorf("the machine did not follow within %s", limit)
		}
		return p, ingot.Fatal(err)
	}
	return p, err
}

// heldAt is the key of an operation's memory with the hold step that keeps it.
const heldAt = "held_at"

// hold keeps the operation until a user lets it go (unhold), which takes the node out of its held state.
func (r *Run) hold() Progress {
	if id := r.commandID(); r.Op.Memory[heldAt] != id {
		r.Remember(heldAt, id)
	} else if r.Node.ProvisionState.Class() != ingot.Held {
		delete(r.Op.Memory, heldAt)
		return Holds()
	}
	return Progress{hold: true, after: holdPoll, note: "held by a step of the list, until unhold or abort"}
}

// holdPoll is how often a held operation is looked at without a wake; unhold wakes it.
const holdPoll = time.Hour

// waitStep lets time pass: as many seconds as it was given, up to the operator's limit (Ironic:
// max_conductor_wait_step_seconds), else until the agent's next heartbeat.
func (c *Conductor) waitStep(ctx context.Context, r *Run, step ingot.OperationStep) (Progress, error) {
	seconds, given := step.Args["seconds"].(float64)
	if !given {
		return r.nextHeartbeat(ctx)
	}
	wanted := time.Duration(seconds * float64(time.Second))
	if limit := c.Settings.WaitStepMost; wanted > limit {
		if id := r.commandID(); r.Op.Memory[warnedAt] != id {
			r.Remember(warnedAt, id)
			r.Record("WARNING", string(r.Node.ProvisionState), fmt.Sprintf("A wait time exceeding the configured maximum has been requested. Holding for %d, got %d.", int(limit.Seconds()), int(seconds)))
		}
		wanted = limit
	}
	if left := wanted - r.Now.Sub(r.Op.StepSince); left > 0 {
		return ForAgent(left, "waiting, as a step of the list asks"), nil
	}
	return Holds(), nil
}

// nextHeartbeat waits for the agent's next heartbeat. None comes of a machine that was started again: its ramdisk was let
// in once.
func (r *Run) nextHeartbeat(ctx context.Context) (Progress, error) {
	if r.Node.Agent.Heartbeat.After(r.Op.StepSince) {
		return Holds(), nil
	}
	if !r.Node.Agent.Restarted.IsZero() {
		if _, err := r.c.agent(r.Node).Commands(ctx, r.Node); err != nil {
			return r.unreachable(ctx, err)
		}
	}
	return ForAgent(agentPoll, "waiting for the agent's next heartbeat, as a step of the list asks"), nil
}

// warnedAt is the key of an operation's memory with the wait step that was found too long.
const warnedAt = "warned_at"

// rebootedAt is the key of an operation's memory that says since when a step of its list has had the machine off: the
// agent that calls next is another boot, and rightly so.
const rebootedAt = "rebooted_at"

// afterReboot waits for the agent of the boot that a step of the list asked for; false when none did, or it is there.
func (r *Run) afterReboot() (Progress, bool) {
	since, rebooted := r.Op.Memory[rebootedAt].(float64)
	agent := r.Node.Agent
	switch {
	case !rebooted:
		return Progress{}, false
	case agent.Present():
		r.Op.AgentFingerprint = agent.Fingerprint
		delete(r.Op.Memory, rebootedAt)
		return Progress{}, false
	case r.Now.Sub(time.Unix(int64(since), 0)) > r.c.Settings.CallbackTimeout:
		return Again(firstPowerOff, "no agent called after the machine had been rebooted by a step"+r.lastSeen()), true
	}
	return ForAgent(agentPoll, "waiting for the agent to call after a reboot"+r.lastSeen()), true
}
