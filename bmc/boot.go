package bmc

import (
	"context"
	"slices"

	"github.com/bmc-toolbox/bmclib/v2"
	lib "github.com/bmc-toolbox/bmclib/v2/bmc"

	"github.com/ingot-metal/ingot"
)

// Safe is a word that bmclib has not: the disk, with safe mode asked of the operating system. ipmitool calls it so.
const Safe lib.BootDeviceType = "safe"

// words pairs Ironic's names of boot devices with bmclib's.
var words = [...]struct {
	device ingot.BootDevice
	word   lib.BootDeviceType
}{
	{ingot.BootPXE, lib.BootDeviceTypePXE},
	{ingot.BootDisk, lib.BootDeviceTypeDisk},
	{ingot.BootCDROM, lib.BootDeviceTypeCDROM},
	{ingot.BootBIOS, lib.BootDeviceTypeBIOS},
	{ingot.BootSafe, Safe},
	{ingot.BootUEFIHTTP, lib.BootDeviceUefiHTTP},
}

// SupportedBootDevices are those that the protocol can name.
func (m *Machine) SupportedBootDevices() []ingot.BootDevice { return slices.Clone(m.devices) }

// BootDevice reads the override: no device when none is set, or one that Ironic has no word for.
func (m *Machine) BootDevice(ctx context.Context) (ingot.BootSetting, error) {
	var found ingot.BootSetting
	err := m.Do(ctx, "read the boot device", func(c *bmclib.Client) error {
		override, err := c.GetBootDeviceOverride(ctx)
		found = setting(override)
		return err
	})
	if err != nil {
		return ingot.BootSetting{}, err
	}
	return found, nil
}

// SetBootDevice writes the override where it differs.
func (m *Machine) SetBootDevice(ctx context.Context, want ingot.BootSetting) error {
	if !slices.Contains(m.devices, want.Device) {
		return ingot.Errorf(ingot.Unsupported, "cannot set the boot device of BMC %s: Invalid boot device %s specified. It is one of %v.", m.provider.Address(), want.Device, m.devices)
	}
	return m.Do(ctx, "set the boot device", func(c *bmclib.Client) error {
		now, err := c.GetBootDeviceOverride(ctx)
		if err != nil {
			return err
		}
		next := lib.BootDeviceOverride{Device: wordFor(want.Device), IsPersistent: want.Persistent, IsEFIBoot: now.IsEFIBoot}
		if want.Mode != "" {
			next.IsEFIBoot = want.Mode == ingot.ModeUEFI
		}
		if now == next && !m.Rewrite {
			return nil
		}
		_, err = c.SetBootDevice(ctx, string(next.Device), next.IsPersistent, next.IsEFIBoot)
		return err
	})
}

func wordFor(device ingot.BootDevice) lib.BootDeviceType {
	for _, pair := range words {
		if pair.device == device {
			return pair.word
		}
	}
	return ""
}

// setting is an override in Ironic's words.
func setting(o lib.BootDeviceOverride) ingot.BootSetting {
	s := ingot.BootSetting{Persistent: o.IsPersistent, Mode: ingot.ModeBIOS}
	if o.IsEFIBoot {
		s.Mode = ingot.ModeUEFI
	}
	for _, pair := range words {
		if pair.word == o.Device {
			s.Device = pair.device
		}
	}
	return s
}
