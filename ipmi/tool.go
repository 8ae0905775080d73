package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"

	lib "github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/bmc-toolbox/bmclib/v2/providers/ipmitool"
	"github.com/bougou/go-ipmi/pkg/types"
	"github.com/go-logr/logr"

	"github.com/ingot-metal/ingot"
)

// tool is bmclib's provider around ipmitool, with what that lacks: the cipher suite is found and then named, the boot
// device is read, the timer of boot flags is stopped, and failures are told apart. Each method runs ipmitool once or
// twice, in a session of its own.
type tool struct {
	set    settings
	opt    Options
	path   string
	suite  types.CipherSuiteID
	conn   *ipmitool.Conn // since Open
	failed error
}

func newTool(set settings, opt Options) (*tool, error) {
	path, err := exec.LookPath(opt.Tool)
	if opt.Tool == "" {
		path, err = exec.LookPath("ipmitool")
	}
	if err != nil {
		return nil, ingot.Errorf(ingot.Unsupported, "cannot use ipmi_backend %q: install ipmitool on the conductor: %w", BackendTool, err)
	}
	return &tool{set: set, opt: opt, path: path}, nil
}

// Name is the provider's name in bmclib's errors and spans.
func (t *tool) Name() string { return ipmitool.ProviderName }

// Address is the BMC's host and port.
func (t *tool) Address() string { return net.JoinHostPort(t.set.host, strconv.Itoa(t.set.port)) }

// Explain adds what was wanted to a failure that note has explained already (bmc.Provider).
func (t *tool) Explain(_ string, err error) error { return toolError(t.Address(), t.set.username, err) }

// Heard is true: there is no session that could be spoilt (bmc.Provider).
func (t *tool) Heard(error) bool { return true }

// Cause is the failure of the call before, once (bmc.Provider).
func (t *tool) Cause() error {
	err := t.failed
	t.failed = nil
	return err
}

// Open finds the cipher suite, where neither driver_info nor memory names it. bmclib would try a second suite after any
// failure at all, and then tell that one's error.
func (t *tool) Open(ctx context.Context) error {
	known, remembered := t.opt.Suites.get(t.Address())
	switch {
	case t.set.suite != types.CipherSuiteIDReserved:
		t.suite = t.set.suite
	case remembered:
		t.suite = known
	default:
		if err := t.find(ctx); err != nil {
			return t.note(ctx, err)
		}
		t.opt.Suites.keep(t.Address(), t.suite)
	}
	// bmclib joins host and port by a colon, and its code for ipmitool then silently leaves out -H where that does not
	// split again: an IPv6 address has to come in brackets.
	host := t.set.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	conn, err := ipmitool.New(host, t.set.username, t.set.password.Reveal(), ipmitool.WithPort(strconv.Itoa(t.set.port)),
		ipmitool.WithCipherSuite(strconv.Itoa(int(t.suite))), ipmitool.WithIpmitoolPath(t.path), ipmitool.WithLogger(logr.FromSlogHandler(t.opt.Logger.Handler())))
	t.conn = conn
	return err
}

// find tries the suites.
func (t *tool) find(ctx context.Context) (err error) {
	for _, t.suite = range suites {
		var said *toolFailure
		if _, err = t.raw(ctx, chassisStatus[:]...); err == nil || !errors.As(err, &said) || !said.refusesSuite() {
			return err
		}
	}
	return err
}

// Close does nothing: ipmitool has no session that lasts.
func (t *tool) Close(context.Context) error { return nil }

// note keeps a failure with its code. bmclib gives only what ipmitool prints without -v, which for a wrong password and
// a dead BMC is the same: there it is asked once more.
func (t *tool) note(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var said *toolFailure
	if ctx.Err() == nil && !errors.As(err, &said) && strings.Contains(err.Error(), "Unable to establish IPMI v2 / RMCP+ session") {
		if _, reason := t.raw(ctx, chassisStatus[:]...); reason != nil {
			err = reason
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	t.failed = toolError(t.Address(), t.set.username, err)
	return t.failed
}

// PowerStateGet runs "chassis power status".
func (t *tool) PowerStateGet(ctx context.Context) (string, error) {
	said, err := t.conn.PowerStateGet(ctx)
	return said, t.note(ctx, err)
}

// PowerSet runs "chassis power on", "off", "soft" or "reset".
func (t *tool) PowerSet(ctx context.Context, state string) (bool, error) {
	ok, err := t.conn.PowerSet(ctx, state)
	return ok, t.note(ctx, err)
}

// SendNMI runs "chassis power diag".
func (t *tool) SendNMI(ctx context.Context) error { return t.note(ctx, t.conn.SendNMI(ctx)) }

// ClearSystemEventLog runs "sel clear".
func (t *tool) ClearSystemEventLog(ctx context.Context) error {
	return t.note(ctx, t.conn.ClearSystemEventLog(ctx))
}

// GetSystemEventLog runs "sel list".
func (t *tool) GetSystemEventLog(ctx context.Context) ([][]string, error) {
	rows, err := t.conn.GetSystemEventLog(ctx)
	return rows, t.note(ctx, err)
}

// GetSystemEventLogRaw runs "sel list".
func (t *tool) GetSystemEventLogRaw(ctx context.Context) (string, error) {
	said, err := t.conn.GetSystemEventLogRaw(ctx)
	return said, t.note(ctx, err)
}

// BootDeviceOverrideGet reads the boot flags (IPMI 2.0 section 28.13, parameter 5).
func (t *tool) BootDeviceOverrideGet(ctx context.Context) (lib.BootDeviceOverride, error) {
	answer, err := t.raw(ctx, 0x00, 0x09, 0x05, 0x00, 0x00)
	if err == nil && len(answer) < 2 {
		err = fmt.Errorf("too short an answer: % x", answer)
	}
	if err != nil {
		return lib.BootDeviceOverride{}, t.note(ctx, err)
	}
	var flags types.BootOptionParam_BootFlags
	if err := flags.Unpack(answer[2:]); err != nil {
		return lib.BootDeviceOverride{}, t.note(ctx, err)
	}
	return override(&flags), nil
}

// BootDeviceSet runs "chassis bootdev", after stopping the BMC's timer for boot flags (parameter 3). BMCs that have not
// that parameter have no such timer either.
func (t *tool) BootDeviceSet(ctx context.Context, device string, persistent, efi bool) (bool, error) {
	if !t.set.keepTimer {
		var said *toolFailure
		if _, err := t.raw(ctx, 0x00, 0x08, 0x03, 0x08); err != nil && !(errors.As(err, &said) && said.answered()) {
			return false, t.note(ctx, err)
		}
	}
	ok, err := t.conn.BootDeviceSet(ctx, device, persistent, efi)
	return ok, t.note(ctx, err)
}
