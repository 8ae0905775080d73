package storetest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay stands between a process and its database, and can cut them apart.
type Relay struct {
	Address string

	listen net.Listener

	mu      sync.Mutex
	to      string
	mode    relayMode
	changed chan struct{} // closed at a change of mode
	open    map[net.Conn]bool
}

type relayMode int

const (
	passing    relayMode = iota
	cut                  // connections are refused
	swallowing           // connections stay, and nothing comes through
)

// NewRelay passes connections on to an address until the test ends.
func NewRelay(t testing.TB, to string) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("cannot relay: %v", err)
	}
	r := &Relay{Address: l.Addr().String(), to: to, listen: l, changed: make(chan struct{}), open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		r.Cut()
		l.Close() //nolint:errcheck // the test is over
	})
	go r.run()
	return r
}

// Pass lets everything through again.
func (r *Relay) Pass() { r.set(passing) }

// Cut ends all connections and refuses new ones.
func (r *Relay) Cut() {
	r.set(cut)
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		c.Close() //nolint:errcheck // that is the purpose
	}
}

// Swallow leaves all connections open and lets nothing through.
func (r *Relay) Swallow() { r.set(swallowing) }

// Turn has new connections go to another address, and ends those there are.
func (r *Relay) Turn(to string) {
	r.Cut()
	r.mu.Lock()
	r.to = to
	r.mu.Unlock()
	r.Pass()
}

// towards is where new connections go.
func (r *Relay) towards() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to
}

func (r *Relay) set(mode relayMode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Relay) now() (relayMode, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mode, r.changed
}

func (r *Relay) run() {
	for {
		c, err := r.listen.Accept()
		if err != nil {
			return
		}
		go r.connect(c)
	}
}

func (r *Relay) connect(from net.Conn) {
	defer r.forget(from)
	if mode := r.keep(from); mode == cut {
		return
	}
	to, err := net.Dial("tcp", r.towards())
	if err != nil {
		return
	}
	defer r.forget(to)
	r.keep(to)
	go func() {
		r.copy(to, from)
		r.forget(to)
	}()
	r.copy(from, to)
}

func (r *Relay) keep(c net.Conn) relayMode {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[c] = true
	return r.mode
}

func (r *Relay) forget(c net.Conn) {
	c.Close() //nolint:errcheck // it may be closed already
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

// copy passes bytes on, while they may pass.
func (r *Relay) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		for mode, changed := r.now(); mode == swallowing; mode, changed = r.now() {
			<-changed
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
