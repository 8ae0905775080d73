package conductor

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// claims are those that this process's passes work under.
type claims struct {
	mu  sync.Mutex
	has map[string]bool
}

func (c *claims) add(claim string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has == nil {
		c.has = map[string]bool{}
	}
	c.has[claim] = true
}

func (c *claims) remove(claim string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.has, claim)
}

func (c *claims) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.has))
}

// claim starts passes over as many due operations as there are free workers, and says how many it found.
func (c *Conductor) claim(ctx context.Context, free chan struct{}, passes *sync.WaitGroup) int {
	slots := c.takeFree(ctx, free)
	if slots == 0 {
		return 0
	}
	var claimed []ingot.Pass
	term := c.Pulse.current()
	if c.Pulse.acting() {
		var err error
		claimed, err = c.Operations.ClaimOperations(ctx, c.claimer(), slots)
		if err != nil && ctx.Err() == nil {
			c.Log.Error("cannot claim operations; trying again", "error", err)
		}
	}
	c.Figures.claimed(len(claimed))
	for range slots - len(claimed) {
		free <- struct{}{}
	}
	for _, pass := range claimed {
		c.claims.add(pass.Operation.Claim)
		passes.Go(func() {
			defer func() { free <- struct{}{} }()
			defer c.claims.remove(pass.Operation.Claim)
			c.pass(ctx, term, pass)
		})
	}
	return len(claimed)
}

// takeFree waits for one free worker and takes all that are free then.
func (c *Conductor) takeFree(ctx context.Context, free chan struct{}) int {
	select {
	case <-free:
	case <-ctx.Done():
		return 0
	}
	n := 1
	for {
		select {
		case <-free:
			n++
		default:
			return n
		}
	}
}

// rest waits for a wake, for the next due time, or for the poll. The next due time is that of what nobody claims: a pass
// that commits meanwhile nudges, since its operation may be due earlier.
func (c *Conductor) rest(ctx context.Context) {
	wait := c.Settings.Poll
	if due, err := c.Wakes.NextDue(ctx, c.claimer()); err == nil && !due.IsZero() {
		wait = min(wait, max(due.Sub(c.Now()), time.Millisecond))
	}
	if !c.Pulse.acting() {
		wait = c.Settings.Poll
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-c.Wakes.Wakes():
	case <-c.nudge:
	case <-timer.C:
	}
}
