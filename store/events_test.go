package store_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// patience bounds waits for what has to come; tests end as soon as it does.
const patience = 20 * time.Second

func TestEventsAreReadInOrderAndOnce(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		none, head, err := s.Events(ctx, -1, 0)
		require.NoError(t, err)
		require.Empty(t, none)
		n := ingot.Node{}
		require.NoError(t, s.CreateNode(ctx, &n, nil, ingot.Event{Type: "node.created", Data: map[string]any{"k": "v"}}, ingot.Event{Type: "second"}))
		require.NoError(t, s.AppendEvents(ctx, ingot.Event{Type: "third", Node: "other", At: clock.Now().Add(time.Hour)}))
		first, next, err := s.Events(ctx, head, 1)
		require.NoError(t, err)
		require.Len(t, first, 1)
		require.Empty(t, cmp.Diff(ingot.Event{ID: next, At: clock.Now(), Type: "node.created", Node: n.UUID, Data: map[string]any{"k": "v"}}, first[0]))
		rest, next, err := s.Events(ctx, next, 10)
		require.NoError(t, err)
		require.Len(t, rest, 2)
		require.Equal(t, []string{"second", "third"}, []string{rest[0].Type, rest[1].Type})
		require.Equal(t, "other", rest[1].Node)
		require.Equal(t, clock.Now().Add(time.Hour), rest[1].At)
		none, again, err := s.Events(ctx, next, 10)
		require.NoError(t, err)
		require.Empty(t, none)
		require.GreaterOrEqual(t, again, next)
		require.Less(t, rest[1].ID, int64(1)<<53, "exact in JavaScript")
		none, _, err = s.Events(ctx, math.MaxInt64, 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestManyEventsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		events := make([]ingot.Event, 5000)
		for i := range events {
			events[i].Type = fmt.Sprint(i)
		}
		require.NoError(t, s.AppendEvents(context.Background(), events...))
		got, _, err := s.Events(context.Background(), 0, 10_000)
		require.NoError(t, err)
		require.Len(t, got, 5000)
		for i, e := range got {
			require.Equal(t, fmt.Sprint(i), e.Type)
		}
	})
}

// TestLateCommitIsNotSkipped has a transaction on PostgreSQL that began before others and commits after them: a reader
// that goes on from what it was given must see its events too.
func TestLateCommitIsNotSkipped(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.PostgresConfig(t)
	s := storetest.Open(t, cfg)
	n := newNode(t, s, "n")
	entered, open, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Wake: true, Events: []ingot.Event{{Type: "late"}}, Change: func(*ingot.Node) error {
			close(entered)
			<-open
			return nil
		}})
		done <- err
	}()
	<-entered
	// And one more, held here, that has its transaction ID and will write its event only later.
	db := raw(t, cfg)
	held, err := db.Beginx()
	require.NoError(t, err)
	var id string
	require.NoError(t, held.Get(&id, "SELECT pg_current_xact_id()::text"))
	require.NoError(t, s.AppendEvents(ctx, ingot.Event{Type: "early"}))
	seen, head, err := s.Events(ctx, 0, 100)
	require.NoError(t, err)
	require.Empty(t, seen, "an older transaction may still write events")
	_, err = held.Exec("INSERT INTO events (id, at, type) VALUES ((($1::bigint) << 12) + 1, 0, 'held')", id)
	require.NoError(t, err)
	close(open)
	require.NoError(t, <-done)
	require.NoError(t, held.Commit())
	seen, _, err = s.Events(ctx, head, 100)
	require.NoError(t, err)
	types := []string{}
	for _, e := range seen {
		types = append(types, e.Type)
	}
	require.Equal(t, []string{"late", "held", "early"}, types)
}

// TestEventsUnderConcurrentWriters reads while many write, and wants every event exactly once and in order.
func TestEventsUnderConcurrentWriters(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		const writers, each = 8, 25
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		written := make(chan struct{})
		go func() {
			parallel(writers, func(w int) {
				for i := range each {
					if err := s.AppendEvents(ctx, ingot.Event{Type: fmt.Sprintf("%d", w), Data: map[string]any{"i": i}}); err != nil {
						t.Error(err)
					}
				}
			})
			close(written)
		}()
		next, after, last := map[string]float64{}, int64(0), int64(0)
		for total := 0; total < writers*each; {
			events, head, err := s.Events(ctx, after, 7)
			require.NoError(t, err)
			for _, e := range events {
				require.Greater(t, e.ID, last)
				require.Equal(t, next[e.Type], e.Data["i"], "writer %s", e.Type)
				next[e.Type]++
				last = e.ID
			}
			total, after = total+len(events), head
		}
		<-written
	})
}

func TestEventsGoOnAfterARestore(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.PostgresConfig(t)
	s := storetest.Open(t, cfg)
	require.NoError(t, s.Close())
	// An event of a PostgreSQL that had counted much further.
	_, err := raw(t, cfg).Exec("INSERT INTO events (id, at, type) VALUES (1000000000::bigint << 12, 1, 'restored')")
	require.NoError(t, err)
	s = storetest.Open(t, cfg)
	require.NoError(t, s.AppendEvents(ctx, ingot.Event{Type: "new"}))
	events, _, err := s.Events(ctx, 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, "new", events[1].Type)
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("no signal: %s", what)
	}
}

func drain(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}

func TestSignalsInOneProcess(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		drain(s.Wakes())
		changed := s.EventsChanged()
		_, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID}, Events: []ingot.Event{{Type: "e"}}})
		require.NoError(t, err)
		wait(t, s.Wakes(), "start")
		wait(t, changed, "events")
		pass := claimOne(t, s, "c")
		drain(s.Wakes())
		require.NoError(t, s.WakeNode(ctx, n.UUID))
		wait(t, s.Wakes(), "wake")
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation}))
		wait(t, s.Wakes(), "commit of what is due again")
		_, err = s.InterruptOperation(ctx, ingot.Interrupt{NodeUUID: n.UUID, Lane: ingot.LaneProvision})
		require.NoError(t, err)
		wait(t, s.Wakes(), "interrupt")
	})
}

func TestNotificationsWakeOtherProcesses(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.PostgresConfig(t)
	one, two := storetest.Open(t, cfg), storetest.Open(t, cfg)
	n := newNode(t, one, "n")
	listening(t, cfg, 2)
	drain(two.Wakes())
	changed := two.EventsChanged()
	_, err := one.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID}, Events: []ingot.Event{{Type: "e"}}})
	require.NoError(t, err)
	wait(t, two.Wakes(), "start in the other process")
	wait(t, changed, "events of the other process")

	// A lost connection is made again, and nobody waits for what was missed meanwhile.
	drain(two.Wakes())
	_, err = raw(t, cfg).Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN ingot'")
	require.NoError(t, err)
	wait(t, two.Wakes(), "the connection was lost")
	listening(t, cfg, 2)
	drain(two.Wakes())
	require.NoError(t, one.WakeNode(ctx, n.UUID))
	wait(t, two.Wakes(), "wake after the connection was made again")
}

// listening waits until so many connections listen.
func listening(t *testing.T, cfg store.Config, want int) {
	t.Helper()
	db := raw(t, cfg)
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.Get(&n, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN ingot' AND state = 'idle'"))
		return n == want
	}, patience, 20*time.Millisecond)
}
