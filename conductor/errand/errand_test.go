package errand_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/errand"
)

// TestAsk: work outlives the asking that began it, is done once however often it is asked for, and says how it went once.
func TestAsk(t *testing.T) {
	var b errand.Board
	terms := errand.Terms{Most: time.Minute, Wait: 10 * time.Millisecond, Again: time.Second}
	times, goOn, failed := 0, make(chan struct{}), errors.New("no room")
	work := func(ctx context.Context) error {
		times++
		<-goOn
		return errors.Join(failed, ctx.Err())
	}
	asking, gone := context.WithCancel(t.Context())
	for range 3 {
		err := b.Ask(asking, "a", "it takes its time", terms, work)
		var e *ingot.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, []any{ingot.Unavailable, time.Second, "it takes its time"}, []any{e.Code, e.After, e.Error()})
	}
	gone()
	close(goOn)
	terms.Wait = time.Minute
	err := b.Ask(t.Context(), "a", "", terms, work)
	require.ErrorIs(t, err, failed)
	require.NotErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, times)
	require.ErrorIs(t, b.Ask(t.Context(), "a", "", terms, work), failed, "it is work of its own")
	require.Equal(t, 2, times)
}

// TestMost: the work's context ends.
func TestMost(t *testing.T) {
	var b errand.Board
	err := b.Ask(t.Context(), "a", "", errand.Terms{Most: time.Millisecond, Wait: time.Minute}, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
