package conductor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

const (
	// newsKept bounds the guests of which something was heard and that were not looked at yet.
	newsKept = 4096
	// newsRest is how long is waited for more of the same: a reset is heard of as an end and a start, and a guest that is
	// being done away with goes before its row.
	newsRest = 300 * time.Millisecond
)

// guestNews are the guests of which something was heard since they were last looked at.
type guestNews struct {
	some chan struct{} // capacity 1

	mu     sync.Mutex
	guests map[string]bool
}

// GuestChanged has a guest's power looked at soon: something happened to its domain. It never blocks; it is a hint, and the
// next round of power sync comes anyway.
func (c *Conductor) GuestChanged(guest string) {
	n := &c.news
	n.mu.Lock()
	if n.guests == nil {
		n.guests = map[string]bool{}
	}
	if len(n.guests) < newsKept {
		n.guests[guest] = true
	}
	n.mu.Unlock()
	select {
	case n.some <- struct{}{}:
	default: // it is said already
	}
}

// heard takes the guests out.
func (n *guestNews) heard() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for guest := range n.guests {
		all = append(all, guest)
	}
	n.guests = nil
	slices.Sort(all)
	return all
}

// syncHeard looks at the guests of which something was heard. Events come to whoever is connected to the host, so it is no
// matter whose share they are of: a record that is right already is not written again. A look that fails is no sign of more
// than that something happens there: the rounds of power sync count those.
func (c *Conductor) syncHeard(ctx context.Context, failures map[string]int) {
	rest := time.NewTimer(newsRest)
	defer rest.Stop()
	select {
	case <-ctx.Done():
		return
	case <-rest.C:
	}
	var nodes []ingot.Node
	for _, guest := range c.news.heard() {
		n, err := c.Nodes.Node(ctx, guest)
		switch {
		case err == nil && n.IsGuest() && n.ConductorGroup == c.Group:
			nodes = append(nodes, n)
		case err != nil && ingot.CodeOf(err) != ingot.NotFound:
			c.Log.Warn("cannot look at a guest of which something was heard", "guest", guest, "error", err)
		}
	}
	failed := map[string]int{}
	c.syncBatch(ctx, nodes, failed)
	for i := range nodes {
		if id := nodes[i].UUID; failed[id] == 0 && syncs(&nodes[i]) {
			delete(failures, id)
		}
	}
}
