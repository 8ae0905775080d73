// Package errand carries work that takes longer than one asking of a step: it goes on behind, and whoever asks for the same
// again finds out how it went.
package errand

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// Terms bound an errand.
type Terms struct {
	Most  time.Duration // that it takes; then its context ends
	Wait  time.Duration // that one asking waits for its end
	Again time.Duration // until it is asked for again
}

// Board is what one process works on. The zero value is ready.
type Board struct {
	mu    sync.Mutex
	under map[string]*run
}

type run struct {
	done chan struct{}
	err  error
}

// Ask begins the work of a key, or says how it went, once. While it goes on the answer is Unavailable with the time of the
// next asking, and doing, which says what is done. The work's context does not end with the asking's.
func (b *Board) Ask(ctx context.Context, key, doing string, terms Terms, work func(context.Context) error) error {
	r := b.begin(ctx, key, terms.Most, work)
	late := time.NewTimer(terms.Wait)
	defer late.Stop()
	select {
	case <-r.done:
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.under, key)
		return r.err
	case <-ctx.Done():
	case <-late.C:
	}
	return &ingot.Error{Code: ingot.Unavailable, After: terms.Again, Err: fmt.Errorf("%s", doing)}
}

func (b *Board) begin(ctx context.Context, key string, most time.Duration, work func(context.Context) error) *run {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.under[key]; r != nil {
		return r
	}
	if b.under == nil {
		b.under = map[string]*run{}
	}
	r := &run{done: make(chan struct{})}
	b.under[key] = r
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
		defer cancel()
		r.err = work(ctx)
	}()
	return r
}
