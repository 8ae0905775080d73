//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ingot-metal/ingot/conductor/errand"
)

// Built says whether this build speaks libvirt.
const Built = true

// Hosts are the compute hosts that a process talks to: one kept connection for each.
type Hosts struct {
	Log *slog.Logger // nil drops
	// Changed is told the UUID of a guest to which something happened: a hint. It must not block; nil is nobody.
	Changed func(guest string)
	// KeepBases is how long an image that no guest's disk needs is kept in a pool; 0 is a day.
	KeepBases time.Duration

	mu       sync.Mutex
	links    map[string]*link // by the host's node
	changes  chan string
	carries  map[string]*carry // images on their way to a pool
	trips    map[string]*trip  // guests on their way to another host
	canaries map[string]*song  // by host and version
	errands  errand.Board      // long calls on their way
	tidied   tidied
	aside    time.Duration // a test's, in the place of setAside
}

// link gives the connection to a host; one to an older URI is closed.
func (h *Hosts) link(host, uri string) (*link, error) {
	address, err := ParseURI(uri)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.links[host]
	if kept != nil && kept.uri == address {
		return kept, nil
	}
	if kept != nil {
		go kept.close()
	}
	if h.links == nil {
		h.links = map[string]*link{}
	}
	l := newLink(address, h.logger(), func(domain string) { h.happened(host, domain) })
	h.links[host] = l
	return l, nil
}

func (h *Hosts) logger() *slog.Logger {
	if h.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return h.Log
}

// happened passes an event on to whoever listens.
func (h *Hosts) happened(host, domain string) {
	if domain != "" && h.Changed != nil {
		h.Changed(domain)
	}
	select {
	case h.news() <- host:
	default: // the reader has enough to do already
	}
}

// news is the channel of Changes.
func (h *Hosts) news() chan string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changes == nil {
		h.changes = make(chan string, 64)
	}
	return h.changes
}

// Changes tells the UUIDs of hosts that ought to be probed soon (ingot.HypervisorProber).
func (h *Hosts) Changes() <-chan string { return h.news() }

// Forget closes the connection to a host (ingot.HypervisorProber).
func (h *Hosts) Forget(host string) {
	h.tidied.forget(host)
	h.mu.Lock()
	l := h.links[host]
	delete(h.links, host)
	h.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// Close closes all connections. Hosts may be used again.
func (h *Hosts) Close() error {
	h.mu.Lock()
	links := h.links
	h.links = nil
	h.mu.Unlock()
	for _, l := range links {
		l.close()
	}
	return nil
}
