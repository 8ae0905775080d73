//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"errors"
	"log/slog"
	"sync"

	"libvirt.org/go/libvirt"
)

// Keep-alive of a connection: after so long without an answer libvirt ends it, and with it every call that waits.
const (
	keepAliveSeconds = 5
	keepAliveCount   = 3
)

// session is one connection. It is closed when nobody uses it any more, after it was given up: libvirt must not lose a
// connection under a call.
type session struct {
	conn  *libvirt.Connect
	log   *slog.Logger
	calls chan struct{} // turns
	watch int           // of the lifecycle events; -1 none

	mu              sync.Mutex
	users           int
	givenUp, closed bool
}

// begin has keep-alive and events on a new connection. Drivers that have not one of them do without.
func (s *session) begin(conn *libvirt.Connect, l *link) {
	if err := conn.SetKeepAlive(keepAliveSeconds, keepAliveCount); err != nil && !is(err, libvirt.ERR_NO_SUPPORT) {
		s.log.Warn("no keep-alive on the connection to a compute host", "uri", l.uri, "error", plain(err))
	}
	lost := func(*libvirt.Connect, libvirt.ConnectCloseReason) {
		go func() { // this is the loop's thread, on which nothing may be closed
			s.log.Warn("the connection to a compute host was lost", "uri", l.uri)
			l.giveUp(s)
			l.changed("")
		}()
	}
	if err := conn.RegisterCloseCallback(lost); err != nil && !is(err, libvirt.ERR_NO_SUPPORT) {
		s.log.Warn("a lost connection to a compute host will be noticed late", "uri", l.uri, "error", plain(err))
	}
	watch, err := conn.DomainEventLifecycleRegister(nil, func(_ *libvirt.Connect, d *libvirt.Domain, _ *libvirt.DomainEventLifecycle) {
		if id, err := d.GetUUIDString(); err == nil {
			l.changed(id)
		}
	})
	if err != nil {
		s.log.Warn("no events from a compute host", "uri", l.uri, "error", plain(err))
		watch = -1
	}
	s.mu.Lock()
	s.conn, s.watch = conn, watch
	s.mu.Unlock()
	s.closeUnused() // where nobody waits for it any more
}

// take adds a user unless the session was given up.
func (s *session) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.givenUp {
		return false
	}
	s.users++
	return true
}

func (s *session) release() {
	s.mu.Lock()
	s.users--
	s.mu.Unlock()
	s.closeUnused()
}

// giveUp lets nobody use the session any more.
func (s *session) giveUp() {
	s.mu.Lock()
	s.givenUp = true
	s.mu.Unlock()
	s.closeUnused()
}

// abandon gives up a session that its one user did not get.
func (s *session) abandon() {
	s.mu.Lock()
	s.givenUp, s.users = true, 0
	s.mu.Unlock()
	s.closeUnused()
}

// closeUnused closes a session that was given up and that nobody uses.
func (s *session) closeUnused() {
	s.mu.Lock()
	last := s.givenUp && s.users == 0 && s.conn != nil && !s.closed
	s.closed = s.closed || last
	s.mu.Unlock()
	if !last {
		return
	}
	var errs []error
	if s.watch >= 0 {
		errs = append(errs, s.conn.DomainEventDeregister(s.watch))
	}
	if err := s.conn.UnregisterCloseCallback(); err != nil && !is(err, libvirt.ERR_NO_SUPPORT) {
		errs = append(errs, err)
	}
	_, err := s.conn.Close()
	if err := errors.Join(append(errs, err)...); err != nil {
		s.log.Debug("cannot close a connection to a compute host", "error", err)
	}
}
