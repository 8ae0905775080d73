package vbmc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errWrongState is an action that the machine's power state does not allow:
// IPMI completion code D5h, HTTP 409.
var errWrongState = errors.New("not possible while the machine is off")

// errUnsupported is an action that this machine has no means for.
var errUnsupported = errors.New("the machine cannot do this")

// request is what a client can ask about power, in both protocols.
type request string

const (
	askOn       request = "on"
	askOff      request = "off"
	askShutdown request = "shutdown"
	askReset    request = "reset"
	askCycle    request = "cycle"
	askNMI      request = "nmi"
	askButton   request = "button"
)

// control is the part of a BMC that both protocols share: the machine and the
// boot override.
//
// Lock order: power, then mu.
type control struct {
	machine Machine
	record  func(Entry)
	now     func() time.Time
	// started, when set, hears that the machine runs its firmware.
	started func()
	// keepBoot is Server.KeepBoot.
	keepBoot func(Boot)
	// timeout is Server.BootTimeout.
	timeout time.Duration

	// power is held during every power action.
	power sync.Mutex

	mu         sync.Mutex
	boot       Boot
	generation int       // counts changes of boot
	since      time.Time // when the countdown for boot began; zero is none
	keep       bool      // IPMI switched the countdown off
	poweredBy  bool
}

// act carries out what a client asked. changed is false when the fact held
// already.
func (c *control) act(ctx context.Context, ask request) (changed bool, err error) {
	c.power.Lock()
	defer c.power.Unlock()
	c.recount()
	on, err := c.machine.Power(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot ask the machine for its power state: %w", err)
	}
	if ask == askButton {
		ask = askOn
		if on {
			ask = askShutdown
		}
	}
	switch ask {
	case askOn:
		if on {
			return false, nil
		}
		return true, c.start(ctx, PowerOn)
	case askOff, askShutdown:
		if !on {
			return false, nil
		}
		return true, c.stop(ctx, ask)
	}
	if !on {
		return false, errWrongState
	}
	switch ask {
	case askReset:
		return true, c.start(ctx, PowerReset)
	case askCycle:
		if err := c.stop(ctx, askOff); err != nil {
			return true, err
		}
		return true, c.start(ctx, PowerOn)
	case askNMI:
		return true, c.nmi(ctx)
	}
	return false, errUnsupported
}

// start runs the firmware with the boot override and uses up a one-time one.
func (c *control) start(ctx context.Context, action PowerAction) error {
	c.mu.Lock()
	boot, generation := c.boot, c.generation
	c.mu.Unlock()

	verb := VerbStart
	if action == PowerReset {
		verb = VerbReset
	}
	err := c.machine.SetPower(ctx, action, boot)
	c.did(verb, boot.String(), err)
	if err != nil {
		return fmt.Errorf("cannot switch the machine %s: %w", action, err)
	}
	if c.started != nil {
		c.started()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.poweredBy = true
	// A client may have set another override while the machine started.
	if !boot.Persistent && c.generation == generation {
		c.setBootLocked(Boot{})
	}
	return nil
}

// stop ends the machine's run, by force or by asking the operating system.
func (c *control) stop(ctx context.Context, ask request) error {
	action, verb := PowerOff, VerbStop
	if ask == askShutdown {
		action, verb = PowerShutdown, VerbShutdown
	}
	err := c.machine.SetPower(ctx, action, Boot{})
	c.did(verb, "", err)
	if err != nil {
		return fmt.Errorf("cannot switch the machine %s: %w", action, err)
	}
	return nil
}

func (c *control) nmi(ctx context.Context) error {
	injector, ok := c.machine.(NMIInjector)
	if !ok {
		return errUnsupported
	}
	err := injector.InjectNMI(ctx)
	c.did(VerbNMI, "", err)
	if err != nil {
		return fmt.Errorf("cannot send the machine an NMI: %w", err)
	}
	return nil
}

// did records what was done to the machine.
func (c *control) did(verb, argument string, err error) {
	outcome := OutcomeOK
	if err != nil {
		outcome = "error: " + err.Error()
	}
	c.record(Entry{Time: c.now(), Protocol: ProtocolMachine, Verb: verb, Argument: argument, Outcome: outcome})
}

// override returns the boot override that the next start would use.
func (c *control) override() Boot {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expireLocked()
	return c.boot
}

// setOverride replaces it; counted starts IPMI's countdown for it.
func (c *control) setOverride(b Boot, counted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setBootLocked(b)
	if counted && c.boot.Set() {
		c.since = c.now()
	}
}

func (c *control) setBootLocked(b Boot) {
	if !b.Set() {
		b = Boot{}
	}
	if c.keepBoot != nil && b != c.boot {
		c.keepBoot(b)
	}
	c.boot = b
	c.since = time.Time{}
	c.generation++
}

// keepOverride switches the countdown off or on (IPMI boot parameter 3, bit 3).
func (c *control) keepOverride(keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep = keep
}

// recount drops an override whose countdown has ended and starts the countdown
// again for one that is still good, as every power command does.
func (c *control) recount() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expireLocked()
	if !c.since.IsZero() {
		c.since = c.now()
	}
}

func (c *control) expireLocked() {
	if c.timeout > 0 && !c.since.IsZero() && !c.keep && c.now().Sub(c.since) > c.timeout {
		c.setBootLocked(Boot{})
	}
}

// takeBoot is [Server.TakeBoot].
func (c *control) takeBoot() Boot {
	c.mu.Lock()
	c.expireLocked()
	boot := c.boot
	if !boot.Persistent {
		c.setBootLocked(Boot{})
	}
	c.mu.Unlock()
	if c.started != nil {
		c.started()
	}
	c.did(VerbSelfBoot, boot.String(), nil)
	return boot
}

// poweredOnByCommand says whether a command has ever started the machine.
func (c *control) poweredOnByCommand() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.poweredBy
}
