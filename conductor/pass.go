package conductor

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// pass asks one step of one claimed operation and commits what it found. A pass that was begun goes on for drainPatience
// after the process was told to stop; then its asking is broken off, which is committed as any error that passes. A store
// that does not answer is tried until then. The asking also ends with the term in which the operation was claimed: from
// then on others may have put the claim back.
func (c *Conductor) pass(ctx, term context.Context, claimed ingot.Pass) {
	r := c.newRun(claimed)
	asking, done := outlast(ctx, drainPatience)
	defer done()
	defer context.AfterFunc(term, done)()
	c.advance(asking, r)
	finish := context.WithoutCancel(ctx)
	for {
		err := c.Operations.CommitPass(finish, r.result())
		if err == nil {
			c.Figures.committed(r.Op.Kind)
			c.nudgeEngine()
			c.guestArrived(r)
			return
		}
		if ingot.CodeOf(err) == ingot.Fenced {
			c.Figures.dropped()
			c.Log.Info("claim lost; the pass is dropped", "operation", r.Op.UUID, "node", r.Node.UUID)
			return
		}
		c.Log.Error("cannot commit a pass; trying again", "operation", r.Op.UUID, "node", r.Node.UUID, "error", err)
		if !pause(ctx, commitRetry) {
			return // the next process puts the claim back and asks again
		}
	}
}

// nudgeEngine has a resting engine look again at what is due next.
func (c *Conductor) nudgeEngine() {
	select {
	case c.nudge <- struct{}{}:
	default: // one is waiting to be read
	}
}

// drainPatience is how long a pass may go on when its process is to stop.
const drainPatience = 3 * time.Second

// outlast gives a context that ends a while after ctx does.
func outlast(ctx context.Context, d time.Duration) (longer context.Context, done func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() { stop(); cancel() }
}

// commitRetry is how long a store that failed is left alone.
const commitRetry = time.Second

// pause lets d pass; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
