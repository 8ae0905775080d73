// Package ipmi drives servers by IPMI 2.0 over LAN (RMCP+): through bmclib, whose registry gets one provider for each
// machine, Ingot's own on go-ipmi or bmclib's around ipmitool.
package ipmi

import (
	"context"
	"log/slog"
	"time"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bmc-toolbox/bmclib/v2/bmc"
	"github.com/go-logr/logr"
	"github.com/jacobweinstock/registrar"

	"github.com/ingot-metal/ingot"
)

// Options are what all machines of a process share. The zero value is good.
type Options struct {
	// Timeout is how long the answer to a datagram is waited for before it is sent again; 0 is 1 s.
	Timeout time.Duration
	// Attempts is how often a datagram is sent in all; 0 is 5. With ctx's deadline it bounds every method.
	Attempts int
	// Backend is for nodes whose driver_info has no ipmi_backend; "" is BackendNative.
	Backend string
	// KeepBootTimeout leaves the BMC's 60 s for boot flags alone on nodes whose driver_info has no
	// ipmi_disable_boot_timeout (Ironic: [ipmi]disable_boot_timeout = False).
	KeepBootTimeout bool
	// Suites remembers the cipher suites of BMCs beyond the life of a machine; nil: each machine for itself.
	Suites *Suites
	// Tool is the path of ipmitool; "" finds it in PATH.
	Tool string
	// Logger gets bmclib's debug lines; nil drops them.
	Logger *slog.Logger
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Suites == nil {
		o.Suites = &Suites{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// provider is what a machine needs of a bmclib provider beside the interfaces that bmclib finds by itself.
type provider interface {
	Name() string
	address() string
	// cause is the failure of the call before.
	cause() error
}

// machine is a server behind an IPMI BMC. It opens a session when it first needs one and keeps it until Close, after
// which it may be used again. One exchange runs at a time.
type machine struct {
	user     string
	keep     bool // the BMC's timer drops boot flags, so that equal ones may be about to lapse
	opt      Options
	provider provider
	turn     chan struct{}
	session  *bmclib.Client // nil: none
}

// New makes a machine from a node's driver_info; nothing is sent yet. It has the abilities ingot.Closer,
// ingot.BootDevices, ingot.NMI, ingot.EventLog and, with the native backend, ingot.Sensors. Keys that are missing,
// wrong or not carried out are Invalid, in Ironic's words where it has some.
func New(info map[string]any, opt Options) (ingot.Machine, error) {
	opt = opt.withDefaults()
	set, err := parse(info, opt)
	if err != nil {
		return nil, err
	}
	m := &machine{user: set.username, keep: set.keepTimer, opt: opt, turn: make(chan struct{}, 1)}
	if set.backend == BackendTool {
		m.provider, err = newTool(set, opt)
		return m, err
	}
	own := &native{set: set, opt: opt}
	m.provider = own
	return &sensing{machine: m, native: own}, nil
}

// do runs an exchange in the session, which it opens when there is none. what is for the error: "cannot WHAT: ...".
func (m *machine) do(ctx context.Context, what string, exchange func(*bmclib.Client) error) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ingot.Errorf(ingot.Unavailable, "cannot %s: BMC %s is busy with an exchange before: %w", what, m.provider.address(), ctx.Err())
	}
	defer func() { <-m.turn }()
	err := m.open(ctx)
	if err == nil {
		err = exchange(m.session)
	}
	if err == nil {
		return nil
	}
	// bmclib wraps the cause in lines of text of its own, or loses it.
	if cause := m.provider.cause(); cause != nil {
		err = cause
	} else if ctx.Err() != nil {
		err = ctx.Err()
	}
	if !answered(err) {
		m.drop(ctx)
	}
	return explain(what, m.provider.address(), m.user, err)
}

func (m *machine) open(ctx context.Context) error {
	if m.session != nil {
		return nil
	}
	registry := registrar.NewRegistry()
	registry.Register(m.provider.Name(), "ipmi", nil, nil, m.provider)
	session := bmclib.NewClient("", "", "", bmclib.WithRegistry(registry), bmclib.WithLogger(logr.FromSlogHandler(m.opt.Logger.Handler())))
	if err := session.Open(ctx); err != nil {
		return err
	}
	m.session = session
	return nil
}

func (m *machine) drop(ctx context.Context) {
	if m.session != nil {
		// Only a BMC that is there already gone fails here.
		_ = m.session.Close(ctx)
	}
	m.session = nil
}

// Close ends the session, if there is one. A BMC that does not answer costs at most Options.Timeout.
func (m *machine) Close() error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	m.drop(context.Background())
	return nil
}

// PowerState asks the BMC (IPMI 2.0 section 28.2).
func (m *machine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	var state ingot.PowerState
	err := m.do(ctx, "read the power state", func(c *bmclib.Client) error {
		word, err := c.GetPowerState(ctx)
		state = powerState(word)
		return err
	})
	return state, err
}

// SetPower asks first and leaves out what would change nothing: some BMCs refuse to switch off what is off.
func (m *machine) SetPower(ctx context.Context, action ingot.PowerAction) error {
	words := map[ingot.PowerAction]string{ingot.ActionOn: "on", ingot.ActionOff: "off", ingot.ActionSoftOff: "soft"}
	word, ok := words[action]
	if !ok {
		return ingot.Errorf(ingot.Invalid, "cannot do power action %q: it does not exist", action)
	}
	return m.do(ctx, "switch the power "+word, func(c *bmclib.Client) error {
		now, err := c.GetPowerState(ctx)
		if err != nil || powerState(now) == ingot.PowerOn == (action == ingot.ActionOn) {
			return err
		}
		_, err = c.SetPowerState(ctx, word)
		return err
	})
}

// BootDevice reads the boot flags: no device when none is set.
func (m *machine) BootDevice(ctx context.Context) (ingot.BootSetting, error) {
	var found ingot.BootSetting
	err := m.do(ctx, "read the boot device", func(c *bmclib.Client) error {
		override, err := c.GetBootDeviceOverride(ctx)
		found = setting(override)
		return err
	})
	return found, err
}

// SetBootDevice writes the boot flags where they differ.
func (m *machine) SetBootDevice(ctx context.Context, want ingot.BootSetting) error {
	device, ok := word(want.Device)
	if !ok {
		return ingot.Errorf(ingot.Unsupported, "cannot set the boot device: Invalid boot device %s specified.", want.Device)
	}
	return m.do(ctx, "set the boot device", func(c *bmclib.Client) error {
		now, err := c.GetBootDeviceOverride(ctx)
		if err != nil {
			return err
		}
		next := bmc.BootDeviceOverride{Device: device, IsPersistent: want.Persistent, IsEFIBoot: now.IsEFIBoot}
		if want.Mode != "" {
			next.IsEFIBoot = want.Mode == ingot.ModeUEFI
		}
		if now == next && !m.keep {
			return nil
		}
		_, err = c.SetBootDevice(ctx, string(device), next.IsPersistent, next.IsEFIBoot)
		return err
	})
}

// InjectNMI sends a diagnostic interrupt (section 28.3).
func (m *machine) InjectNMI(ctx context.Context) error {
	return m.do(ctx, "send an NMI", func(c *bmclib.Client) error { return c.SendNMI(ctx) })
}
