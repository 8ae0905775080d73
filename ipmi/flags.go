package ipmi

import (
	lib "github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/bmc"
)

// bootDevices are those that IPMI can name.
func bootDevices() []ingot.BootDevice {
	return []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM, ingot.BootBIOS, ingot.BootSafe}
}

// selectors pairs bmclib's words with the boot flags' device numbers (IPMI 2.0 table 28-14, parameter 5, data 2).
var selectors = [...]struct {
	word   lib.BootDeviceType
	number types.BootDeviceSelector
}{
	{lib.BootDeviceTypePXE, types.BootDeviceSelectorForcePXE},
	{lib.BootDeviceTypeDisk, types.BootDeviceSelectorForceHardDrive},
	{lib.BootDeviceTypeCDROM, types.BootDeviceSelectorForceCDROM},
	{lib.BootDeviceTypeBIOS, types.BootDeviceSelectorForceBIOSSetup},
	{bmc.Safe, types.BootDeviceSelectorForceHardDriveSafe},
}

// selector is the number of a boot device of bmclib's name; false for one that IPMI cannot name.
func selector(device string) (types.BootDeviceSelector, bool) {
	for _, pair := range selectors {
		if string(pair.word) == device {
			return pair.number, true
		}
	}
	return 0, false
}

// override reads boot flags. Flags that are not valid name no device, whatever an earlier boot left in them, but their
// EFI bit is what the BMC has.
func override(flags *types.BootOptionParam_BootFlags) lib.BootDeviceOverride {
	o := lib.BootDeviceOverride{Device: lib.BootDeviceTypeNone, IsEFIBoot: bool(flags.BIOSBootType)}
	if !flags.BootFlagsValid {
		return o
	}
	o.IsPersistent = flags.Persist
	for _, pair := range selectors {
		if pair.number == flags.BootDeviceSelector {
			o.Device = pair.word
		}
	}
	return o
}
