package ipmi

import (
	"context"
	"fmt"
	"net"
	"strconv"

	lib "github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/command/chassis"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// native is bmclib's provider for IPMI 2.0 on go-ipmi: one session with one BMC.
type native struct {
	set    settings
	opt    Options
	client *client.Client
	wire   *wire
	failed error
}

// Name is the provider's name in bmclib's errors and spans.
func (n *native) Name() string { return "ingot-ipmi" }

// Address is the BMC's host and port.
func (n *native) Address() string { return net.JoinHostPort(n.set.host, strconv.Itoa(n.set.port)) }

// Explain gives a failure its code and its sentence (bmc.Provider).
func (n *native) Explain(what string, err error) error {
	return explain(what, n.Address(), n.set.username, err)
}

// Heard says whether the BMC answered, if only with a refusal (bmc.Provider).
func (n *native) Heard(err error) bool { return answered(err) }

// note keeps the cause of a failure, which bmclib reduces to text on some paths.
func (n *native) note(err error) error {
	n.failed = err
	return err
}

// Cause is the failure of the call before, once (bmc.Provider).
func (n *native) Cause() error {
	err := n.failed
	n.failed = nil
	return err
}

// ask runs an exchange of a session. After one that was not answered the goroutines that go-ipmi waits in end too.
func (n *native) ask(ctx context.Context, what string, do func() error) error {
	if err := ctx.Err(); err != nil {
		return n.note(err)
	}
	n.wire.under(ctx)
	if err := contained(do); err != nil {
		if !answered(err) {
			n.wire.hangUp()
			if ctx.Err() != nil {
				err = ctx.Err() // and not what go-ipmi made of it
			}
		}
		return n.note(fmt.Errorf("%s: %w", what, err))
	}
	return nil
}

// contained makes an error of a panic in one of go-ipmi's decoders, which index some answers unseen.
func contained(do func() error) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("cannot read the answer: %v", broken)
		}
	}()
	return do()
}

// Close ends the session (bmclib's Closer). A BMC that is gone costs the time of one datagram; after a failed exchange
// or on a ctx that ended, the good-bye is sent without waiting, since BMCs have few session slots and keep one for a
// minute otherwise (IPMI 2.0 section 6.12.15).
func (n *native) Close(ctx context.Context) error {
	if n.client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, n.opt.Timeout)
	defer cancel()
	c := n.client.WithRetry(0)
	n.client = nil
	defer n.wire.Close()
	_ = c.Close(ctx) // fails when the BMC was gone before: the socket is closed in any case
	return nil
}

// PowerStateGet is "on" or "off" (section 28.2; bmclib's PowerStateGetter).
func (n *native) PowerStateGet(ctx context.Context) (string, error) {
	state := "off"
	err := n.ask(ctx, "Get Chassis Status", func() error {
		status, err := n.client.GetChassisStatus(ctx)
		if err == nil && status.PowerIsOn {
			state = "on"
		}
		return err
	})
	return state, err
}

// PowerSet does "on", "off", "soft" or "reset" (section 28.3; bmclib's PowerSetter).
func (n *native) PowerSet(ctx context.Context, state string) (bool, error) {
	controls := map[string]chassis.ChassisControl{
		"on": chassis.ChassisControlPowerUp, "off": chassis.ChassisControlPowerDown, "soft": chassis.ChassisControlSoftShutdown,
		"reset": chassis.ChassisControlHardReset,
	}
	control, ok := controls[state]
	if !ok {
		return false, n.note(ingot.Errorf(ingot.Invalid, "cannot set the power of BMC %s to %q", n.Address(), state))
	}
	err := n.control(ctx, control)
	return err == nil, err
}

// SendNMI sends a diagnostic interrupt (section 28.3; bmclib's NMISender).
func (n *native) SendNMI(ctx context.Context) error {
	return n.control(ctx, chassis.ChassisControlDiagnosticInterrupt)
}

func (n *native) control(ctx context.Context, control chassis.ChassisControl) error {
	return n.ask(ctx, "Chassis Control", func() error {
		_, err := n.client.ChassisControl(ctx, control)
		return err
	})
}

// BootDeviceOverrideGet reads the boot flags (section 28.13, parameter 5; bmclib's BootDeviceOverrideGetter).
func (n *native) BootDeviceOverrideGet(ctx context.Context) (lib.BootDeviceOverride, error) {
	var flags types.BootOptionParam_BootFlags
	err := n.ask(ctx, "Get System Boot Options", func() error { return n.client.GetSystemBootOptionsParamFor(ctx, &flags) })
	if err != nil {
		return lib.BootDeviceOverride{}, err
	}
	return override(&flags), nil
}

// BootDeviceSet writes the boot flags (section 28.12; bmclib's BootDeviceSetter).
func (n *native) BootDeviceSet(ctx context.Context, device string, persistent, efi bool) (bool, error) {
	number, ok := selector(device)
	if !ok {
		return false, n.note(ingot.Errorf(ingot.Unsupported, "IPMI has no boot device %q", device))
	}
	err := n.ask(ctx, "Set System Boot Options", func() error {
		if !n.set.keepTimer {
			if err := n.stopTimer(ctx); err != nil {
				return err
			}
		}
		return n.client.SetSystemBootOptionsParamFor(ctx, &types.BootOptionParam_BootFlags{
			BootFlagsValid: true, Persist: persistent, BIOSBootType: types.BIOSBootType(efi), BootDeviceSelector: number,
		})
	})
	return err == nil, err
}

// stopTimer keeps the BMC from dropping the boot flags when the machine is not started within 60 s of setting them
// (parameter 3). OpenBMC and others do not have the parameter; they have no such timer either.
func (n *native) stopTimer(ctx context.Context) error {
	err := n.client.SetSystemBootOptionsParamFor(ctx, &types.BootOptionParam_BMCBootFlagValidBitClear{DontClearOnCommandReceivedTimeout: true})
	if refusal, ok := types.IsResponseError(err); ok && unknownToBMC(refusal.CompletionCode()) {
		return nil
	}
	return err
}

// unknownToBMC says whether a completion code means that the BMC has not what was asked for (table 5-2, and 80h of the
// boot option commands: parameter not supported).
func unknownToBMC(code types.CompletionCode) bool {
	switch code {
	case types.CodeParameterNotSupported, types.CodeInvalidCommand, types.CodeInvalidCommandForLUN, types.CodeParameterOutOfRange,
		types.CodeRequestDataFieldInvalid, types.CodeIllegalCommand, types.CodeSubFnDisabled:
		return true
	}
	return false
}
