package vbmc

import (
	"context"
	"slices"

	"github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/types"
	"github.com/google/uuid"
)

// deviceInfo is Get Device ID's answer (IPMI table 20-2): chassis, SEL, SDR,
// FRU and sensor device, no vendor. Version 2.0 is 02h: the minor digit is the
// high nibble.
func deviceInfo() bmc.DeviceInfo {
	return bmc.DeviceInfo{DeviceID: 0x20, DeviceRevision: 1, FirmwareMajor: 1, IPMIVersion: 0x02, AdditionalDeviceSupport: 0x8f}
}

// chassisRequests are the values of Chassis Control (IPMI table 28-4).
func chassisRequest(value uint8) (request, bool) {
	asks := []request{askOff, askOn, askCycle, askReset, askNMI, askShutdown}
	if int(value) >= len(asks) {
		return "", false
	}
	return asks[value], true
}

func (i *ipmiServer) chassisControl(ctx context.Context, data []byte) ([]byte, error) {
	ask, ok := chassisRequest(data[0] & 0x0f)
	if !ok {
		return nil, types.CodeRequestDataFieldInvalid
	}
	c := note(ctx, VerbPower, string(ask))
	changed, err := i.server.control.act(ctx, ask)
	if err == nil && !changed {
		c.Outcome = OutcomeUnchanged
	}
	return nil, err
}

// chassisStatus answers Get Chassis Status (IPMI table 28-3).
func (i *ipmiServer) chassisStatus(ctx context.Context, _ []byte) ([]byte, error) {
	note(ctx, VerbPowerState, "")
	on, err := i.server.Machine.Power(ctx)
	if err != nil {
		return nil, err
	}
	const (
		powerIsOn          = 0x01
		restorePolicyOff   = 0x00 << 5 // stays off after mains failure
		lastOnByCommand    = 0x10
		identifySupported  = 0x40
		identifyIndefinite = 0x20
	)
	status := []byte{restorePolicyOff, 0, identifySupported}
	if on {
		status[0] |= powerIsOn
	}
	if i.server.control.poweredOnByCommand() {
		status[1] |= lastOnByCommand
	}
	if i.flags.identifying() {
		status[2] |= identifyIndefinite
	}
	return status, nil
}

// chassisIdentify switches the locator light (IPMI table 28-5). An interval is
// kept as "on": the light of a virtual machine has nobody to see it go out.
func (i *ipmiServer) chassisIdentify(_ context.Context, data []byte) ([]byte, error) {
	on := len(data) == 0 || data[0] > 0 || len(data) > 1 && data[1]&1 != 0
	i.flags.identify(on)
	return nil, nil
}

// restartCause answers 1, chassis control command, or 0, unknown (IPMI table 28-11).
func (i *ipmiServer) restartCause(context.Context, []byte) ([]byte, error) {
	if i.server.control.poweredOnByCommand() {
		return []byte{1, lanChannel}, nil
	}
	return []byte{0, lanChannel}, nil
}

// resetBMC restarts the BMC, not the machine: volatile settings go, but the
// session that asked stays until its client closes it, so that the answer can
// be authenticated.
func (i *ipmiServer) resetBMC(context.Context, []byte) ([]byte, error) {
	i.bmc.SOL.CloseAll()
	i.bmc.SOL.Config().ResetVolatile()
	i.flags.identify(false)
	return nil, nil
}

func (i *ipmiServer) systemGUID(context.Context, []byte) ([]byte, error) {
	guid := ipmiGUID(i.server.device.UUID)
	return guid[:], nil
}

// ipmiGUID is id in IPMI's byte order, last byte first (IPMI section 20.8).
func ipmiGUID(id uuid.UUID) [16]byte {
	slices.Reverse(id[:])
	return id
}
