package chaos

import (
	"context"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// listener hears all events, from whichever API tells them, and goes on after the last when a stream breaks off.
type listener struct {
	clients *clients

	mu     sync.Mutex
	events []ingot.Event
	heard  time.Time
}

// streamLife is how long one API is listened to: one that was stopped says nothing, not even that it ends.
const streamLife = 5 * time.Second

func (l *listener) run(ctx context.Context) {
	for turn := 0; ctx.Err() == nil; turn++ {
		l.listen(ctx, l.clients.apis[turn%len(l.clients.apis)])
		pause(ctx, 50*time.Millisecond)
	}
}

func (l *listener) listen(ctx context.Context, api *client.Client) {
	ctx, cancel := context.WithTimeout(ctx, streamLife)
	defer cancel()
	last := l.last()
	for e, err := range api.Events(ctx, client.EventQuery{After: &last}) {
		if err != nil {
			return // goes on with the next
		}
		l.mu.Lock()
		l.events, l.heard = append(l.events, e), time.Now()
		l.mu.Unlock()
		l.clients.tell(e.Node)
	}
}

// last is the ID of the last event that was heard.
func (l *listener) last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) == 0 {
		return 0
	}
	return l.events[len(l.events)-1].ID
}

func (l *listener) all() []ingot.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]ingot.Event(nil), l.events...)
}

// again reads the whole stream once more from one API, until it has had nothing to say for a while.
func again(ctx context.Context, api *client.Client) ([]ingot.Event, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(streamLife, cancel)
	defer silence.Stop()
	var all []ingot.Event
	first := int64(0)
	for e, err := range api.Events(ctx, client.EventQuery{After: &first}) {
		if err != nil && ctx.Err() != nil {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		silence.Reset(streamLife)
		all = append(all, e)
	}
	return all, nil
}
