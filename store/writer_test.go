package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestFailuresDoNotTakeOthersWithThem queues transactions behind one that waits, so that all share a commit; every
// third fails, in different ways.
func TestFailuresDoNotTakeOthersWithThem(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		gate := newNode(t, s, "gate")
		nodes := make([]ingot.Node, 30)
		for i := range nodes {
			nodes[i] = newNode(t, s, fmt.Sprint(i))
		}
		taken := ingot.History{UUID: "11111111-0000-4000-8000-000000000001", Event: "taken"}
		_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: gate.UUID, History: []ingot.History{taken}})
		require.NoError(t, err)
		before, err := s.Stats(ctx)
		require.NoError(t, err)
		entered, open := make(chan struct{}), make(chan struct{})
		var enter sync.Once
		var all sync.WaitGroup
		all.Go(func() {
			_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: gate.UUID, Change: func(n *ingot.Node) error {
				enter.Do(func() { close(entered) })
				<-open
				n.LastError = "through"
				return nil
			}})
			if err != nil {
				t.Error(err)
			}
		})
		<-entered
		cause := errors.New("by the change")
		for i := range nodes {
			all.Go(func() {
				var history []ingot.History
				if i%9 == 6 {
					history = append(history, taken) // fails when the node has been written already
				}
				_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: nodes[i].UUID, History: history, Events: []ingot.Event{{Type: "changed"}}, Change: func(n *ingot.Node) error {
					n.LastError = "written"
					switch i % 9 {
					case 0:
						return cause
					case 3:
						panic("on purpose")
					}
					return nil
				}})
				want := map[int]ingot.Code{0: ingot.Internal, 3: ingot.Internal, 6: ingot.Conflict}[i%9]
				if ingot.CodeOf(err) != want {
					t.Errorf("node %d: %v", i, err)
				}
			})
		}
		close(open)
		all.Wait()
		for i, n := range nodes {
			got, err := s.Node(ctx, n.UUID)
			require.NoError(t, err)
			want := "written"
			if i%3 == 0 {
				want = ""
			}
			require.Equal(t, want, got.LastError, "node %d", i)
		}
		events, _, err := s.Events(ctx, 0, 100)
		require.NoError(t, err)
		require.Len(t, events, 20)
		after, err := s.Stats(ctx)
		require.NoError(t, err)
		if commits := after.Commits - before.Commits; commits > 0 { // SQLite
			require.EqualValues(t, 21, after.Transactions-before.Transactions)
			require.Less(t, commits, int64(21), "transactions share commits")
		}
	})
}

func TestQueuedTransactionIsTakenBackWithItsContext(t *testing.T) {
	s := storetest.SQLite(t)
	gate, other := newNode(t, s, "gate"), newNode(t, s, "other")
	entered, open, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := s.ChangeNode(context.Background(), ingot.NodeChange{UUID: gate.UUID, Change: func(*ingot.Node) error { close(entered); <-open; return nil }})
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	go cancel()
	_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: other.UUID, Change: func(n *ingot.Node) error { n.LastError = "written"; return nil }})
	require.ErrorIs(t, err, context.Canceled)
	close(open)
	require.NoError(t, <-done)
	got, err := s.Node(context.Background(), other.UUID)
	require.NoError(t, err)
	require.Empty(t, got.LastError)
}

func TestCloseAnswersEverybody(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		n := newNode(t, s, "n")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				for {
					_, err := s.ChangeNode(context.Background(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.LastError += fmt.Sprint(i); return nil }})
					if err != nil {
						if ingot.CodeOf(err) != ingot.Unavailable {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		require.NoError(t, s.Close())
		all.Wait()
		require.Error(t, s.Healthy(context.Background()))
	})
}

func TestHealthy(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, s.Healthy(context.Background()))
	})
}

// TestARefusalKnowsWhatIsThere: who is refused because of what somebody else has written finds that in the store, also when
// both were committed together.
func TestARefusalKnowsWhatIsThere(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for round := range 50 {
			name := fmt.Sprintf("n%d", round)
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					err := s.CreateNode(ctx, &ingot.Node{Name: name, Driver: "fake-hardware"}, nil)
					if err == nil {
						return
					}
					if _, look := s.Node(ctx, name); ingot.CodeOf(err) != ingot.Conflict || look != nil {
						t.Errorf("refused: %v; but then: %v", err, look)
					}
				})
			}
			all.Wait()
		}
	})
}
