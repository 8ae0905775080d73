//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"fmt"
	"sync"

	"libvirt.org/go/libvirt"
)

// startLoop starts libvirt's event loop, of which a process has one and which never ends: it carries keep-alive and
// events, and must run before the first connection is made.
var startLoop = sync.OnceValue(func() error {
	if err := libvirt.EventRegisterDefaultImpl(); err != nil {
		return fmt.Errorf("cannot start libvirt's event loop (is libvirt0 installed?): %w", err)
	}
	go func() {
		for {
			// An error is of one turn; the next may be good. It blocks until there is something to do.
			_ = libvirt.EventRunDefaultImpl()
		}
	}()
	return nil
})
