//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

const (
	// errandPatience bounds one errand: memory of a big guest may have to be written.
	errandPatience = 2 * time.Hour
	// errandWait is how long one asking waits for it.
	errandWait = 5 * time.Second
)

// errand runs a call of libvirt that may take longer than one asking: it goes on behind, and whoever asks with the same
// key finds out how it went. Key names what is done to which guest.
func (h *Hosts) errand(ctx context.Context, l *link, key, what string, call func(*libvirt.Connect) error) error {
	h.mu.Lock()
	run := h.errands[key]
	if run == nil {
		if h.errands == nil {
			h.errands = map[string]*carry{}
		}
		run = &carry{done: make(chan struct{})}
		h.errands[key] = run
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errandPatience)
			defer cancel()
			defer close(run.done)
			run.err = l.do(ctx, what, call)
		}()
	}
	h.mu.Unlock()
	late := time.NewTimer(errandWait)
	defer late.Stop()
	select {
	case <-run.done:
		h.forget(key)
		return run.err
	case <-ctx.Done():
	case <-late.C:
	}
	return under(what)
}

func (h *Hosts) forget(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.errands, key)
}

// under is the answer about work that goes on: ask again.
func under(what string) error {
	return &ingot.Error{Code: ingot.Unavailable, After: time.Second, Err: fmt.Errorf("it takes its time to %s", what)}
}
