package vbmc

import (
	"context"
	"sync"

	"github.com/bougou/go-ipmi/pkg/types"
)

// Selectors of the boot option parameters that are kept (IPMI table 28-14).
const (
	bootSetInProgress = 0
	bootValidClearing = 3
	bootAcknowledge   = 4
	bootFlags         = 5
)

// Bits of the boot flags, parameter 5.
const (
	flagsValid      = 0x80 // byte 1
	flagsPersistent = 0x40
	flagsEFI        = 0x20
	flagsDeviceMask = 0x3c // byte 2
)

// bootVersion is the boot options parameter version.
const bootVersion = 0x01

// keepOnTimeout in parameter 3 leaves the flags valid when no chassis control
// command follows them in time.
const keepOnTimeout = 0x08

// bootOptions is what IPMI keeps besides the boot override itself. Only
// Server.control knows what will be booted, because Redfish sets it as well.
type bootOptions struct {
	mu          sync.Mutex
	inProgress  uint8
	clearing    uint8
	acknowledge [2]byte
	flags       [5]byte // as last written, for the bits that Boot has not
	blink       bool
}

// setBootOptions answers Set System Boot Options (IPMI table 28-12).
func (i *ipmiServer) setBootOptions(ctx context.Context, data []byte) ([]byte, error) {
	selector, value := data[0]&0x7f, data[1:]
	o := &i.flags
	switch {
	case selector == bootSetInProgress && len(value) == 1 && value[0]&3 <= 1:
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.inProgress == 1 && value[0]&3 == 1 {
			return nil, types.CodeParamConfigSetInProgressConflict
		}
		o.inProgress = value[0] & 3
	case selector == bootValidClearing && len(value) == 1:
		o.mu.Lock()
		defer o.mu.Unlock()
		o.clearing = value[0] & 0x1f
		i.server.control.keepOverride(value[0]&keepOnTimeout != 0)
	case selector == bootAcknowledge && len(value) == 2:
		o.mu.Lock()
		defer o.mu.Unlock()
		o.acknowledge = [2]byte(value)
	case selector == bootFlags && len(value) == 5:
		return nil, i.setBootFlags(ctx, [5]byte(value))
	case selector == bootFlags && len(value) == 0:
		// Only the parameter's lock bit: there is nothing to lock out.
	case selector == bootSetInProgress, selector == bootValidClearing, selector == bootAcknowledge, selector == bootFlags:
		return nil, types.CodeRequestDataLengthInvalid
	default:
		return nil, types.CodeParameterNotSupported
	}
	return nil, nil
}

// deviceOfCode maps the boot device selector. Codes for floppies and
// diagnostics are refused: no machine here has them.
func deviceOfCode(code uint8) (BootDevice, bool) {
	switch code {
	case 0:
		return BootNone, true
	case 1:
		return BootPXE, true
	case 2, 3: // 3 is "disk, safe mode"
		return BootDisk, true
	case 5, 8: // 8 is "remotely connected CD/DVD"
		return BootCDROM, true
	case 6:
		return BootBIOS, true
	}
	return "", false
}

// codeOfDevice is deviceOfCode's inverse; HTTP boot, which IPMI does not know,
// shows as network boot.
func codeOfDevice(d BootDevice) uint8 {
	switch d {
	case BootPXE, BootUEFIHTTP:
		return 1
	case BootDisk:
		return 2
	case BootCDROM:
		return 5
	case BootBIOS:
		return 6
	}
	return 0
}

func (i *ipmiServer) setBootFlags(ctx context.Context, flags [5]byte) error {
	device, ok := deviceOfCode(flags[1] & flagsDeviceMask >> 2)
	if !ok {
		note(ctx, VerbBootDevice, "unknown")
		return types.CodeRequestDataFieldInvalid
	}
	boot := Boot{Device: device, Persistent: flags[0]&flagsPersistent != 0, EFI: flags[0]&flagsEFI != 0}
	if flags[0]&flagsValid == 0 {
		boot = Boot{}
	}
	note(ctx, VerbBootDevice, boot.String())
	i.flags.mu.Lock()
	i.flags.flags = flags
	i.flags.mu.Unlock()
	i.server.control.setOverride(boot, true)
	return nil
}

// getBootOptions answers Get System Boot Options (IPMI table 28-13).
func (i *ipmiServer) getBootOptions(_ context.Context, data []byte) ([]byte, error) {
	selector := data[0] & 0x7f
	answer := []byte{bootVersion, selector}
	boot := i.server.control.override()
	i.flags.mu.Lock()
	defer i.flags.mu.Unlock()
	switch selector {
	case bootSetInProgress:
		return append(answer, i.flags.inProgress), nil
	case bootValidClearing:
		return append(answer, i.flags.clearing), nil
	case bootAcknowledge:
		return append(answer, i.flags.acknowledge[:]...), nil
	case bootFlags:
		flags := i.flags.showLocked(boot)
		return append(answer, flags[:]...), nil
	}
	return nil, types.CodeParameterNotSupported
}

// showLocked is boot in IPMI's form, with the bits that the last writer added.
func (o *bootOptions) showLocked(boot Boot) [5]byte {
	flags := o.flags
	flags[0] &^= flagsValid | flagsPersistent | flagsEFI
	if code, _ := deviceOfCode(flags[1] & flagsDeviceMask >> 2); code != boot.Device {
		flags[1] = flags[1]&^flagsDeviceMask | codeOfDevice(boot.Device)<<2
	}
	if !boot.Set() {
		return flags
	}
	flags[0] |= flagsValid
	if boot.Persistent {
		flags[0] |= flagsPersistent
	}
	if boot.EFI {
		flags[0] |= flagsEFI
	}
	return flags
}

// identify switches the locator light.
func (o *bootOptions) identify(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blink = on
}

func (o *bootOptions) identifying() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blink
}
