package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"
)

// Counts are how often each trouble was made.
type Counts struct {
	Kills, Pauses, LongPauses          int
	Cuts, Stalls, Restarts, Crashes    int
	SlowCommits, BMCFaults, PowerCuts  int
	ClockSteps, FullDisks, PacketsLost int
}

// trouble makes it, and knows who is in it.
type trouble struct {
	*Settings
	processes []*process
	servers   []*server
	watcher   *watcher

	mu       sync.Mutex
	counts   Counts
	steady   []time.Time // by conductor: since when it was left alone
	database time.Time   // since when the database was
	follows  sync.WaitGroup
	err      error
}

// settled is how long after its trouble something takes to be itself again: a start, a beat, and the time that a conductor
// waits before it judges others.
const settled = 5 * time.Second

// far is when something in trouble will be steady: not now.
func far() time.Time { return time.Now().Add(time.Hour) }

func (t *trouble) count(add func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add(&t.counts)
}

func (t *trouble) mark(i int, since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steady[i] = since
}

func (t *trouble) markDatabase(since time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.database = since
}

// failed keeps the first thing that trouble itself could not do.
func (t *trouble) failed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// helped says whether somebody could take over from a conductor that was lost at a moment, all the time until now.
func (t *trouble) helped(lost int, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.database.After(at.Add(-settled)) {
		return false
	}
	for i, since := range t.steady {
		if i != lost && since.Before(at.Add(-settled)) {
			return true
		}
	}
	return false
}

// run makes trouble until ctx ends, and then undoes it.
func (t *trouble) run(ctx context.Context) error {
	var group sync.WaitGroup
	for i := range t.processes {
		group.Go(func() { t.haunt(ctx, i, t.random(fmt.Sprintf("conductor %d", i))) })
	}
	group.Go(func() { t.hauntDatabase(ctx, t.random("database")) })
	group.Wait()
	return t.err
}

// haunt troubles one conductor.
func (t *trouble) haunt(ctx context.Context, i int, r *rand.Rand) {
	p := t.processes[i]
	for pause(ctx, between(r, 500*time.Millisecond, 6*time.Second)) {
		switch dice := r.IntN(100); {
		case dice < 55:
			t.kill(ctx, i, between(r, 0, 6*time.Second))
		case dice < 75:
			t.stopped(ctx, i, between(r, 200*time.Millisecond, 3*time.Second))
		case dice < 95:
			t.stopped(ctx, i, between(r, 3500*time.Millisecond, 7*time.Second))
		default: // longer than any lease on a BMC lasts
			t.count(func(c *Counts) { c.LongPauses++ })
			t.stopped(ctx, i, between(r, 23*time.Second, 28*time.Second))
		}
		if !p.running() {
			t.failed(fmt.Errorf("conductor %s ended by itself; see %s", p.name, p.log))
			return
		}
	}
}

// kill ends a conductor and starts it again after a while.
func (t *trouble) kill(ctx context.Context, i int, down time.Duration) {
	p := t.processes[i]
	t.mark(i, far())
	t.follow(ctx, i)
	if err := p.kill(); err != nil {
		t.failed(err)
	}
	t.count(func(c *Counts) { c.Kills++ })
	pause(ctx, down)
	if err := p.start(); err != nil {
		t.failed(err)
	}
	t.mark(i, time.Now())
}

// stopped stops a conductor in the middle of whatever it does, and has it go on after a while.
func (t *trouble) stopped(ctx context.Context, i int, d time.Duration) {
	p := t.processes[i]
	t.mark(i, far())
	if err := p.signal(syscall.SIGSTOP); err != nil {
		t.failed(err)
	}
	t.count(func(c *Counts) { c.Pauses++ })
	following, done := context.WithCancel(ctx)
	t.follow(following, i)
	pause(ctx, d)
	done()
	if err := p.signal(syscall.SIGCONT); err != nil {
		t.failed(err)
	}
	t.mark(i, time.Now())
}

// follow measures how long the conductor's claims stay.
func (t *trouble) follow(ctx context.Context, i int) {
	at := time.Now()
	t.follows.Go(func() {
		t.watcher.follow(ctx, t.processes[i].name, func() bool { return !t.helped(i, at) })
	})
}
