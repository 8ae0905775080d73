package conductor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
)

// Beats is the record of which conductors live, judged by one clock for all. Every method is one transaction, and none
// waits behind other work.
type Beats interface {
	// Join makes the conductor's row this process's, and puts back what earlier ones of its name had claimed. Locked: one
	// of them lives. gone is one that is known to have ended.
	Join(ctx context.Context, c ingot.Conductor, gone string) error
	// Beat keeps the row alive and gives all rows. Fenced: the row is another's, or was taken for dead.
	Beat(ctx context.Context, c ingot.Conductor) ([]ingot.Conductor, error)
	// TakeOver puts back what the group's dead conductors had claimed.
	TakeOver(ctx context.Context, by ingot.Claimer) ([]ingot.Takeover, error)
	// Leave removes the row and puts back what is still claimed.
	Leave(ctx context.Context, c ingot.Conductor) error
}

// Pulse is how a conductor lives among others: it beats, it stops acting when it could not for so long that the others
// may take its work, and it puts back what dead ones of its group had claimed. Fields are set once; a nil Pulse is a
// conductor that is alone.
type Pulse struct {
	Beats Beats
	Self  ingot.Conductor
	Gone  string        // the process before this one, if it is known to have ended
	Every time.Duration // between beats: 1 s
	TTL   time.Duration // how long after a beat the others take this one for alive: 3 s
	// Boottime is a clock that is never set and goes on while the machine sleeps; nil is the machine's. Tests pause it.
	Boottime func() time.Duration
	Log      *slog.Logger

	figures *Figures

	mu     sync.Mutex
	until  time.Duration           // by Boottime: when this conductor must have stopped acting
	term   context.Context         // ends then; a beat after that begins another
	end    context.CancelCauseFunc // ends the term
	share  ingot.Share
	steady time.Duration // by Boottime: since when every beat came in time
	last   time.Duration // by Boottime: when the last beat that succeeded was sent
	alarm  *time.Timer   // ends the term when no beat came in time
}

// errNoPulse is why exchanges are broken off.
func (p *Pulse) errNoPulse() error {
	return ingot.Errorf(ingot.Unavailable, "conductor %s cannot reach the database, and does nothing until it can", p.Self.Hostname)
}

func (p *Pulse) defaults() {
	setDuration(&p.Every, time.Second)
	setDuration(&p.TTL, 3*time.Second)
	if p.Boottime == nil {
		p.Boottime = boottime
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	p.term, p.end = context.WithCancelCause(context.Background())
	p.end(p.errNoPulse())
}

// boottime is the machine's CLOCK_BOOTTIME.
func boottime() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0 // Linux has had it since 2.6.39
	}
	return time.Duration(now.Nano())
}

// clock is the conductor's clock that is never set.
func (p *Pulse) clock() func() time.Duration {
	if p == nil || p.Boottime == nil {
		return boottime
	}
	return p.Boottime
}

// act bounds what is done to machines by the conductor's term, or refuses when that is over. Call done afterwards.
func (p *Pulse) act(ctx context.Context) (bounded context.Context, done func(), err error) {
	if p == nil {
		return ctx, func() {}, nil
	}
	p.mu.Lock()
	term, over := p.term, p.Boottime() >= p.until
	p.mu.Unlock()
	if over || term.Err() != nil || ctx.Err() != nil {
		return ctx, nil, p.errNoPulse()
	}
	bounded, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(term, func() { cancel(context.Cause(term)) })
	return bounded, func() { stop(); cancel(nil) }, nil
}

// current is the term that the conductor is in: what is begun under it must end with it.
func (p *Pulse) current() context.Context {
	if p == nil {
		return context.Background()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.term
}

// acting says whether the conductor may act now.
func (p *Pulse) acting() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.term.Err() == nil && p.Boottime() < p.until
}

// holding gives a question: could the conductor act ever since, so that nobody can have taken over from it? A term that has
// ended is over for good, also when another has begun.
func (p *Pulse) holding() func() bool {
	if p == nil {
		return func() bool { return true }
	}
	term := p.current()
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return term.Err() == nil && p.Boottime() < p.until
	}
}

// Ready says whether the conductor may act now, and why not.
func (p *Pulse) Ready() error {
	if p.acting() {
		return nil
	}
	return p.errNoPulse()
}

// preferred is the share of its group's nodes that this conductor prefers.
func (p *Pulse) preferred() ingot.Share {
	if p == nil {
		return ingot.Share{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.share
}

// Join takes the conductor's row. A process of the same name that was killed is waited for until it counts as dead; one
// that lives on is Locked.
func (p *Pulse) Join(ctx context.Context) error {
	deadline := p.Boottime() + p.TTL + p.Every/2
	for {
		sent := p.Boottime()
		err := p.Beats.Join(ctx, p.Self, p.Gone)
		if err == nil {
			p.mu.Lock()
			p.steady = sent
			p.mu.Unlock()
			p.beaten(sent)
			return nil
		}
		if ingot.CodeOf(err) != ingot.Locked || p.Boottime() > deadline || !pause(ctx, p.Every/4) {
			return err
		}
	}
}

// Run beats until ctx ends, and then leaves. It fails only when another process lives under this conductor's name.
func (p *Pulse) Run(ctx context.Context) error {
	if p == nil {
		<-ctx.Done()
		return nil
	}
	defer p.leave(context.WithoutCancel(ctx))
	for pause(ctx, p.Every) {
		if err := p.beat(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pulse) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.TTL)
	defer cancel()
	p.stop()
	if err := p.Beats.Leave(ctx, p.Self); err != nil {
		p.Log.Warn("cannot say that this conductor stops; the others see it in a moment", "error", err)
	}
}

// beat is one beat, and what follows from it.
func (p *Pulse) beat(ctx context.Context) error {
	sent := p.Boottime()
	all, err := p.Beats.Beat(ctx, p.Self)
	answered := p.Boottime()
	switch {
	case ctx.Err() != nil:
		return nil
	case ingot.CodeOf(err) == ingot.Fenced:
		return p.rejoin(ctx, err)
	case err != nil:
		p.unsteady(answered)
		p.Log.Error("cannot say that this conductor is alive; trying again", "error", err, "acting", p.acting())
		return nil
	}
	p.figures.answered(answered - sent)
	p.mu.Lock()
	late := sent-p.last > 2*p.Every || answered-sent > p.Every
	p.mu.Unlock()
	if late {
		p.unsteady(answered)
	}
	p.beaten(sent)
	p.look(ctx, all)
	return nil
}

// rejoin goes on after the others took this conductor for dead: with nothing claimed.
func (p *Pulse) rejoin(ctx context.Context, why error) error {
	p.stop()
	p.Log.Warn("this conductor was silent for too long; it goes on with nothing claimed", "error", why)
	sent := p.Boottime()
	err := p.Beats.Join(ctx, p.Self, "")
	switch {
	case ingot.CodeOf(err) == ingot.Locked:
		return err
	case err != nil:
		p.Log.Error("cannot take this conductor's row again; trying again", "error", err)
		return nil
	}
	p.unsteady(sent)
	p.beaten(sent)
	return nil
}

// beaten notes a beat that was sent then and succeeded: the others take this conductor for alive until TTL later, and it
// stops a little before.
func (p *Pulse) beaten(sent time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = sent
	p.until = sent + p.TTL - p.Every/2
	left := p.until - p.Boottime()
	if left <= 0 {
		return // the answer came too late to act on
	}
	if p.term.Err() != nil {
		p.term, p.end = context.WithCancelCause(context.Background())
	}
	if p.alarm != nil {
		p.alarm.Stop()
	}
	until := p.until
	p.alarm = time.AfterFunc(left, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.until == until { // no beat came since
			p.end(p.errNoPulse())
		}
	})
}

// stop ends the term now.
func (p *Pulse) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = 0
	p.end(p.errNoPulse())
}

// unsteady notes that a beat failed or was late: whatever was wrong may have kept the others from beating too.
func (p *Pulse) unsteady(now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steady = now
}

// look finds this conductor's share among those that live, and takes over from those that do not.
func (p *Pulse) look(ctx context.Context, all []ingot.Conductor) {
	share, dead := ingot.Share{}, false
	for _, c := range all {
		switch {
		case c.Group != p.Self.Group:
		case c.Hostname == p.Self.Hostname:
			share.Index = share.Of
			share.Of++
		case c.Alive:
			share.Of++
		default:
			dead = dead || c.Process != ""
		}
	}
	p.mu.Lock()
	p.share = share
	fair := p.Boottime()-p.steady >= p.TTL
	p.mu.Unlock()
	if dead && fair {
		p.takeOver(ctx)
	}
}

func (p *Pulse) takeOver(ctx context.Context) {
	taken, err := p.Beats.TakeOver(ctx, ingot.Claimer{Hostname: p.Self.Hostname, Process: p.Self.Process, Group: p.Self.Group})
	if err != nil && ctx.Err() == nil {
		p.Log.Error("cannot put back what a dead conductor had claimed; trying again", "error", err)
	}
	for _, t := range taken {
		p.figures.tookOver(t)
		p.Log.Warn("a conductor is dead; what it had claimed was put back", "dead", t.Hostname, "silent", t.Silent, "operations", t.Operations)
	}
}
