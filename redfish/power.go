package redfish

import (
	"context"
	"slices"

	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// PowerStateGet is "on" or "off", of a machine on its way what it is going to be (ComputerSystem's PowerState; bmclib's
// PowerStateGetter).
func (s *service) PowerStateGet(ctx context.Context) (string, error) {
	word := ""
	err := s.ask(ctx, func() error {
		system, err := s.system()
		if err != nil {
			return err
		}
		switch system.PowerState {
		case redfish.OnPowerState, redfish.PoweringOnPowerState:
			word = "on"
		case redfish.OffPowerState, redfish.PoweringOffPowerState:
			word = "off"
		default:
			word = string(system.PowerState)
		}
		return nil
	})
	return word, err
}

// PowerSet does "on", "off", "soft" or "reset" (action ComputerSystem.Reset; bmclib's PowerSetter).
func (s *service) PowerSet(ctx context.Context, state string) (bool, error) {
	var err error
	switch state {
	case "on":
		err = s.reset(ctx, redfish.OnResetType, redfish.ForceOnResetType)
	case "off":
		err = s.reset(ctx, redfish.ForceOffResetType)
	case "soft":
		err = s.reset(ctx, redfish.GracefulShutdownResetType)
	case "reset":
		err = s.reset(ctx, redfish.ForceRestartResetType)
	default:
		err = s.ask(ctx, func() error {
			return ingot.Errorf(ingot.Invalid, "cannot set the power of %s to %q", s.set.endpoint, state)
		})
	}
	return err == nil, err
}

// SendNMI sends a diagnostic interrupt (bmclib's NMISender).
func (s *service) SendNMI(ctx context.Context) error { return s.reset(ctx, redfish.NmiResetType) }

// reset does the first of kinds that the system allows; all but a restart are absolute.
func (s *service) reset(ctx context.Context, kinds ...redfish.ResetType) error {
	return s.ask(ctx, func() error {
		system, err := s.system()
		if err != nil {
			return err
		}
		allowed := system.SupportedResetTypes
		for _, kind := range kinds {
			if len(allowed) == 0 || slices.Contains(allowed, kind) {
				return system.Reset(kind)
			}
		}
		return ingot.Errorf(ingot.Unsupported, "cannot do %s on %s%s: it allows only %v", kinds[0], s.set.endpoint, s.path, allowed)
	})
}
