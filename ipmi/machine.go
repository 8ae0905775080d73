// Package ipmi drives servers by IPMI 2.0 over LAN (RMCP+): through bmclib, whose registry gets one provider for each
// machine, Ingot's own on go-ipmi or bmclib's around ipmitool.
package ipmi

import (
	"context"
	"log/slog"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/bmc"
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

// machine is a server behind an IPMI BMC.
type machine struct {
	*bmc.Machine
	sender rawSender
}

// AsksPermit says whether everything goes over a wire of ours (ingot.Permitted): ipmitool goes on while this process is
// stopped.
func (m *machine) AsksPermit() bool {
	_, own := m.sender.(*native)
	return own
}

// rawSender is a provider that can send a command of any sort: network function, number, data.
type rawSender interface {
	raw(ctx context.Context, request ...byte) ([]byte, error)
}

// provider is what both backends are.
type provider interface {
	bmc.Provider
	rawSender
}

// New makes a machine from a node's driver_info; nothing is sent yet. It has the abilities ingot.Closer,
// ingot.BootDevices, ingot.NMI, ingot.EventLog, ingot.Indicators, ingot.Vendor and, with the native backend, ingot.Sensors. Keys that are missing,
// wrong or not carried out are Invalid, in Ironic's words where it has some.
func New(info map[string]any, opt Options) (ingot.Machine, error) {
	opt = opt.withDefaults()
	set, err := parse(info, opt)
	if err != nil {
		return nil, err
	}
	if set.backend == BackendTool {
		tool, err := newTool(set, opt)
		if err != nil {
			return nil, err
		}
		return assemble(tool, set, opt), nil
	}
	own := &native{set: set, opt: opt}
	return &sensing{machine: assemble(own, set, opt), native: own}, nil
}

func assemble(p provider, set settings, opt Options) *machine {
	m := bmc.New(p, bootDevices(), opt.Logger)
	m.Rewrite = set.keepTimer // equal flags may be about to lapse
	return &machine{Machine: m, sender: p}
}
