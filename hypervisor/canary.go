//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"slices"

	"github.com/ingot-metal/ingot"
)

// canaryName is the domain that shows what a host can run.
const canaryName = "ingot-canary"

// sortVirtTypes leaves out what was not shown to run a guest: a /dev/kvm is no proof of KVM, and only emulation needs
// none.
func (h *Hosts) sortVirtTypes(_ context.Context, _ *link, _ *ingot.Hypervisor, f *ingot.HostFacts) error {
	f.VirtTypes = slices.DeleteFunc(f.VirtTypes, func(t string) bool { return t == "kvm" })
	return nil
}
