package conductor_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// spied are machines that let a test in when they are asked for their power.
type spied struct {
	machines
	look func(context.Context)
}

func (a spied) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	m, key, err := a.machines.Machine(n)
	return inside{m, a.look}, key, err
}

type inside struct {
	ingot.Machine
	look func(context.Context)
}

func (s inside) PowerState(ctx context.Context) (ingot.PowerState, error) {
	s.look(ctx)
	return s.Machine.PowerState(ctx)
}

// TestWhoWasStoppedInAnExchangeSendsNothingMore: the lease on the BMC is over when the conductor goes on, and another may
// have it.
func TestWhoWasStoppedInAnExchangeSendsNothingMore(t *testing.T) {
	w, cfg := several(t)
	var slept atomic.Int64
	began := time.Now()
	var before, after error
	f := w.join(cfg, "a", func(f *fellow) {
		f.Pulse.Boottime = func() time.Duration { return time.Since(began) + time.Duration(slept.Load()) }
		f.Machines = spied{machines{w}, func(ctx context.Context) {
			may := ingot.PermitOf(ctx)
			before = may()
			slept.Store(int64(30 * time.Second))
			after = may()
		}}
	})
	w.node(ingot.Active)
	require.NoError(t, f.SyncPower(t.Context(), map[string]int{}))
	require.NoError(t, before)
	require.ErrorContains(t, after, "the time of the exchange with the BMC is over")
}
