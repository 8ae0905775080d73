package store

import "sync"

// signals tell this process's waiting goroutines that something was committed. They are hints: a reader that was busy
// may miss one, and looks at the database once a second anyway.
type signals struct {
	wakes chan struct{}

	mu     sync.Mutex
	events chan struct{}
}

func newSignals() *signals {
	return &signals{wakes: make(chan struct{}, 1), events: make(chan struct{})}
}

func (s *signals) wake() {
	select {
	case s.wakes <- struct{}{}:
	default: // one is waiting to be read
	}
}

func (s *signals) eventsChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.events)
	s.events = make(chan struct{})
}

// Wakes is sent to when operations became due by something else than time: a start, a wake or an interrupt, in this
// process or in another one on the same PostgreSQL. Many wakes may come as one; it is meant for one reader.
func (s *Store) Wakes() <-chan struct{} { return s.signals.wakes }

// EventsChanged is closed at the next commit that appends events; each call gives the channel that is current then. On
// PostgreSQL an event may become readable a moment later, so readers look again once a second.
func (s *Store) EventsChanged() <-chan struct{} {
	s.signals.mu.Lock()
	defer s.signals.mu.Unlock()
	return s.signals.events
}
