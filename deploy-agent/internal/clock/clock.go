// Package clock is the agent's way to time: every wait can be ended by its context and driven by a test.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and wakes up.
type Clock interface {
	Now() time.Time
	// After gives the time once d has passed, as time.After.
	After(d time.Duration) <-chan time.Time
}

// Real is the machine's clock.
type Real struct{}

// Now is the machine's time.
func (Real) Now() time.Time { return time.Now() }

// After is time.After.
func (Real) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Wait returns nil after d, or the context's cause as soon as it ends.
func Wait(ctx context.Context, c Clock, d time.Duration) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	select {
	case <-c.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
