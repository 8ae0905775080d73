package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// applyBIOS is bios.apply_configuration: settings is a list of {name, value}.
func applyBIOS(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	list, err := pairs(args["settings"], "name", "value")
	if err != nil {
		return Progress{}, err
	}
	want := map[string]string{}
	for _, pair := range list {
		want[pair[0]] = pair[1]
	}
	return changeBIOS(ctx, r, "apply_configuration", func(now []ingot.BIOSSetting) bool {
		missing := len(want)
		for _, s := range now {
			if value, asked := want[s.Name]; asked && value == s.Value {
				missing--
			}
		}
		return missing == 0
	}, func(ctx context.Context, bios ingot.BIOSChanger) (bool, error) {
		return bios.ApplyBIOSSettings(ctx, want)
	})
}

// resetBIOS is bios.factory_reset. What the factory's settings are nobody says, so one reset in each operation is
// remembered as done.
func resetBIOS(ctx context.Context, r *Run, _ map[string]any) (Progress, error) {
	key := fmt.Sprintf("bios_reset_%d", r.Op.Slot)
	if r.Op.Memory[key] == true {
		return Holds(), r.readBIOS(ctx)
	}
	return changeBIOS(ctx, r, "factory_reset", func([]ingot.BIOSSetting) bool { return false }, func(ctx context.Context, bios ingot.BIOSChanger) (bool, error) {
		restart, err := bios.ResetBIOS(ctx)
		if err == nil {
			r.Remember(key, true)
		}
		return restart, err
	})
}

// changeBIOS looks at the settings and changes them where they are not as wanted. Some hold only when the machine has
// started again: then the operation goes back to where it switches it off, as another attempt.
func changeBIOS(ctx context.Context, r *Run, what string, holds func([]ingot.BIOSSetting) bool, change func(context.Context, ingot.BIOSChanger) (bool, error)) (Progress, error) {
	var restart, done bool
	err := r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		reader, err := ability[ingot.BIOSSettings](r.Node, m, "bios", what)
		if err != nil {
			return err
		}
		now, err := reader.BIOSSettings(ctx)
		if done = err == nil && holds(now); err != nil || done {
			return err
		}
		bios, err := ability[ingot.BIOSChanger](r.Node, m, "bios", what)
		if err != nil {
			return err
		}
		restart, err = change(ctx, bios)
		return err
	})
	switch {
	case err != nil:
		return Progress{}, err
	case done:
		return Holds(), r.readBIOS(ctx)
	case restart:
		return Again(firstPowerOff, "the machine has to start again for its BIOS settings to hold"), nil
	}
	return NotYet(powerPoll, "the BIOS settings were changed and do not hold yet"), nil
}

// readBIOS keeps the settings as the machine says they are.
func (r *Run) readBIOS(ctx context.Context) error {
	return r.BMC(ctx, func(ctx context.Context, m ingot.Machine) error {
		reader, err := ability[ingot.BIOSSettings](r.Node, m, "bios", "cache_bios_settings")
		if err != nil {
			return err
		}
		settings, err := reader.BIOSSettings(ctx)
		if err != nil {
			return err
		}
		return r.c.Firmware.PutBIOSSettings(ctx, r.Node.UUID, settings)
	})
}
