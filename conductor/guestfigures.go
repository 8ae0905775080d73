package conductor

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// countPatience is how long one compute host may take to say what its guests have used: whoever asks waits for all.
const countPatience = 3 * time.Second

// GuestStats are what guests have used, on the compute hosts that this conductor prefers: each guest is in the answer of one
// conductor. Each host is asked once; one that is down, or too slow to answer, is left out.
func (c *Conductor) GuestStats(ctx context.Context) ([]ingot.GuestStats, error) {
	if c.Guests == nil || c.Guests.Counter == nil {
		return nil, nil
	}
	hosts, err := c.Guests.Hosts.List(ctx, ingot.HypervisorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	ours, err := c.guestsByHost(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all []ingot.GuestStats
	share := c.Pulse.preferred()
	var group errgroup.Group
	group.SetLimit(probeWorkers)
	for _, h := range hosts {
		silent := h.State == ingot.HypervisorDown || h.State == ingot.HypervisorConnecting
		if silent || !share.Has(h.NodeUUID) || len(ours[h.NodeUUID]) == 0 {
			continue
		}
		group.Go(func() error {
			bounded, cancel := context.WithTimeout(ctx, countPatience)
			defer cancel()
			found, err := c.Guests.Counter.GuestStats(bounded, h)
			if err != nil {
				c.Log.Debug("a compute host does not say what its guests have used", "host", h.NodeUUID, "error", err)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			for _, s := range found {
				if ours[h.NodeUUID][s.Guest] {
					all = append(all, s)
				}
			}
			return nil
		})
	}
	return all, group.Wait()
}

// guestsByHost are the UUIDs of all guests, by those of their hosts.
func (c *Conductor) guestsByHost(ctx context.Context) (map[string]map[string]bool, error) {
	guests, err := c.Nodes.ListNodes(ctx, ingot.NodeQuery{
		Driver: ingot.GuestDriver, IncludeChildren: true, Page: ingot.Page{Limit: -1, Fields: []string{"uuid", "parent_node"}},
	})
	by := map[string]map[string]bool{}
	for i := range guests {
		n := &guests[i]
		if by[n.ParentNode] == nil {
			by[n.ParentNode] = map[string]bool{}
		}
		by[n.ParentNode][n.UUID] = true
	}
	return by, err
}
