//go:build !(cgo && libvirt_dlopen)

package hypervisor

import (
	"context"
	"log/slog"
	"time"

	"github.com/ingot-metal/ingot"
)

// Built says whether this build speaks libvirt.
const Built = false

// errNotBuilt refuses what this build cannot do.
func errNotBuilt() error {
	return ingot.Errorf(ingot.Unsupported, "this ingot was built without libvirt: build it with CGO_ENABLED=1 and -tags libvirt_dlopen")
}

// Hosts are the compute hosts that a process talks to: none in this build.
type Hosts struct {
	Log     *slog.Logger
	Changed func(guest string)
	// KeepBases is for those that are there.
	KeepBases time.Duration
}

// Guest refuses.
func (h *Hosts) Guest(*ingot.Node, func(context.Context, string) (ingot.Hypervisor, error)) (ingot.Machine, error) {
	return nil, errNotBuilt()
}

// Check refuses every host (ingot.HypervisorProber).
func (h *Hosts) Check(*ingot.Hypervisor) error { return errNotBuilt() }

// Probe says that no host can be reached (ingot.HypervisorProber).
func (h *Hosts) Probe(context.Context, ingot.Hypervisor, []string) (ingot.HostFacts, error) {
	return ingot.HostFacts{}, errNotBuilt()
}

// Answers says that no host can be reached (ingot.HypervisorProber).
func (h *Hosts) Answers(context.Context, ingot.Hypervisor) error { return errNotBuilt() }

// GuestStats says that there are no guests (conductor.GuestCounter).
func (h *Hosts) GuestStats(context.Context, ingot.Hypervisor) ([]ingot.GuestStats, error) {
	return nil, errNotBuilt()
}

// Forget has nothing to forget (ingot.HypervisorProber).
func (h *Hosts) Forget(string) {}

// Changes never tells anything (ingot.HypervisorProber).
func (h *Hosts) Changes() <-chan string { return nil }

// Close has nothing to close.
func (h *Hosts) Close() error { return nil }
