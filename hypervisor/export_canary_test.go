//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// Canary runs one.
func (h *Hosts) Canary(ctx context.Context, virt string, host *ingot.Hypervisor) (bool, error) {
	l, err := h.link(host.NodeUUID, host.URI)
	if err != nil {
		return false, err
	}
	return canary(ctx, l, virt, host)
}

// SetAside is how long an image without a mark is left alone.
func (h *Hosts) SetAside(d time.Duration) { h.aside = d }

// Explained is an error of libvirt's as callers see it.
func Explained(err libvirt.Error) error { return explain("remove the guest", "qemu:///system", err) }
