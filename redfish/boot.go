package redfish

import (
	"context"
	"encoding/json"
	"slices"

	lib "github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// bootDevices are those that Redfish can name.
func bootDevices() []ingot.BootDevice {
	return []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM, ingot.BootBIOS, ingot.BootUEFIHTTP}
}

// targets pairs bmclib's words with Redfish's (ComputerSystem's BootSourceOverrideTarget).
var targets = [...]struct {
	word   lib.BootDeviceType
	target redfish.BootSourceOverrideTarget
}{
	{lib.BootDeviceTypePXE, redfish.PxeBootSourceOverrideTarget},
	{lib.BootDeviceTypeDisk, redfish.HddBootSourceOverrideTarget},
	{lib.BootDeviceTypeCDROM, redfish.CdBootSourceOverrideTarget},
	{lib.BootDeviceTypeBIOS, redfish.BiosSetupBootSourceOverrideTarget},
	{lib.BootDeviceUefiHTTP, redfish.UefiHTTPBootSourceOverrideTarget},
}

// BootDeviceOverrideGet reads the boot override (bmclib's BootDeviceOverrideGetter).
func (s *service) BootDeviceOverrideGet(ctx context.Context) (lib.BootDeviceOverride, error) {
	o := lib.BootDeviceOverride{Device: lib.BootDeviceTypeNone}
	err := s.ask(ctx, func() error {
		system, err := s.system()
		if err != nil {
			return err
		}
		boot := system.Boot
		o.IsEFIBoot = boot.BootSourceOverrideMode == redfish.UEFIBootSourceOverrideMode
		if boot.BootSourceOverrideEnabled != redfish.OnceBootSourceOverrideEnabled && boot.BootSourceOverrideEnabled != redfish.ContinuousBootSourceOverrideEnabled {
			return nil
		}
		for _, pair := range targets {
			if pair.target == boot.BootSourceOverrideTarget {
				o.Device, o.IsPersistent = pair.word, boot.BootSourceOverrideEnabled == redfish.ContinuousBootSourceOverrideEnabled
			}
		}
		return nil
	})
	return o, err
}

// BootDeviceSet writes the boot override (bmclib's BootDeviceSetter).
func (s *service) BootDeviceSet(ctx context.Context, device string, persistent, efi bool) (bool, error) {
	err := s.ask(ctx, func() error {
		system, err := s.system()
		if err != nil {
			return err
		}
		next := redfish.Boot{BootSourceOverrideTarget: target(device), BootSourceOverrideEnabled: redfish.OnceBootSourceOverrideEnabled}
		if persistent {
			next.BootSourceOverrideEnabled = redfish.ContinuousBootSourceOverrideEnabled
		}
		if err := s.allowed(system, next); err != nil {
			return err
		}
		// Some systems have no mode, or refuse the one that they are in: it is sent only to change it.
		mode := redfish.LegacyBootSourceOverrideMode
		if efi {
			mode = redfish.UEFIBootSourceOverrideMode
		}
		if now := system.Boot.BootSourceOverrideMode; now != mode && (now != "" || efi) {
			next.BootSourceOverrideMode = mode
		}
		return system.SetBoot(next)
	})
	return err == nil, err
}

// target is Redfish's word for a boot device of bmclib's name.
func target(device string) redfish.BootSourceOverrideTarget {
	for _, pair := range targets {
		if string(pair.word) == device {
			return pair.target
		}
	}
	return ""
}

// allowed refuses what the system says that it does not take. Where it says nothing, its answer to the change will.
func (s *service) allowed(system *redfish.ComputerSystem, next redfish.Boot) error {
	var resource struct {
		Boot struct {
			Targets []redfish.BootSourceOverrideTarget  `json:"BootSourceOverrideTarget@Redfish.AllowableValues"`
			Enabled []redfish.BootSourceOverrideEnabled `json:"BootSourceOverrideEnabled@Redfish.AllowableValues"`
		}
	}
	if err := json.Unmarshal(system.RawData, &resource); err != nil {
		return err
	}
	if all := resource.Boot.Targets; next.BootSourceOverrideTarget == "" || len(all) > 0 && !slices.Contains(all, next.BootSourceOverrideTarget) {
		return ingot.Errorf(ingot.Unsupported, "cannot boot %s%s from %s: it allows only %v", s.set.endpoint, s.path, next.BootSourceOverrideTarget, all)
	}
	if all := resource.Boot.Enabled; len(all) > 0 && !slices.Contains(all, next.BootSourceOverrideEnabled) {
		return ingot.Errorf(ingot.Unsupported, "cannot boot %s%s from %s: for how long it allows only %v, not %s",
			s.set.endpoint, s.path, next.BootSourceOverrideTarget, all, next.BootSourceOverrideEnabled)
	}
	return nil
}
