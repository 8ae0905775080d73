package ipmi

import (
	"github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// safeDisk is a word that bmclib has not: the disk, with safe mode asked of the operating system. ipmitool calls it so.
const safeDisk bmc.BootDeviceType = "safe"

// bootTable has a row for each boot device that IPMI can name: in Ironic's words, in bmclib's, and as the boot flags'
// device number (IPMI 2.0 table 28-14, parameter 5, data 2).
var bootTable = [...]struct {
	device   ingot.BootDevice
	word     bmc.BootDeviceType
	selector types.BootDeviceSelector
}{
	{ingot.BootPXE, bmc.BootDeviceTypePXE, types.BootDeviceSelectorForcePXE},
	{ingot.BootDisk, bmc.BootDeviceTypeDisk, types.BootDeviceSelectorForceHardDrive},
	{ingot.BootCDROM, bmc.BootDeviceTypeCDROM, types.BootDeviceSelectorForceCDROM},
	{ingot.BootBIOS, bmc.BootDeviceTypeBIOS, types.BootDeviceSelectorForceBIOSSetup},
	{ingot.BootSafe, safeDisk, types.BootDeviceSelectorForceHardDriveSafe},
}

// SupportedBootDevices are those that IPMI can name.
func (m *machine) SupportedBootDevices() []ingot.BootDevice {
	var all []ingot.BootDevice
	for _, row := range bootTable {
		all = append(all, row.device)
	}
	return all
}

// fromFlags reads boot flags. Flags that are not valid name no device, but their EFI bit is what the BMC has.
func fromFlags(flags *types.BootOptionParam_BootFlags) bmc.BootDeviceOverride {
	override := bmc.BootDeviceOverride{Device: bmc.BootDeviceTypeNone, IsEFIBoot: bool(flags.BIOSBootType)}
	if !flags.BootFlagsValid {
		return override
	}
	override.IsPersistent = flags.Persist
	for _, row := range bootTable {
		if row.selector == flags.BootDeviceSelector {
			override.Device = row.word
		}
	}
	return override
}

// setting is an override in Ironic's words; no device where there is none, or one that Ironic has no word for.
func setting(o bmc.BootDeviceOverride) ingot.BootSetting {
	s := ingot.BootSetting{Persistent: o.IsPersistent, Mode: ingot.ModeBIOS}
	if o.IsEFIBoot {
		s.Mode = ingot.ModeUEFI
	}
	for _, row := range bootTable {
		if row.word == o.Device {
			s.Device = row.device
		}
	}
	return s
}

// word is bmclib's name of a boot device; false for one that IPMI cannot name.
func word(device ingot.BootDevice) (bmc.BootDeviceType, bool) {
	for _, row := range bootTable {
		if row.device == device {
			return row.word, true
		}
	}
	return "", false
}

// selector is the number of a boot device of bmclib's name.
func selector(device string) (types.BootDeviceSelector, bool) {
	for _, row := range bootTable {
		if string(row.word) == device {
			return row.selector, true
		}
	}
	return 0, false
}
