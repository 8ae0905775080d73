package ironic

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
)

// Heartbeats come after a random 0.3 to 0.6 of the timeout that Ironic gave; after a failure within seconds. Two are
// never closer than beatGap, however many commands end.
const (
	beatLow, beatHigh = 0.3, 0.6
	beatGap           = 250 * time.Millisecond
	retryFirst        = time.Second
	retryLast         = 10 * time.Second
)

// Heart beats.
type Heart struct {
	Client  *Client
	Clock   clock.Clock
	Log     *slog.Logger
	Timeout time.Duration // Ironic's heartbeat_timeout
	Beat    Beat
	// Now asks for a heartbeat at once: a channel of capacity 1 that is sent to without blocking.
	Now chan struct{}
}

// Soon asks for a heartbeat without waiting for it.
func (h *Heart) Soon() {
	select {
	case h.Now <- struct{}{}:
	default: // one is asked for already
	}
}

// Run sends heartbeats until ctx ends; the first at once.
func (h *Heart) Run(ctx context.Context) error {
	failures := 0
	for {
		next := h.spread(h.Timeout, beatLow, beatHigh)
		if err := h.Client.Heartbeat(ctx, h.Beat); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			next = h.spread(min(retryFirst<<min(failures, 8), retryLast), 1, 1.5)
			failures++
			h.Log.Warn("heartbeat failed", "error", err, "again", next.Round(time.Millisecond), "locked", Conflict(err))
		} else {
			if failures > 0 {
				h.Log.Info("heartbeat works again", "failures", failures)
			}
			failures = 0
		}
		if err := h.rest(ctx, next); err != nil {
			return err
		}
	}
}

// rest waits for d, for less if a heartbeat is asked for, but never less than the gap.
func (h *Heart) rest(ctx context.Context, d time.Duration) error {
	if err := clock.Wait(ctx, h.Clock, min(d, beatGap)); err != nil {
		return err
	}
	select {
	case <-h.Now:
		return nil
	case <-h.Clock.After(d - min(d, beatGap)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Heart) spread(d time.Duration, low, high float64) time.Duration {
	return time.Duration(float64(d) * (low + (high-low)*rand.Float64()))
}
