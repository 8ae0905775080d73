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
	Kills, Pauses, LongPauses, Stops  int
	Cuts, Stalls, Restarts, Crashes   int
	SlowCommits, BMCFaults, PowerCuts int
	FullDisks, ClockSteps, SlowDisks  int
}

// trouble makes it, and knows who is in it.
type trouble struct {
	*Settings
	processes []*process
	servers   []*server
	watcher   *watcher

	began    time.Time
	mu       sync.Mutex
	watches  int // the watch that guard is of, from 0
	guard    int
	counts   Counts
	steady   []time.Time // by conductor: since when it was left alone
	database time.Time   // since when the database was
	follows  sync.WaitGroup
	err      error
}

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

// settling is how long a conductor, or the database, has to be left alone before others can build on it.
const settling = 5 * time.Second

// helped says whether somebody could take over from a conductor that was lost at a moment, all the time until now.
func (t *trouble) helped(lost int, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	settled := at.Add(-settling)
	if t.database.After(settled) {
		return false
	}
	for i, since := range t.steady {
		if i != lost && since.Before(settled) {
			return true
		}
	}
	return false
}

// watch is how long trouble is of one sort: everything is in trouble in every other one, and in those between the database
// and one conductor are spared, so that it can be seen how fast that one takes over from the others.
const watch = 20 * time.Second

// spared is the conductor that is left alone now, the one that was in no trouble for longest when the watch began; -1 is none.
func (t *trouble) spared() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	nth := int(time.Since(t.began) / watch)
	if nth == t.watches {
		return t.guard
	}
	t.watches, t.guard = nth, -1
	if nth%2 == 1 {
		t.guard = 0
		for i, since := range t.steady {
			if since.Before(t.steady[t.guard]) {
				t.guard = i
			}
		}
	}
	return t.guard
}

// run makes trouble until ctx ends, and then undoes it.
func (t *trouble) run(ctx context.Context) error {
	t.began, t.guard = time.Now(), -1
	var group sync.WaitGroup
	for i := range t.processes {
		group.Go(func() { t.haunt(ctx, i, t.random(fmt.Sprintf("conductor %d", i))) })
	}
	group.Go(func() { t.hauntDatabase(ctx, t.random("database")) })
	group.Go(func() { t.hauntMachines(ctx, t.random("machines")) })
	group.Wait()
	return t.err
}

// haunt troubles one conductor. That of an older release is left alone for half of the time: it has to go on beside newer
// ones first.
func (t *trouble) haunt(ctx context.Context, i int, r *rand.Rand) {
	if i == 0 && t.Older != "" {
		pause(ctx, t.Time/2)
	}
	for t.tend(ctx, i, between(r, 300*time.Millisecond, 2*time.Second)) {
		down, least := between(r, 0, 3*time.Second), 3500*time.Millisecond
		if t.spared() >= 0 { // others get the time to take over
			down, least = between(r, 4500*time.Millisecond, 6*time.Second), 4500*time.Millisecond
		}
		switch dice := r.IntN(100); {
		case t.spared() == i:
		case dice < 5:
			t.count(func(c *Counts) { c.ClockSteps++ })
			if err := t.processes[i].sleep(between(r, time.Second, time.Minute)); err != nil {
				t.failed(err)
			}
		case dice < 15:
			t.tell(ctx, i, down)
		case dice < 57:
			t.kill(ctx, i, down)
		case dice < 75:
			t.stopped(ctx, i, between(r, 200*time.Millisecond, 3*time.Second))
		case dice < 97:
			t.stopped(ctx, i, between(r, least, 7*time.Second))
		default: // longer than any lease on a BMC lasts
			t.count(func(c *Counts) { c.LongPauses++ })
			t.stopped(ctx, i, between(r, 23*time.Second, 28*time.Second))
		}
	}
}

// tend lets time pass in which the conductor is started again whenever it found no database at its start, as a service
// manager does; false when ctx ended, or it ended for another reason.
func (t *trouble) tend(ctx context.Context, i int, d time.Duration) bool {
	p := t.processes[i]
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		again, err := p.revive()
		if err != nil {
			t.failed(err)
			return false
		}
		if again {
			t.mark(i, time.Now())
		}
		if !pause(ctx, min(500*time.Millisecond, time.Until(deadline))) {
			return false
		}
	}
	return ctx.Err() == nil
}

// kill ends a conductor and starts it again after a while.
func (t *trouble) kill(ctx context.Context, i int, down time.Duration) {
	p := t.processes[i]
	t.mark(i, far())
	following, done := context.WithCancel(ctx)
	t.follow(following, i)
	if err := p.kill(); err != nil {
		t.failed(err)
	}
	t.count(func(c *Counts) { c.Kills++ })
	pause(ctx, down)
	done() // what it puts back itself nobody took over
	if err := p.start(); err != nil {
		t.failed(err)
	}
	t.mark(i, time.Now())
}

// tell has a conductor end by itself, as a service manager does, and starts it again after a while.
func (t *trouble) tell(ctx context.Context, i int, down time.Duration) {
	p := t.processes[i]
	t.mark(i, far())
	if err := p.end(); err != nil {
		t.failed(err)
	}
	t.count(func(c *Counts) { c.Stops++ })
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

// follow measures how soon another takes over from the conductor.
func (t *trouble) follow(ctx context.Context, i int) {
	at := time.Now()
	t.follows.Go(func() {
		t.watcher.follow(ctx, t.processes[i].name, func() bool { return !t.helped(i, at) })
	})
}
