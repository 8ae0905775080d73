//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// Limits of one compute host. A call of libvirt holds a thread and cannot be stopped: one whose time is over is left
// behind, and so many may be.
const (
	callsAtOnce  = 8
	leftBehind   = 16
	openPatience = 30 * time.Second
)

// link is the kept connection to one compute host. It is opened when it is first used, and again after it broke.
type link struct {
	uri string
	log *slog.Logger
	// changed tells the UUID of a domain to which something happened; "" is the connection itself. It must not block.
	changed func(domain string)

	turn    chan struct{} // capacity 1: held while connecting
	mu      sync.Mutex
	session *session // nil: none
	stuck   int      // calls that were left behind
	closed  bool
}

func newLink(uri string, log *slog.Logger, changed func(string)) *link {
	return &link{uri: uri, log: log, changed: changed, turn: make(chan struct{}, 1)}
}

// do runs a call on the connection and waits for it no longer than ctx; what is for the error, "cannot WHAT: …". A call
// whose time is over may still take effect later.
func (l *link) do(ctx context.Context, what string, call func(*libvirt.Connect) error) error {
	_, err := ask(ctx, l, what, func(c *libvirt.Connect) (struct{}, error) { return struct{}{}, call(c) })
	return err
}

// ask is do for a call with an answer.
func ask[T any](ctx context.Context, l *link, what string, call func(*libvirt.Connect) (T, error)) (T, error) {
	var none T
	s, err := l.open(ctx)
	if err != nil {
		return none, explain(what, l.uri, err)
	}
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		s.release()
		return none, explain(what, l.uri, fmt.Errorf("it is busy with %d other calls: %w", callsAtOnce, ctx.Err()))
	}
	answer, err := await(ctx, l, func() (T, error) {
		defer s.release()
		defer func() { <-s.calls }()
		return call(s.conn)
	})
	if err == nil {
		return answer, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || broken(err) {
		l.giveUp(s)
	}
	return none, explain(what, l.uri, err)
}

// await runs a call of libvirt, and leaves it behind when ctx ends first: nobody sees its answer then.
func await[T any](ctx context.Context, l *link, call func() (T, error)) (T, error) {
	type reply struct {
		answer T
		err    error
	}
	done := make(chan reply, 1)
	l.count(1)
	go func() {
		defer l.count(-1)
		answer, err := call()
		done <- reply{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("it did not answer in time: %w", ctx.Err())
	}
}

func (l *link) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stuck += n
}

// open gives the session with one more user, connecting if there is none that lives.
func (l *link) open(ctx context.Context) (*session, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("it is being connected to: %w", ctx.Err())
	}
	l.mu.Lock()
	s, stuck, closed := l.session, l.stuck, l.closed
	l.mu.Unlock()
	switch {
	case closed:
		return nil, ingot.Errorf(ingot.Unavailable, "it is no compute host any more, or has another URI now")
	case s != nil && s.take():
		return s, nil
	case stuck >= callsAtOnce+leftBehind:
		return nil, ingot.Errorf(ingot.Unavailable, "%d calls to it have not come back", stuck)
	}
	s, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.session, closed = s, l.closed
	l.mu.Unlock()
	if closed {
		l.giveUp(s)
	}
	return s, nil
}

// connect makes a session with one user.
func (l *link) connect(ctx context.Context) (*session, error) {
	if err := startLoop(); err != nil {
		return nil, &ingot.Error{Code: ingot.Unsupported, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	s := &session{log: l.log, calls: make(chan struct{}, callsAtOnce), watch: -1, users: 1}
	_, err := await(ctx, l, func() (struct{}, error) {
		way, err := dig(ctx, l.uri)
		if err != nil {
			return struct{}{}, err
		}
		uri := l.uri
		if way != nil {
			uri = way.uri
		}
		conn, err := libvirt.NewConnect(uri)
		if err != nil {
			way.close()
			return struct{}{}, tlsFailure(uri, err)
		}
		s.begin(conn, l)
		return struct{}{}, nil
	})
	if err != nil {
		s.abandon()
		return nil, err
	}
	l.log.Info("connected to a compute host", "uri", l.uri)
	return s, nil
}

// giveUp has the next call connect again.
func (l *link) giveUp(s *session) {
	l.mu.Lock()
	if l.session == s {
		l.session = nil
	}
	l.mu.Unlock()
	s.giveUp()
}

// close ends the link; calls under way keep their connection until they are done.
func (l *link) close() {
	l.mu.Lock()
	s := l.session
	l.closed = true
	l.mu.Unlock()
	if s != nil {
		l.giveUp(s)
	}
}
