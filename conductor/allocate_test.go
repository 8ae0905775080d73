package conductor_test

import (
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

func withAllocator(w *world) func(*conductor.Conductor) {
	return func(c *conductor.Conductor) { c.Allocations = w.store.Allocations() }
}

// spare is an available node of a class that was seen on or off.
func (w *world) spare(class, name string, traits ...string) ingot.Node {
	w.t.Helper()
	n := w.node(ingot.Available)
	return w.change(n.UUID, func(n *ingot.Node) { n.ResourceClass, n.Name, n.Traits = class, name, ingot.Traits(traits) })
}

func (w *world) allocate(a ingot.Allocation) ingot.Allocation {
	w.t.Helper()
	a.State = ingot.Allocating
	require.NoError(w.t, w.store.Allocations().Create(w.t.Context(), &a))
	return a
}

// answered waits for an allocation to find a node or not.
func (w *world) answered(id string) ingot.Allocation {
	w.t.Helper()
	var a ingot.Allocation
	require.Eventually(w.t, func() bool {
		var err error
		a, err = w.store.Allocations().Get(w.t.Context(), id)
		require.NoError(w.t, err)
		return a.State != ingot.Allocating
	}, 30*time.Second, time.Millisecond, "the allocation is still at work")
	return a
}

// TestAnAllocationGetsTheNodeThatSuits: made while no conductor lives, it is found by the next one's poll.
func TestAnAllocationGetsTheNodeThatSuits(t *testing.T) {
	w := newWorld(t)
	want := w.spare("big", "", "CUSTOM_A", "CUSTOM_B")
	w.spare("big", "")
	w.spare("small", "", "CUSTOM_A")
	for _, spoil := range []func(*ingot.Node){
		func(n *ingot.Node) { n.Maintenance = true }, func(n *ingot.Node) { n.PowerState = "" }, func(n *ingot.Node) { n.InstanceUUID = n.UUID },
		func(n *ingot.Node) { n.ProvisionState = ingot.Manageable },
	} {
		w.change(w.spare("big", "", "CUSTOM_A").UUID, spoil)
	}
	a := w.allocate(ingot.Allocation{ResourceClass: "big", Traits: []string{"CUSTOM_A"}})
	w.start(withAllocator(w))
	a = w.answered(a.UUID)
	require.Equal(t, []any{ingot.AllocationActive, want.UUID, ""}, []any{a.State, a.NodeUUID, a.LastError})
	n := w.get(want.UUID)
	require.Equal(t, []string{a.UUID, a.UUID}, []string{n.InstanceUUID, n.AllocationUUID})
	require.Equal(t, map[string]any{"traits": []any{"CUSTOM_A"}}, n.InstanceInfo)

	for _, c := range []struct {
		ask    ingot.Allocation
		reason string
	}{
		{ingot.Allocation{ResourceClass: "none"}, "no available nodes match the resource class none"},
		{ingot.Allocation{ResourceClass: "big", Traits: []string{"CUSTOM_C"}}, "no suitable nodes have the requested traits CUSTOM_C"},
		{ingot.Allocation{ResourceClass: "big", Candidates: []string{want.UUID}}, "none of the requested nodes are available and match the resource class big"},
		{ingot.Allocation{ResourceClass: "big", Owner: "p1"}, "no available nodes match the resource class big"},
	} {
		a := w.answered(w.allocate(c.ask).UUID)
		require.Equal(t, ingot.AllocationError, a.State)
		require.Equal(t, "Failed to process allocation "+a.UUID+": "+c.reason+".", a.LastError)
	}
}

func TestAnAllocationPrefersTheNodeOfItsName(t *testing.T) {
	w := newWorld(t)
	for i := range 8 {
		w.spare("big", fmt.Sprintf("n%d", i))
	}
	w.start(withAllocator(w))
	a := w.answered(w.allocate(ingot.Allocation{Name: "n5", ResourceClass: "big"}).UUID)
	require.Equal(t, "n5", w.get(a.NodeUUID).Name)
}

// TestUndeployEndsTheAllocation: it cannot be deleted before.
func TestUndeployEndsTheAllocation(t *testing.T) {
	w := newWorld(t)
	n := w.spare("big", "")
	w.start(withAllocator(w))
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "big"}).UUID)
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.Active)
	err := w.store.Allocations().Delete(t.Context(), a.UUID, 0)
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err))
	require.ErrorContains(t, err, "because the node is active (and maintenance mode is off)")
	w.ask(n.UUID, ingot.VerbDeleted)
	gone := w.until(n.UUID, ingot.Available)
	require.Empty(t, gone.AllocationUUID+gone.InstanceUUID)
	_, err = w.store.Allocations().Get(t.Context(), a.UUID)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
}

// TestConcurrentAllocationsNeverShareANode: 64 allocations for 10 nodes, looked at by four conductors at once.
func TestConcurrentAllocationsNeverShareANode(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := worldOn(t, open())
		for range 10 {
			w.spare("big", "")
		}
		for range 64 {
			w.allocate(ingot.Allocation{ResourceClass: "big"})
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				c := &conductor.Conductor{Allocations: w.store.Allocations(), Nodes: w.store}
				c.Prepare()
				_, err := c.Allocate(t.Context(), map[string]conductor.Tries{})
				require.NoError(t, err)
			})
		}
		all.Wait()
		list, err := w.store.Allocations().List(t.Context(), ingot.AllocationQuery{})
		require.NoError(t, err)
		owners := map[string]string{}
		for _, a := range list {
			if a.State == ingot.AllocationError {
				require.Empty(t, a.NodeUUID)
				continue
			}
			require.Equal(t, ingot.AllocationActive, a.State)
			require.Empty(t, owners[a.NodeUUID], "node %s has two allocations", a.NodeUUID)
			owners[a.NodeUUID] = a.UUID
			require.Equal(t, a.UUID, w.get(a.NodeUUID).InstanceUUID)
		}
		require.Equal(t, 64, len(list))
		require.Equal(t, 10, len(owners))
	})
}

// TestANodeThatIsHeldIsTriedAgain: some times, and then the allocation says so.
func TestANodeThatIsHeldIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	n := w.spare("big", "")
	w.change(n.UUID, func(n *ingot.Node) { n.Reservation = "elsewhere" })
	now := time.Now()
	c := &conductor.Conductor{Allocations: w.store.Allocations(), Nodes: w.store, Now: func() time.Time { return now }}
	c.Prepare()
	tries := map[string]conductor.Tries{}
	look := func(waiting int) {
		t.Helper()
		left, err := c.Allocate(t.Context(), tries)
		require.NoError(t, err)
		require.Equal(t, waiting, left)
	}
	a := w.allocate(ingot.Allocation{ResourceClass: "big"})
	for range 5 { // only the first is a try: the others come too early
		look(1)
	}
	now = now.Add(time.Second)
	look(1)
	b := w.allocate(ingot.Allocation{ResourceClass: "big"})
	now = now.Add(time.Second)
	look(1)
	require.Contains(t, w.answered(a.UUID).LastError, "could not reserve any of 1 suitable nodes")
	w.change(n.UUID, func(n *ingot.Node) { n.Reservation = "" })
	now = now.Add(time.Second)
	look(0)
	require.Equal(t, n.UUID, w.answered(b.UUID).NodeUUID)
}
