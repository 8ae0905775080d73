package api

import (
	"context"
	"fmt"
	"sync"
)

// backlogSize is how much of what a console said may wait for a slow client, in bytes.
const backlogSize = 256 << 10

// backlog is what was said and not yet sent. What does not fit pushes out the oldest, and the client is told how much.
type backlog struct {
	more chan struct{} // capacity 1: a hint that something came

	mu    sync.Mutex
	text  []byte
	lost  int
	ended bool
}

func newBacklog() *backlog { return &backlog{more: make(chan struct{}, 1)} }

// add never waits.
func (b *backlog) add(text []byte) {
	b.mu.Lock()
	b.text = append(b.text, text...)
	if over := len(b.text) - backlogSize; over > 0 {
		b.lost += over
		b.text = append([]byte(nil), b.text[over:]...)
	}
	b.mu.Unlock()
	b.hint()
}

// end says that nothing comes any more.
func (b *backlog) end() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.hint()
}

func (b *backlog) hint() {
	select {
	case b.more <- struct{}{}:
	default: // there is one already
	}
}

// next waits for what was said since; nil when nothing comes any more.
func (b *backlog) next(ctx context.Context) ([]byte, error) {
	for {
		if text, some := b.take(); some {
			return text, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.more:
		}
	}
}

func (b *backlog) take() (text []byte, some bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, lost := b.text, b.lost
	b.text, b.lost = nil, 0
	if lost > 0 {
		text = append(fmt.Appendf(nil, "\r\n[%d bytes were left out]\r\n", lost), text...)
	}
	return text, len(text) > 0 || b.ended
}
