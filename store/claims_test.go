package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// claimRace has many goroutines claim and end operations through the stores, and checks that each was claimed once.
func claimRace(t *testing.T, stores ...*store.Store) {
	const operations, workers = 120, 12
	ctx := context.Background()
	for i := range operations {
		start(t, stores[0], newNode(t, stores[0], fmt.Sprint(i)).UUID)
	}
	var mu sync.Mutex
	claimed, tokens := map[string]int{}, map[string]bool{}
	var ended atomic.Int32
	parallel(workers, func(i int) {
		s := stores[i%len(stores)]
		for range 1_000_000 {
			if ended.Load() == operations || t.Failed() {
				return
			}
			passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: fmt.Sprintf("c%d", i)}, 3)
			if len(passes) == 0 {
				time.Sleep(time.Millisecond) // let the others end theirs
			}
			if err != nil || len(passes) > 3 {
				t.Errorf("claimed %d: %v", len(passes), err)
				return
			}
			for _, p := range passes {
				mu.Lock()
				claimed[p.Operation.UUID]++
				tokens[p.Operation.Claim] = true
				mu.Unlock()
				p.Operation.Outcome = ingot.Done
				if err := s.CommitPass(ctx, ingot.Result{Operation: p.Operation, Changes: []func(*ingot.Node){func(n *ingot.Node) { n.LastError = "x" }}}); err != nil {
					t.Error(err)
				}
				ended.Add(1)
			}
		}
		t.Error("the operations never ended")
	})
	require.Len(t, claimed, operations)
	require.Len(t, tokens, operations)
	for id, times := range claimed {
		require.Equal(t, 1, times, id)
	}
}

func TestEachOperationIsClaimedOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { claimRace(t, storetest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		cfg := storetest.PostgresConfig(t)
		claimRace(t, storetest.Open(t, cfg), storetest.Open(t, cfg))
	})
}

func TestOneOfManyStartsTakesTheLane(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		a, b := newNode(t, s, "a"), newNode(t, s, "b")
		var won, locked atomic.Int32
		parallel(12, func(i int) {
			first, second := a.UUID, b.UUID
			if i%2 == 0 { // asked for in either order
				first, second = second, first
			}
			_, err := s.StartOperation(context.Background(), ingot.Start{Operation: ingot.Operation{Kind: ingot.KindDeploy, NodeUUID: first}, Others: []string{second}})
			switch ingot.CodeOf(err) {
			case "":
				won.Add(1)
			case ingot.Locked:
				locked.Add(1)
			default:
				t.Error(err)
			}
		})
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 11, locked.Load())
	})
}

// lanes is a model of operation_nodes: which operation holds which lane of which node.
type lanes struct {
	store   *store.Store
	nodes   []string
	holds   map[string]string // node and lane: operation
	members map[string][]string
	claimed map[string]ingot.Operation
}

func (m *lanes) Start(t *rapid.T) {
	picked := rapid.SliceOfNDistinct(rapid.SampledFrom(m.nodes), 1, 3, rapid.ID).Draw(t, "nodes")
	kind := rapid.SampledFrom([]ingot.Kind{ingot.KindVerify, ingot.KindPower}).Draw(t, "kind")
	replace := rapid.Bool().Draw(t, "replace")
	held := map[string]bool{}
	for i, n := range picked {
		if holder := m.holds[n+string(kind.Lane())]; holder != "" {
			held[holder] = true
			if i == 0 && replace {
				continue
			}
		}
	}
	first := m.holds[picked[0]+string(kind.Lane())]
	if replace && m.owns(first, picked[0]+string(kind.Lane())) { // another node's operation is not replaced
		delete(held, first)
	}
	op, err := m.store.StartOperation(context.Background(), ingot.Start{Operation: ingot.Operation{Kind: kind, NodeUUID: picked[0]}, Others: picked[1:], Replace: replace})
	if len(held) > 0 {
		if ingot.CodeOf(err) != ingot.Locked {
			t.Fatalf("a held lane was taken: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if first != "" {
		m.free(first)
	}
	for _, n := range picked {
		m.holds[n+string(op.Lane)] = op.UUID
		m.members[op.UUID] = append(m.members[op.UUID], n+string(op.Lane))
	}
}

// owns says whether an operation is of the node itself, and not only on it beside its own.
func (m *lanes) owns(operation, key string) bool {
	return operation != "" && m.members[operation][0] == key
}

func (m *lanes) free(operation string) {
	for _, key := range m.members[operation] {
		delete(m.holds, key)
	}
	delete(m.members, operation)
}

func (m *lanes) Claim(t *rapid.T) {
	passes, err := m.store.ClaimOperations(context.Background(), ingot.Claimer{Hostname: "c"}, rapid.IntRange(1, 3).Draw(t, "n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range passes {
		if m.members[p.Operation.UUID] == nil {
			t.Fatalf("claimed the ended operation %s", p.Operation.UUID)
		}
		m.claimed[p.Operation.UUID] = p.Operation
	}
}

func (m *lanes) Commit(t *rapid.T) {
	for id, op := range m.claimed {
		delete(m.claimed, id)
		if rapid.Bool().Draw(t, "end") {
			op.Outcome = ingot.Done
		}
		err := m.store.CommitPass(context.Background(), ingot.Result{Operation: op})
		live := m.members[id] != nil
		if live && err != nil || !live && ingot.CodeOf(err) != ingot.Fenced {
			t.Fatalf("commit of a live (%v) operation: %v", live, err)
		}
		if live && op.Outcome != "" {
			m.free(id)
		}
		return
	}
}

func (m *lanes) Interrupt(t *rapid.T) {
	n := rapid.SampledFrom(m.nodes).Draw(t, "node")
	before, _ := m.store.LiveOperation(context.Background(), n, ingot.LaneProvision)
	op, err := m.store.InterruptOperation(context.Background(), ingot.Interrupt{NodeUUID: n, Lane: ingot.LaneProvision})
	holder := m.holds[n+string(ingot.LaneProvision)]
	switch {
	case holder != "" && !m.owns(holder, n+string(ingot.LaneProvision)):
		if ingot.CodeOf(err) != ingot.Locked {
			t.Fatalf("interrupt of another node's operation %q: %v", holder, err)
		}
		return
	case holder == "" && ingot.CodeOf(err) != ingot.NotFound, holder != "" && (err != nil || op.UUID != holder):
		t.Fatalf("interrupt of %q gave %q: %v", holder, op.UUID, err)
	}
	if claimed, ok := m.claimed[holder]; ok && before.Phase == ingot.Forward {
		if err := m.store.CommitPass(context.Background(), ingot.Result{Operation: claimed}); ingot.CodeOf(err) != ingot.Fenced {
			t.Fatalf("the claim outlived the interrupt: %v", err)
		}
		delete(m.claimed, holder)
	}
}

// Check compares the database with the model.
func (m *lanes) Check(t *rapid.T) {
	for _, n := range m.nodes {
		for _, lane := range []ingot.Lane{ingot.LaneProvision, ingot.LanePower} {
			op, err := m.store.LiveOperation(context.Background(), n, lane)
			if want := m.holds[n+string(lane)]; op.UUID != want || want != "" && err != nil {
				t.Fatalf("lane %s of %s is held by %q, not %q: %v", lane, n, op.UUID, want, err)
			}
		}
		node, err := m.store.Node(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		claimed := false
		for id := range m.claimed {
			for _, key := range m.members[id] {
				claimed = claimed || key == n+string(ingot.LaneProvision) || key == n+string(ingot.LanePower)
			}
		}
		if claimed != (node.Reservation != "") {
			t.Fatalf("node %s is claimed: %v, but reserved by %q", n, claimed, node.Reservation)
		}
	}
}

func TestLanesHoldWhateverHappens(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			m := &lanes{store: s, holds: map[string]string{}, members: map[string][]string{}, claimed: map[string]ingot.Operation{}}
			for i := range 4 {
				m.nodes = append(m.nodes, newNode(t, s, fmt.Sprintf("round-%d-%d", round, i)).UUID)
			}
			actions := rapid.StateMachineActions(m)
			for step := range 25 {
				name := rapid.SampledFrom([]string{"Start", "Claim", "Commit", "Interrupt"}).Draw(rt, "act")
				actions[name](rt)
				if step%5 == 4 {
					m.Check(rt)
				}
			}
			for len(m.members) > 0 { // leave nothing live for the next round
				m.Claim(rt)
				for id, op := range m.claimed {
					delete(m.claimed, id)
					op.Outcome = ingot.Done
					if err := s.CommitPass(context.Background(), ingot.Result{Operation: op}); err == nil {
						m.free(id)
					}
				}
			}
		})
	})
}
