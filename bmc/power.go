package bmc

import (
	"context"
	"strings"

	"github.com/bmc-toolbox/bmclib/v2"

	"github.com/ingot-metal/ingot"
)

// PowerState asks the BMC.
func (m *Machine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	var state ingot.PowerState
	err := m.Do(ctx, "read the power state", func(c *bmclib.Client) error {
		word, err := c.GetPowerState(ctx)
		state = PowerState(word)
		return err
	})
	if err != nil {
		return "", err
	}
	return state, nil
}

// SetPower asks first and leaves out what would change nothing: some BMCs refuse to switch off what is off.
func (m *Machine) SetPower(ctx context.Context, action ingot.PowerAction) error {
	word := ""
	switch action {
	case ingot.ActionOn:
		word = "on"
	case ingot.ActionOff:
		word = "off"
	case ingot.ActionSoftOff:
		word = "soft"
	default:
		return ingot.Errorf(ingot.Invalid, "cannot do power action %q: it does not exist", action)
	}
	return m.Do(ctx, "switch the power "+word, func(c *bmclib.Client) error {
		now, err := c.GetPowerState(ctx)
		if err != nil || (PowerState(now) == ingot.PowerOn) == (action == ingot.ActionOn) {
			return err
		}
		_, err = c.SetPowerState(ctx, word)
		return err
	})
}

// Reset starts the machine again without switching it off (ingot.Resetter).
func (m *Machine) Reset(ctx context.Context) error {
	return m.Do(ctx, "reset the machine", func(c *bmclib.Client) error {
		now, err := c.GetPowerState(ctx)
		if err != nil {
			return err
		}
		word := "reset"
		if PowerState(now) == ingot.PowerOff {
			word = "on"
		}
		_, err = c.SetPowerState(ctx, word)
		return err
	})
}

// InjectNMI sends a diagnostic interrupt.
func (m *Machine) InjectNMI(ctx context.Context) error {
	return m.Do(ctx, "send an NMI", func(c *bmclib.Client) error { return c.SendNMI(ctx) })
}

// PowerState reads a provider's word: "on", or "Chassis Power is on" of ipmitool.
func PowerState(word string) ingot.PowerState {
	fields := strings.Fields(strings.ToLower(word))
	if len(fields) == 0 {
		return ingot.PowerError
	}
	switch fields[len(fields)-1] {
	case "on":
		return ingot.PowerOn
	case "off":
		return ingot.PowerOff
	}
	return ingot.PowerError
}
