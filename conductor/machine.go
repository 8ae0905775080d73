package conductor

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// The machine's own steps, shared by the plans.

// powerPoll is how often a machine that was told to change its power is looked at.
const powerPoll = 2 * time.Second

// powerOff is the step that has the machine off, with nothing left of an agent that ran on it. One that must not lose
// power (disable_power_off) stays on.
func (c *Conductor) powerOff(name string) Step {
	return Step{Name: name, Class: Ensure, Timeout: c.Settings.PowerTimeout, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if p, waiting := r.offByAgent(ctx); waiting {
			return p, nil
		}
		if r.Node.DisablePowerOff { // whatever runs is left alone until the machine is started again
			r.forgetAgent()
			return Holds(), nil
		}
		p, err := c.switchOff(ctx, r)
		if err == nil && p.holds {
			r.forgetAgent()
		}
		return p, err
	}}
}

// offByAgent has the agent of a machine that people switch power it off, since nothing else can; true while the agent is
// busy. One that does not answer is off already, or as good as that.
func (r *Run) offByAgent(ctx context.Context) (Progress, bool) {
	machine, _, err := r.c.Machines.Machine(r.Node)
	if _, manual := ingot.As[ingot.Manual](machine); err != nil || !manual || !r.Node.Agent.Present() {
		return Progress{}, false
	}
	_, err = r.c.Machines.Agent(r.Node).Send(ctx, r.Node, ingot.AgentRequest{Name: "standby.power_off", Params: map[string]any{}}, true)
	if ingot.CodeOf(err) == ingot.Locked {
		return NotYet(commandPoll, err.Error()), true
	}
	return Progress{}, false
}

// powerOn is the step that has the machine on and, where it stayed on, started again.
func (c *Conductor) powerOn(name string) Step {
	return Step{Name: name, Class: Ensure, Timeout: c.Settings.PowerTimeout, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if r.Node.DisablePowerOff {
			return restart(ctx, r)
		}
		return c.switchOn(ctx, r)
	}}
}

// leaveRamdisk is the step that has a machine that stayed on leave the ramdisk behind.
func (c *Conductor) leaveRamdisk() Step {
	return Step{Name: "leave-ramdisk", Class: Ensure, Timeout: c.Settings.PowerTimeout, Do: func(ctx context.Context, r *Run) (Progress, error) {
		if r.Node.DisablePowerOff {
			return restart(ctx, r)
		}
		return Holds(), nil
	}}
}

// restart starts a machine again without switching it off. An agent that has called since the one before was forgotten proves
// that it was done: only the answer was lost. Where nothing calls, a lost answer means that the machine starts twice.
func restart(ctx context.Context, r *Run) (Progress, error) {
	if r.Node.Boot.Action == ingot.BootKernel {
		if r.Node.Agent.Present() {
			return Holds(), nil
		}
		// A start whose answer was lost has used up the boot device, which holds for one start.
		if p, err := r.bootRamdisk(ctx, r.Node.Boot.Purpose); err != nil || !p.holds {
			return p, err
		}
	}
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		able, err := ability[ingot.Resetter](r.Node, m, "power", "reset")
		if err != nil {
			return err
		}
		return able.Reset(ctx)
	})
	if err != nil {
		return Progress{}, fmt.Errorf("cannot start %s again: %w", r.Node.Label(), err)
	}
	r.setPower(ingot.PowerOn)
	return Holds(), nil
}

// ensurePower looks at the power, and changes it if it is not what the action leads to. A machine that has just been
// told is looked at again before it is told again.
func ensurePower(ctx context.Context, r *Run, action ingot.PowerAction) (Progress, error) {
	want := ingot.PowerOff
	if action == ingot.ActionOn {
		want = ingot.PowerOn
	}
	holds, manual := false, false
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		now, err := m.PowerState(ctx)
		if err != nil {
			return err
		}
		if holds = now == want; holds {
			return nil
		}
		_, manual = ingot.As[ingot.Manual](m)
		if err := m.SetPower(ctx, action); err != nil {
			return err
		}
		now, err = m.PowerState(ctx)
		holds = err == nil && now == want
		return nil
	})
	if err != nil {
		return Progress{}, fmt.Errorf("cannot bring %s to %q: %w", r.Node.Label(), want, err)
	}
	if !holds {
		return NotYet(powerPoll, fmt.Sprintf("the machine was told %q and has not followed yet", action)), nil
	}
	if manual {
		r.Record("INFO", r.historyType(), r.handwork(action))
	}
	r.setPower(want)
	return Holds(), nil
}

// handwork asks people to switch a machine that nothing else can switch.
func (r *Run) handwork(action ingot.PowerAction) string {
	if action != ingot.ActionOn {
		return "switch this machine off by hand, if it is still on"
	}
	if r.Node.Boot.Action == ingot.BootKernel {
		return fmt.Sprintf("switch this machine on by hand, and have it boot from the network (%s ramdisk)", r.Node.Boot.Purpose)
	}
	return "switch this machine on by hand, and have it boot from its disk"
}

// setPower records the power that was seen where an operation wanted it: of a guest that was lost it is known again.
func (r *Run) setPower(seen ingot.PowerState) {
	if r.Node.RanWhenLost() && (seen == ingot.PowerOn || r.Op.Params[withHost] != true) {
		r.Change(func(n *ingot.Node) { n.Found() })
	}
	if r.Node.PowerState == seen {
		return
	}
	r.events = append(r.events, ingot.Event{
		At: r.Now, Type: "node.power", Node: r.Node.UUID,
		Data: map[string]any{"from": r.Node.PowerState, "to": seen},
	})
	r.Change(func(n *ingot.Node) { n.PowerState = seen })
}

// forgetAgent wipes what was known of the agent: whatever boots next must look itself up again.
func (r *Run) forgetAgent() {
	if r.Node.Agent != (ingot.Agent{}) {
		r.Change(func(n *ingot.Node) { n.Agent = ingot.Agent{} })
	}
}

// netboot is the step that has the machine boot the ramdisk from the network next time it starts.
func (c *Conductor) netboot(purpose string) Step {
	return Step{Name: "network-boot", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) { return r.bootRamdisk(ctx, purpose) }}
}

// bootRamdisk has the machine find the ramdisk on the network when it starts next.
func (r *Run) bootRamdisk(ctx context.Context, purpose string) (Progress, error) {
	token := r.Chosen(fmt.Sprintf("boot_token_%d", r.Op.Attempt), func() string { return r.Node.UUID + "." + rand.Text() })
	r.setBoot(ingot.BootTarget{Action: ingot.BootKernel, Purpose: purpose, Token: token})
	return r.bootFrom(ctx, ingot.BootSetting{Device: ingot.BootPXE, Mode: r.bootMode()})
}

// diskBoot is the step that has the machine boot from its disk from now on; one that runs from its CD drive, from that.
func (c *Conductor) diskBoot() Step {
	return Step{Name: "disk-boot", Class: Ensure, Do: func(ctx context.Context, r *Run) (Progress, error) {
		r.setBoot(instanceBoot())
		device := ingot.BootDisk
		if fromISO(r.Node) {
			device = ingot.BootCDROM
		}
		return r.bootFrom(ctx, ingot.BootSetting{Device: device, Persistent: true, Mode: r.bootMode()})
	}}
}

func (r *Run) setBoot(target ingot.BootTarget) {
	if r.Node.Boot != target {
		r.Change(func(n *ingot.Node) { n.Boot, n.Evidence = target, nil })
	}
}

// bootFrom ensures the boot device. A machine that cannot be told (Unsupported) boots by its own order, and the history
// says so.
func (r *Run) bootFrom(ctx context.Context, want ingot.BootSetting) (Progress, error) {
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error { return m.SetBootDevice(ctx, want) })
	if ingot.CodeOf(err) == ingot.Unsupported {
		r.Record("WARNING", r.historyType(), fmt.Sprintf("the BMC cannot set boot device %s, so the machine's own boot order decides: %v", want.Device, err))
		return Holds(), nil
	}
	if err != nil {
		return Progress{}, fmt.Errorf("cannot set boot device %s of %s: %w", want.Device, r.Node.Label(), err)
	}
	return Holds(), nil
}

// bootMode is the firmware interface that the node is to be booted with.
func (r *Run) bootMode() ingot.BootMode { return r.Node.Firmware() }

// callIn is the step that waits for the agent to have looked itself up and called.
func (c *Conductor) callIn() Step {
	return Step{Name: "agent", Class: Ensure, Timeout: c.Settings.CallbackTimeout, Do: func(ctx context.Context, r *Run) (Progress, error) {
		agent := r.Node.Agent
		if !agent.Present() {
			c.await(r.Node)
		}
		switch {
		case !agent.Present() && r.lostPower(ctx):
			return Again(firstPowerOff, "the machine lost power before its agent called"), nil
		case !agent.Present():
			return ForAgent(agentPoll, "waiting for the agent to call"+r.lastSeen()), nil
		}
		r.Op.AgentFingerprint = agent.Fingerprint
		return Holds(), nil
	}}
}

// agentPoll is how often an operation that waits for its agent is looked at without a wake; heartbeats wake it.
const agentPoll = 10 * time.Second
