//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"time"

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
