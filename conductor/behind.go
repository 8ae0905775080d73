package conductor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// behindPatience bounds work that goes on behind, and behindWait how long one asking waits for it.
const (
	behindPatience = 4 * time.Hour
	behindWait     = 50 * time.Millisecond
)

// errands are what this process works on that takes longer than one asking.
type errands struct {
	mu    sync.Mutex
	under map[string]*errand
}

type errand struct {
	done chan struct{}
	err  error
}

// behind begins work, or says how the work of a key went; while it goes on it is Unavailable with the time of the next
// asking. Its context ends with the process, not with the asking.
func (e *errands) behind(ctx context.Context, key string, again time.Duration, work func(context.Context) error) error {
	e.mu.Lock()
	run := e.under[key]
	if run == nil {
		if e.under == nil {
			e.under = map[string]*errand{}
		}
		run = &errand{done: make(chan struct{})}
		e.under[key] = run
		go func() {
			defer close(run.done)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), behindPatience)
			defer cancel()
			run.err = work(ctx)
		}()
	}
	e.mu.Unlock()
	late := time.NewTimer(behindWait)
	defer late.Stop()
	select {
	case <-run.done:
	case <-late.C:
		return &ingot.Error{Code: ingot.Unavailable, After: again, Err: fmt.Errorf("the disk is being copied")}
	}
	e.mu.Lock()
	delete(e.under, key)
	e.mu.Unlock()
	return run.err
}
