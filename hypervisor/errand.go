//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/errand"
)

// errand runs a call of libvirt that may take longer than one asking: memory of a big guest may have to be written. Key
// names what is done to which guest.
func (h *Hosts) errand(ctx context.Context, l *link, key, what string, call func(*libvirt.Connect) error) error {
	terms := errand.Terms{Most: 2 * time.Hour, Wait: 5 * time.Second, Again: time.Second}
	return h.errands.Ask(ctx, key, under(what).Error(), terms, func(ctx context.Context) error {
		return l.do(ctx, what, call)
	})
}

// under is the answer about work that goes on: ask again.
func under(what string) error {
	return &ingot.Error{Code: ingot.Unavailable, After: time.Second, Err: fmt.Errorf("it takes its time to %s", what)}
}
