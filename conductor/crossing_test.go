package conductor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// crossing is what both ways of an instance between a guest and metal have in common.
type crossing struct {
	*cloud
	*shelf
	from, metal string // the node that has the instance; the one that is metal
	request     ingot.ProvisionRequest
	copied      string // what the journal says when the disk is copied, which a second attempt does again

	mu    sync.Mutex
	runs  bool  // the metal, from its disk
	fails error // of copying the disk
	mute  error // what the metal's BMC says to everything; nil works
}

func (x *crossing) common() *crossing { return x }

// interchange is one of the two ways.
type interchange interface {
	common() *crossing
	Machine(n *ingot.Node) (ingot.Machine, string, error)
	// taker is the node that took the instance over.
	taker(t *testing.T) ingot.Node
	// went and stayed are the verdicts on one that was carried out, and on one that failed.
	went(t *testing.T, before ingot.Node)
	stayed(t *testing.T, before ingot.Node)
}

// accuse notes what must never happen.
func (x *crossing) accuse(format string, args ...any) {
	x.cloud.mu.Lock()
	defer x.cloud.mu.Unlock()
	x.broken = append(x.broken, fmt.Sprintf(format, args...))
}

// breakBMC has the metal's BMC answer nothing; nil mends it.
func (x *crossing) breakBMC(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mute = err
}

// crossedMetal is the metal: what it starts from its disk is the instance. It calls both functions with the lock held.
type crossedMetal struct {
	ingot.Machine
	x      *crossing
	starts func() // its system does
	check  func() // whether all is as it may be
}

func (m crossedMetal) Unwrap() any { return m.Machine }

func (m crossedMetal) PowerState(ctx context.Context) (ingot.PowerState, error) {
	return seenUnless(ctx, &m.x.mu, &m.x.mute, m.Machine)
}

// seenUnless is a machine's power, unless its BMC answers everything with that error.
func seenUnless(ctx context.Context, mu *sync.Mutex, mute *error, m ingot.Machine) (ingot.PowerState, error) {
	mu.Lock()
	err := *mute
	mu.Unlock()
	if err != nil {
		return "", err
	}
	return m.PowerState(ctx)
}

func (m crossedMetal) SetPower(ctx context.Context, action ingot.PowerAction) error {
	device, err := m.BootDevice(ctx)
	if err != nil {
		return err
	}
	was, err := m.PowerState(ctx)
	if err != nil {
		return err
	}
	if err = m.Machine.SetPower(ctx, action); err != nil {
		return err
	}
	m.x.mu.Lock()
	defer m.x.mu.Unlock()
	switch {
	case action == ingot.ActionOff || action == ingot.ActionSoftOff:
		m.x.runs = false
	case was == ingot.PowerOff && device.Device == ingot.BootDisk:
		m.starts()
		m.x.runs = true
	}
	m.check()
	return nil
}

// ways are both of them, each in a world of its own on a store.
func ways() map[string]func(*testing.T, *store.Store) interchange {
	return map[string]func(*testing.T, *store.Store) interchange{
		"to metal": func(t *testing.T, s *store.Store) interchange { return swap(t, s) },
		"to guest": func(t *testing.T, s *store.Store) interchange { return turning(t, s) },
	}
}

// everyAsking runs the test for each asking of either way, counted from 1.
func everyAsking(t *testing.T, test func(t *testing.T, i interchange, at int)) {
	t.Parallel()
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := interchangeStores(t)
			for at := range s.crossAskings(t, way) {
				t.Run(fmt.Sprintf("asking %d", at+1), func(t *testing.T) {
					t.Parallel()
					test(t, way(t, s.lend(t)), at+1)
				})
				if underRace {
					break
				}
			}
		})
	}
}

// interchangeStores are for the loops: with the race detector, which makes stores slowly, they are run once.
func interchangeStores(t *testing.T) stores {
	t.Helper()
	if !underRace {
		return newStores(t, storetest.SQLiteConfig)
	}
	s := make(stores, 1)
	s <- storetest.SQLite(t)
	return s
}

// crossAskings goes one way undisturbed and says how often its steps were asked.
func (s stores) crossAskings(t *testing.T, way func(*testing.T, *store.Store) interchange) int {
	t.Helper()
	one := <-s
	defer func() { s <- one }()
	i, count := way(t, one), &asked{}
	x := i.common()
	before := x.w.get(x.from)
	x.w.start(func(c *conductor.Conductor) { c.Intercept = count.intercept })
	x.w.request(x.from, x.request)
	x.w.ended(x.from)
	i.went(t, before)
	x.w.kill()
	return count.n
}

// TestInterchangeKilledAnywhere kills the conductor before, inside and after every asking, and has another one go on, every
// other time on a machine that has no copy of the disk: the other node ends with the instance, and never did two copies run.
func TestInterchangeKilledAnywhere(t *testing.T) {
	t.Parallel()
	for n, moment := range []string{"before", "inside", "after"} {
		t.Run(moment, func(t *testing.T) {
			everyAsking(t, func(t *testing.T, i interchange, at int) {
				x := i.common()
				before := x.w.get(x.from)
				m := &mortal{Store: x.w.store}
				kill, killed := m.killedAt(at, moment)
				x.w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
				x.w.request(x.from, x.request)
				x.w.untilKilled(x.from, killed)
				x.w.kill()
				if (at+n)%2 == 1 {
					x.loseCopies()
				}
				x.w.start(nil)
				x.w.ended(x.from)
				i.went(t, before)
			})
		})
	}
}

// TestInterchangeFailedAnywhere fails every asking for good: before the instance has moved it runs on where it was, and
// afterwards where it is.
func TestInterchangeFailedAnywhere(t *testing.T) {
	everyAsking(t, func(t *testing.T, i interchange, at int) {
		x := i.common()
		before := x.w.get(x.from)
		fail := &asked{at: at, here: func(func() (conductor.Progress, error)) (conductor.Progress, error) {
			return conductor.Progress{}, ingot.Fatalf("planted failure")
		}}
		x.w.start(func(c *conductor.Conductor) { c.Intercept = fail.intercept })
		x.w.request(x.from, x.request)
		end := x.w.ended(x.from)
		if fail.reached() {
			require.Contains(t, end.LastError, "planted failure")
		}
		if end.ProvisionState == ingot.ServiceFailed {
			i.stayed(t, before)
			return
		}
		i.went(t, before)
	})
}

// TestInterchangePowerCutAnywhere cuts the metal's power behind every asking: it takes another attempt, or somebody's power
// verb, and never a second copy.
func TestInterchangePowerCutAnywhere(t *testing.T) {
	everyAsking(t, func(t *testing.T, i interchange, at int) {
		x := i.common()
		before := x.w.get(x.from)
		cut := &asked{at: at, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
			now := x.w.get(x.metal)
			machine, _, err := i.Machine(&now)
			require.NoError(t, err)
			require.NoError(t, machine.SetPower(t.Context(), ingot.ActionOff))
			return do()
		}}
		x.w.start(func(c *conductor.Conductor) { c.Intercept, c.Settings.CallbackTimeout = cut.intercept, 3*time.Second })
		x.w.request(x.from, x.request)
		x.w.ended(x.from)
		require.Empty(t, x.wrong())
		require.LessOrEqual(t, x.w.count(x.copied), 2)
		took := i.taker(t)
		require.Equal(t, []any{ingot.Active, before.InstanceUUID}, []any{took.ProvisionState, took.InstanceUUID}, "%q", x.w.said())
	})
}
