package conductor_test

import (
	"context"
	"sync"
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

// stoppable are machines whose driver asks the permit before everything that it sends, and let a test in when they are asked
// for their power.
type stoppable struct {
	machines
	look func(context.Context)
}

func (s stoppable) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	m, key, err := s.machines.Machine(n)
	return asking{inside{m, s.look}}, key, err
}

type asking struct{ inside }

// Unwrap lets the fake machine's abilities be found.
func (a asking) Unwrap() any { return a.Machine }

func (asking) AsksPermit() bool { return true }

// TestASilentConductorsBMCIsSoonFree: a conductor falls silent in the middle of an exchange. It may send for less than it
// counts as alive; another speaks to the BMC when no packet of the first can arrive any more, and long before the
// exchange's time is over.
func TestASilentConductorsBMCIsSoonFree(t *testing.T) {
	t.Parallel()
	w, cfg := several(t)
	deploy := plans()[4]
	silent, allowed, thaw := make(chan time.Time, 1), make(chan time.Time, 1), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(thaw) })
	var once sync.Once
	w.join(cfg, "first", func(f *fellow) {
		f.Machines = stoppable{machines{w}, func(ctx context.Context) {
			once.Do(func() {
				f.freezing.Lock()
				silent <- time.Now()
				may, last := ingot.PermitOf(ctx), time.Now()
				for frozen := true; frozen; {
					select {
					case <-thaw:
						frozen = false
					case <-time.After(time.Millisecond):
						if may() == nil {
							last = time.Now()
						}
					}
				}
				allowed <- last
				f.freezing.Unlock()
			})
		}}
	})
	t.Cleanup(goOn) // before the conductor is stopped
	n := deploy.begin(w)
	since := receive(t, silent)
	heard := make(chan time.Time, 100)
	w.join(cfg, "second", func(f *fellow) {
		f.Machines = stoppable{machines{w}, func(context.Context) {
			select {
			case heard <- time.Now():
			default:
			}
		}}
	})
	next := receive(t, heard)
	goOn()
	last := receive(t, allowed)
	require.Equal(t, deploy.to, w.ended(n.UUID).ProvisionState)
	require.Less(t, last.Sub(since), shortTTL, "it may not send when others take it for dead")
	require.Greater(t, next.Sub(last), 2*time.Second, "packets on their way arrive before")
	require.Less(t, next.Sub(since), 10*time.Second, "nobody waits until the exchange must be over")
}
