package conductor

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// Allocations are the store's allocations. A change that gives one a node takes the node in the same transaction:
// Conflict when the node does not suit it any more, Locked while somebody holds the node.
type Allocations interface {
	Get(ctx context.Context, uuid string) (ingot.Allocation, error)
	List(ctx context.Context, query ingot.AllocationQuery) ([]ingot.Allocation, error)
	Change(ctx context.Context, uuid string, version int64, change func(*ingot.Allocation) error, events ...ingot.Event) (ingot.Allocation, error)
}

// The tries of an allocation whose nodes are all held, as Ironic's node_locked_retry_attempts and _interval.
const (
	allocateTries = 3
	allocatePause = time.Second
	// allocateWorkers is how many allocations look for a node at a time.
	allocateWorkers = 8
)

// WakeAllocator says that there is a new allocation. The poll finds it anyway.
func (c *Conductor) WakeAllocator() {
	select {
	case c.allocating <- struct{}{}:
	default: // one is waiting to be read
	}
}

// allocator finds nodes for allocations until ctx ends. An allocation has no owner among conductors: whoever looks first
// commits first, and what a process that died had not committed is looked at again.
func (c *Conductor) allocator(ctx context.Context) error {
	if c.Allocations == nil {
		return nil
	}
	tries := map[string]Tries{}
	for {
		waiting, err := c.Allocate(ctx, tries)
		if err != nil && ctx.Err() == nil {
			c.Log.Error("cannot go over the allocations; trying again", "error", err)
		}
		wait := c.Settings.Poll
		if waiting > 0 {
			wait = allocatePause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.allocating:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Tries are how often an allocation found the nodes that suit it held by others, and when it is to look again.
type Tries struct {
	count int
	next  time.Time
}

// Allocate goes over the allocations that have no node yet, once, and says how many wait for a node that is held. tries
// remembers, by allocation, how often that was so. One whose guest has come further is looked at now, whatever tries says.
func (c *Conductor) Allocate(ctx context.Context, tries map[string]Tries) (int, error) {
	waiting, err := c.Allocations.List(ctx, ingot.AllocationQuery{State: ingot.Allocating, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return 0, err
	}
	if c.Guests != nil {
		if err := c.sweepGuests(ctx); err != nil {
			return 0, err
		}
	}
	now, come := c.Now(), c.arrivals.take()
	held := make([]bool, len(waiting))
	var group errgroup.Group
	group.SetLimit(allocateWorkers)
	for i := range waiting {
		a, before := waiting[i], tries[waiting[i].UUID]
		if held[i] = now.Before(before.next) && !come[a.UUID]; held[i] {
			continue
		}
		tries[a.UUID] = Tries{before.count + 1, now.Add(allocatePause)}
		last := before.count+1 >= allocateTries
		group.Go(func() (err error) {
			held[i], err = c.allocateOne(ctx, a, last)
			return err
		})
	}
	err = group.Wait()
	left := map[string]Tries{}
	for i, a := range waiting {
		if held[i] {
			left[a.UUID] = tries[a.UUID]
		}
	}
	clear(tries)
	maps.Copy(tries, left)
	return len(left), err
}

// allocateOne looks for a node for one allocation: true when those that suit it are held by others just now, which ends
// it when this is its last try.
func (c *Conductor) allocateOne(ctx context.Context, a ingot.Allocation, last bool) (bool, error) {
	if wish, err := a.Wish(); c.Guests != nil && err == nil && wish.Fallback != ingot.FallbackNever {
		return c.fallBack(ctx, &a, wish)
	}
	nodes, reason, err := c.candidates(ctx, &a)
	if err != nil {
		return false, err
	}
	if reason == "" {
		reason = "all nodes were filtered out during reservation"
	}
	held := 0
	for i := range nodes {
		switch err := c.giveNode(ctx, a.UUID, &nodes[i]); ingot.CodeOf(err) {
		case "", ingot.NotFound: // done, or deleted meanwhile
			return false, nil
		case ingot.Locked:
			held++
		case ingot.Conflict: // the next one
		default:
			return false, err
		}
	}
	if held > 0 && !last {
		return true, nil
	}
	if held > 0 {
		reason = fmt.Sprintf("could not reserve any of %d suitable nodes", held)
	}
	return false, c.failAllocation(ctx, &a, reason)
}

// candidates are the nodes that an allocation may get, in the order in which they are tried: the one of its name, and the
// others at random, so that allocations made together do not all try the same one. There are none for the reason given.
func (c *Conductor) candidates(ctx context.Context, a *ingot.Allocation) ([]ingot.Node, string, error) {
	nodes, err := c.Nodes.ListNodes(ctx, a.Query())
	if err != nil {
		return nil, "", err
	}
	anyTraits := *a
	anyTraits.Traits = nil
	nodes = slices.DeleteFunc(nodes, func(n ingot.Node) bool { return !anyTraits.Suits(&n) })
	reason := ""
	switch {
	case len(nodes) == 0 && len(a.Candidates) > 0:
		reason = "none of the requested nodes are available and match the resource class " + a.ResourceClass
	case len(nodes) == 0:
		reason = "no available nodes match the resource class " + a.ResourceClass
	}
	matching := slices.DeleteFunc(nodes, func(n ingot.Node) bool { return !a.Suits(&n) })
	if reason == "" && len(matching) == 0 {
		reason = "no suitable nodes have the requested traits " + strings.Join(a.Traits, ", ")
	}
	rand.Shuffle(len(matching), func(i, j int) { matching[i], matching[j] = matching[j], matching[i] })
	if at := slices.IndexFunc(matching, func(n ingot.Node) bool { return n.Name != "" && n.Name == a.Name }); at > 0 {
		matching[0], matching[at] = matching[at], matching[0]
	}
	guests := slices.DeleteFunc(slices.Clone(matching), func(n ingot.Node) bool { return n.ParentNode == "" })
	matching = append(slices.DeleteFunc(matching, func(n ingot.Node) bool { return n.ParentNode != "" }), guests...)
	return matching, reason, nil
}

// giveNode commits that the allocation has the node, if it still waits for one.
func (c *Conductor) giveNode(ctx context.Context, id string, n *ingot.Node) error {
	_, err := c.Allocations.Change(ctx, id, 0, func(a *ingot.Allocation) error {
		if a.State != ingot.Allocating {
			return ingot.Errorf(ingot.NotFound, "allocation %s waits for no node any more", id)
		}
		a.NodeUUID, a.State, a.LastError = n.UUID, ingot.AllocationActive, ""
		recordKind(a, n)
		return nil
	}, c.allocationEvent(id, n.UUID, ingot.AllocationActive))
	return err
}

// failAllocation commits that there is no node for the allocation.
func (c *Conductor) failAllocation(ctx context.Context, a *ingot.Allocation, reason string) error {
	_, err := c.Allocations.Change(ctx, a.UUID, 0, func(a *ingot.Allocation) error {
		if a.State != ingot.Allocating { // another conductor was faster
			return ingot.Errorf(ingot.NotFound, "allocation %s waits for no node any more", a.UUID)
		}
		a.State, a.LastError = ingot.AllocationError, "Failed to process allocation "+a.UUID+": "+reason+"."
		return nil
	}, c.allocationEvent(a.UUID, "", ingot.AllocationError))
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

func (c *Conductor) allocationEvent(id, node string, state ingot.AllocationState) ingot.Event {
	return ingot.Event{At: c.Now(), Type: "allocation.updated", Node: node, Data: map[string]any{"allocation": id, "state": state}}
}
