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

// How long conductors of these tests live without a beat, and how often they beat.
const (
	shortTTL  = 900 * time.Millisecond
	shortBeat = shortTTL / 3
)

// fellow is one of several conductors on one PostgreSQL, each with a store of its own. It can be killed: then nothing
// that it does is written any more, its beats neither. It can be frozen: then its beats hang, until it is thawed.
type fellow struct {
	mortal
	*conductor.Conductor
	ctx  context.Context
	stop func()

	freezing sync.Mutex // held while it is frozen
}

func (f *fellow) Join(ctx context.Context, c ingot.Conductor, gone string) error {
	if f.isDead() {
		return errDead
	}
	return f.Store.Join(ctx, c, gone)
}

func (f *fellow) Beat(ctx context.Context, c ingot.Conductor) ([]ingot.Conductor, error) {
	f.freezing.Lock() // waits for the thaw
	defer f.freezing.Unlock()
	if f.isDead() {
		return nil, errDead
	}
	return f.Store.Beat(ctx, c)
}

func (f *fellow) TakeOver(ctx context.Context, by ingot.Claimer) ([]ingot.Takeover, error) {
	if f.isDead() {
		return nil, errDead
	}
	return f.Store.TakeOver(ctx, by)
}

func (f *fellow) Leave(ctx context.Context, c ingot.Conductor) error {
	if f.isDead() {
		return errDead
	}
	return f.Store.Leave(ctx, c)
}

// mortalWakes are a fellow's.
type mortalWakes struct {
	*store.Store
	f *fellow
}

func (m mortalWakes) PutBackStray(ctx context.Context, by ingot.Claimer, has []string) error {
	if m.f.isDead() {
		return errDead
	}
	return m.Store.PutBackStray(ctx, by, has)
}

// several is a world on a PostgreSQL of its own, which conductors join.
func several(t *testing.T) (*world, store.Config) {
	t.Helper()
	cfg := storetest.PostgresConfig(t)
	cfg.ConductorTTL, cfg.Connections = shortTTL, fewConnections
	return worldOn(t, storetest.Open(t, cfg)), cfg
}

// join starts another conductor; change adjusts it first.
func (w *world) join(cfg store.Config, hostname string, change func(*fellow)) *fellow {
	w.t.Helper()
	f := &fellow{mortal: mortal{Store: storetest.Open(w.t, cfg)}}
	f.Conductor = w.newConductor(hostname, f.Store)
	f.Operations, f.Wakes = f, mortalWakes{f.Store, f}
	f.Pulse = &conductor.Pulse{Beats: f, Every: shortBeat, TTL: shortTTL, Self: ingot.Conductor{Hostname: hostname, Process: f.ID, Drivers: []string{"fake-hardware"}}}
	if change != nil {
		change(f)
	}
	f.Prepare()
	require.NoError(w.t, f.Pulse.Join(w.t.Context()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	f.ctx = ctx
	var once sync.Once
	f.stop = func() { once.Do(func() { cancel(); stopped(w.t, ended) }) }
	w.t.Cleanup(f.stop)
	w.speaker(f)
	return f
}

// speaker has agents and requests talk to this conductor's process.
func (w *world) speaker(f *fellow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = f.Conductor
}

// TestAnotherFinishesWhatADeadOneBegan kills the conductor in charge at every asking of a deploy: before, inside or after
// it. Another finishes, and the agent was told everything once.
func TestAnotherFinishesWhatADeadOneBegan(t *testing.T) {
	t.Parallel()
	deploy := plans()[4]
	moments := []string{"before", "inside", "after"}
	for at := range askings(t, storetest.SQLite(t), deploy) {
		moment := moments[at%len(moments)]
		t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
			t.Parallel()
			otherFinishes(t, deploy, at+1, moment)
		})
	}
}

func otherFinishes(t *testing.T, p plan, at int, moment string) {
	w, cfg := several(t)
	var killed chan struct{}
	first := w.join(cfg, "first", func(f *fellow) {
		var kill *asked
		kill, killed = f.killedAt(at, moment)
		f.Intercept = kill.intercept
	})
	n := p.begin(w)
	w.untilKilled(n.UUID, killed)
	second := w.join(cfg, "second", nil)
	began := time.Now()
	end := w.ended(n.UUID)
	t.Logf("another ended it %v after the kill", time.Since(began).Round(time.Millisecond))
	require.Equal(t, p.to, end.ProvisionState, "%s; %q", end.LastError, w.said())
	p.verdict(t, w, end, 1)
	first.stop()
	second.stop()
}

// TestTakeoverTime says how long it takes, with the product's own times, from a conductor's death until another goes on
// with what it had claimed.
func TestTakeoverTime(t *testing.T) {
	t.Parallel()
	cfg := storetest.PostgresConfig(t)
	w := worldOn(t, storetest.Open(t, cfg))
	product := func(f *fellow) { f.Pulse.Every, f.Pulse.TTL = time.Second, store.ConductorTTL }
	var mu sync.Mutex
	var orphan string
	var died time.Time
	took := make(chan time.Duration, 1)
	w.join(cfg, "first", func(f *fellow) {
		product(f)
		f.Intercept = func(_ context.Context, r *conductor.Run, _ conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			mu.Lock()
			defer mu.Unlock()
			if orphan == "" {
				f.die()
				orphan, died = r.Op.UUID, time.Now()
			}
			return conductor.Progress{}, errDead
		}
	})
	w.join(cfg, "second", func(f *fellow) {
		product(f)
		f.Intercept = func(_ context.Context, r *conductor.Run, _ conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			mu.Lock()
			if r.Op.UUID == orphan && len(took) == 0 {
				took <- time.Since(died)
			}
			mu.Unlock()
			return do()
		}
	})
	deploy := plans()[4]
	nodes := make([]ingot.Node, 12) // of which each conductor prefers some
	for i := range nodes {
		nodes[i] = deploy.begin(w)
	}
	for _, n := range nodes {
		require.Equal(t, deploy.to, w.ended(n.UUID).ProvisionState)
	}
	require.Len(t, took, 1, "the first conductor got nothing to do")
	t.Logf("another went on %v after a conductor's death", (<-took).Round(time.Millisecond))
	require.Equal(t, len(nodes), w.count(deploy.once), "%q", w.said())
}

// TestAFrozenConductorIsFenced freezes a conductor in the middle of a pass until another has finished the operation. When
// it goes on, nothing that it does reaches a machine or the record.
func TestAFrozenConductorIsFenced(t *testing.T) {
	t.Parallel()
	deploy := plans()[4]
	for _, step := range []string{"power-off", "run-steps", "disk-boot"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w, cfg := several(t)
			frozen, thaw, thawed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			goOn := sync.OnceFunc(func() { close(thaw) })
			var once sync.Once
			first := w.join(cfg, "first", func(f *fellow) {
				f.Intercept = func(_ context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
					if s.Name != step {
						return do()
					}
					var progress conductor.Progress
					var err error
					hit := false
					once.Do(func() {
						hit = true
						f.freezing.Lock()
						close(frozen)
						<-thaw
						f.freezing.Unlock()
						progress, err = do()
						thawed <- err
					})
					if !hit {
						return do()
					}
					return progress, err
				}
			})
			n := deploy.begin(w)
			t.Cleanup(goOn) // before the conductor is stopped
			receive(t, frozen)
			w.join(cfg, "second", nil)
			end := w.ended(n.UUID)
			require.Equal(t, deploy.to, end.ProvisionState, end.LastError)
			before := w.said()
			goOn()
			require.Error(t, receive(t, thawed), "what it was about to do is refused")
			require.Eventually(t, func() bool {
				all, err := w.store.Conductors(t.Context())
				return err == nil && len(all) == 2 && all[0].Alive && all[1].Alive
			}, 10*time.Second, 10*time.Millisecond, "it goes on as a conductor")
			require.Equal(t, before, w.said())
			deploy.verdict(t, w, w.get(n.UUID), 1)
			first.stop()
			deploy.verdict(t, w, deploy.run(w), 2) // and both can still work
		})
	}
}

// TestStoppingTakesSeconds stops a conductor while a step of its hangs: the asking is broken off, the claim is given
// back, and another goes on without waiting for anything to run out.
func TestStoppingTakesSeconds(t *testing.T) {
	t.Parallel()
	w, cfg := several(t)
	hanging := make(chan struct{})
	var once sync.Once
	first := w.join(cfg, "first", func(f *fellow) {
		f.Intercept = func(ctx context.Context, _ *conductor.Run, _ conductor.Step, _ func() (conductor.Progress, error)) (conductor.Progress, error) {
			once.Do(func() { close(hanging) })
			<-ctx.Done()
			return conductor.Progress{}, ctx.Err()
		}
	})
	deploy := plans()[4]
	n := deploy.begin(w)
	receive(t, hanging)
	began := time.Now()
	first.stop()
	took := time.Since(began)
	t.Logf("stopped after %v", took.Round(time.Millisecond))
	require.Less(t, took, 30*time.Second)
	op, err := w.store.LiveOperation(t.Context(), n.UUID, ingot.LaneProvision)
	require.NoError(t, err)
	require.Empty(t, op.Claim)
	all, err := w.store.Conductors(t.Context())
	require.NoError(t, err)
	require.Empty(t, all, "it left")
	w.join(cfg, "second", nil)
	require.Equal(t, deploy.to, w.ended(n.UUID).ProvisionState)
}

// TestALeaseOutlivesItsOwner: a new owner does an operation's steps at once, but speaks to the BMC only when the dead
// one's exchange must be over.
func TestALeaseOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	w, cfg := several(t)
	deploy := plans()[4]
	n := deploy.node(w)
	until := time.Now().Add(1500 * time.Millisecond)
	wait, err := w.store.LeaseBMC(t.Context(), ingot.BMCLease{Address: "bmc-" + n.UUID, Owner: "a process that was killed", Until: until})
	require.NoError(t, err)
	require.Zero(t, wait)
	asked := make(chan time.Time, 100)
	w.join(cfg, "second", func(f *fellow) {
		f.Machines = watched{machines{w}, asked}
	})
	w.request(n.UUID, deploy.req)
	require.Equal(t, deploy.to, w.ended(n.UUID).ProvisionState)
	first := receive(t, asked)
	require.False(t, first.Before(until.Add(-20*time.Millisecond)), "the BMC was asked %v before the lease ended", until.Sub(first))
}

// watched notes when machines are asked for their power.
type watched struct {
	machines
	asked chan time.Time
}

func (w watched) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	m, key, err := w.machines.Machine(n)
	return watchedMachine{m, w.asked}, key, err
}

type watchedMachine struct {
	ingot.Machine
	asked chan time.Time
}

// Unwrap lets the fake machine's abilities be found.
func (m watchedMachine) Unwrap() any { return m.Machine }

func (m watchedMachine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	select {
	case m.asked <- time.Now():
	default:
	}
	return m.Machine.PowerState(ctx)
}
