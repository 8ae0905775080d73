package store

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The PostgreSQL channel, and what its notifications say; after a space follows who said it.
const (
	channel      = "ingot"
	saidWake     = "wake"
	saidEvents   = "events"
	reconnect    = time.Second
	tellDeadline = 5 * time.Second
)

// remote carries wakes between the processes on one PostgreSQL. Notifications are sent after the commit, outside the
// transaction and many as one: within it they would make PostgreSQL commit such transactions one after the other.
type remote struct {
	store    *Store
	settings *pgx.ConnConfig
	self     string
	cancel   context.CancelFunc
	stopped  sync.WaitGroup
	wakes    chan struct{}
	events   chan struct{}
}

func newRemote(s *Store, settings *pgx.ConnConfig) *remote {
	ctx, cancel := context.WithCancel(context.Background())
	r := &remote{
		store: s, settings: settings, self: uuid.NewString(), cancel: cancel,
		wakes: make(chan struct{}, 1), events: make(chan struct{}, 1),
	}
	r.stopped.Go(func() { r.listen(ctx) })
	r.stopped.Go(func() { r.speak(ctx) })
	return r
}

func (r *remote) close() {
	r.cancel()
	r.stopped.Wait()
}

// tell has the other processes told; it never blocks.
func (r *remote) tell(wake, events bool) {
	offer := func(c chan struct{}, is bool) {
		if !is {
			return
		}
		select {
		case c <- struct{}{}:
		default:
		}
	}
	offer(r.wakes, wake)
	offer(r.events, events)
}

func (r *remote) speak(ctx context.Context) {
	for {
		said := saidWake
		select {
		case <-ctx.Done():
			return
		case <-r.wakes:
		case <-r.events:
			said = saidEvents
		}
		r.notify(ctx, said+" "+r.self)
	}
}

func (r *remote) notify(ctx context.Context, payload string) {
	ctx, cancel := context.WithTimeout(ctx, tellDeadline)
	defer cancel()
	if _, err := r.store.readers.ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, payload); err != nil && ctx.Err() == nil {
		r.store.log.Warn("cannot notify other conductors; they look by themselves once a second", "err", err)
	}
}

// listen keeps a connection of its own on which notifications come in, and makes a new one when it is lost.
func (r *remote) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.listenOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		r.store.log.Warn("lost the connection for notifications; making a new one", "err", err)
		// Whatever was said meanwhile is lost: have everybody look.
		r.store.signals.wake()
		r.store.signals.eventsChanged()
		timer := time.NewTimer(reconnect)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (r *remote) listenOnce(ctx context.Context) error {
	connection, err := pgx.ConnectConfig(ctx, r.settings.Copy())
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconnect)
		defer cancel()
		connection.Close(last) //nolint:errcheck // it is lost or no longer needed
	}()
	if _, err := connection.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		n, err := connection.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		said, by, _ := strings.Cut(n.Payload, " ")
		switch {
		case by == r.self: // told already
		case said == saidWake:
			r.store.signals.wake()
		case said == saidEvents:
			r.store.signals.eventsChanged()
		}
	}
}
