package redfish

import (
	"context"

	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// BootMode is the mode of the boot override (ComputerSystem's BootSourceOverrideMode), which is the mode that the machine
// starts with.
func (m *machine) BootMode(ctx context.Context) (mode ingot.BootMode, err error) {
	err = m.do(ctx, "read the boot mode", func(system *redfish.ComputerSystem) error {
		switch system.Boot.BootSourceOverrideMode {
		case redfish.UEFIBootSourceOverrideMode:
			mode = ingot.ModeUEFI
		case redfish.LegacyBootSourceOverrideMode:
			mode = ingot.ModeBIOS
		}
		return nil
	})
	return mode, err
}

// SetBootMode changes it where it differs.
func (m *machine) SetBootMode(ctx context.Context, mode ingot.BootMode) error {
	want := redfish.LegacyBootSourceOverrideMode
	if mode == ingot.ModeUEFI {
		want = redfish.UEFIBootSourceOverrideMode
	}
	return m.do(ctx, "set the boot mode", func(system *redfish.ComputerSystem) error {
		switch system.Boot.BootSourceOverrideMode {
		case want:
			return nil
		case "":
			return m.lacks("boot mode to choose (BootSourceOverrideMode)")
		}
		return system.SetBoot(redfish.Boot{BootSourceOverrideMode: want})
	})
}

// SecureBoot says whether it is enabled (SecureBoot's SecureBootEnable).
func (m *machine) SecureBoot(ctx context.Context) (on bool, err error) {
	err = m.secureBoot(ctx, "read Secure Boot", func(s *redfish.SecureBoot) error {
		on = s.SecureBootEnable
		return nil
	})
	return on, err
}

// SetSecureBoot changes it where it differs.
func (m *machine) SetSecureBoot(ctx context.Context, on bool) error {
	return m.secureBoot(ctx, "set Secure Boot", func(s *redfish.SecureBoot) error {
		if s.SecureBootEnable == on {
			return nil
		}
		s.SecureBootEnable = on
		return s.Update()
	})
}

func (m *machine) secureBoot(ctx context.Context, what string, talk func(*redfish.SecureBoot) error) error {
	return m.do(ctx, what, func(system *redfish.ComputerSystem) error {
		s, err := system.SecureBoot()
		if err != nil {
			return err
		}
		if s == nil {
			return m.lacks("Secure Boot")
		}
		return talk(s)
	})
}
