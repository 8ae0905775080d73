package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// member is a conductor's row; its process is named after it.
func member(hostname string) ingot.Conductor {
	return ingot.Conductor{Hostname: hostname, Process: hostname + "-1"}
}

// of is a conductor as it claims.
func of(c ingot.Conductor) ingot.Claimer {
	return ingot.Claimer{Hostname: c.Hostname, Process: c.Process, Group: c.Group}
}

func TestConductors(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		began := clock.Now()
		b := ingot.Conductor{Hostname: "b", Process: "b-1", Group: "g", Drivers: []string{"ipmi", "redfish"}}
		require.NoError(t, s.Join(ctx, b, ""))
		clock.move(2 * time.Second)
		require.NoError(t, s.Join(ctx, member("a"), ""))
		clock.move(2 * time.Second)
		got, err := s.Conductors(ctx)
		require.NoError(t, err)
		a := ingot.Conductor{Hostname: "a", Process: "a-1", Alive: true, Silent: 2 * time.Second, CreatedAt: began.Add(2 * time.Second), UpdatedAt: began.Add(2 * time.Second)}
		b.Silent, b.CreatedAt, b.UpdatedAt = 4*time.Second, began, began
		require.Equal(t, []ingot.Conductor{a, b}, got)
		got, err = s.Beat(ctx, b)
		require.NoError(t, err)
		b.Silent, b.UpdatedAt, b.Alive = 0, clock.Now(), true
		require.Equal(t, []ingot.Conductor{a, b}, got)
		require.NoError(t, s.Leave(ctx, a))
		got, err = s.Conductors(ctx)
		require.NoError(t, err)
		require.Equal(t, []ingot.Conductor{b}, got)
	})
}

func TestBeatsByTheSharedClock(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, s.Join(context.Background(), member("a"), ""))
		got, err := s.Conductors(context.Background())
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.WithinDuration(t, time.Now(), got[0].UpdatedAt, time.Hour)
	})
}

// postgresWithClock is for what only a database that several processes share can do.
func postgresWithClock(t *testing.T) (*store.Store, *fakeClock) {
	t.Helper()
	cfg := storetest.PostgresConfig(t)
	clock := &fakeClock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	cfg.Clock = clock.Now
	return storetest.Open(t, cfg), clock
}

func TestOneProcessToAHostName(t *testing.T) {
	s, clock := postgresWithClock(t)
	ctx := context.Background()
	first, second := ingot.Conductor{Hostname: "a", Process: "1"}, ingot.Conductor{Hostname: "a", Process: "2"}
	require.NoError(t, s.Join(ctx, first, ""))
	start(t, s, newNode(t, s, "n").UUID)
	passes, err := s.ClaimOperations(ctx, of(first), 1)
	require.NoError(t, err)
	require.Len(t, passes, 1)
	clock.move(store.ConductorTTL - time.Millisecond)
	refused(t, s.Join(ctx, second, "0"), ingot.Locked, "another process is the conductor a and is alive: give each process that works on one database a hostname of its own")
	require.NoError(t, s.Join(ctx, second, "1"), "the first is known to have ended")
	fenced(t, s, passes[0])
	_, err = s.Beat(ctx, first)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err))
	_, err = s.ClaimOperations(ctx, of(first), 1)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err))
	clock.move(store.ConductorTTL)
	require.NoError(t, s.Join(ctx, first, ""), "the second is dead")
}

func TestTheDeadAreTakenOverFromAndFenced(t *testing.T) {
	s, clock := postgresWithClock(t)
	ctx := context.Background()
	a, b, c := member("a"), member("b"), member("c")
	c.Group = "elsewhere"
	for _, one := range []ingot.Conductor{a, b, c} {
		require.NoError(t, s.Join(ctx, one, ""))
	}
	n := newNode(t, s, "n")
	start(t, s, n.UUID)
	passes, err := s.ClaimOperations(ctx, of(a), 1)
	require.NoError(t, err)
	require.Len(t, passes, 1)
	taken, err := s.TakeOver(ctx, of(b))
	require.NoError(t, err)
	require.Empty(t, taken, "a is alive")
	clock.move(store.ConductorTTL)
	for _, one := range []ingot.Conductor{b, c} {
		_, err := s.Beat(ctx, one)
		require.NoError(t, err)
	}
	taken, err = s.TakeOver(ctx, of(c))
	require.NoError(t, err)
	require.Empty(t, taken, "a is of another group")
	_, err = s.ClaimOperations(ctx, of(a), 1)
	require.NoError(t, err, "nothing is due")
	taken, err = s.TakeOver(ctx, of(b))
	require.NoError(t, err)
	require.Equal(t, []ingot.Takeover{{Hostname: "a", Process: "a-1", Silent: store.ConductorTTL, Operations: 1}}, taken)
	_, err = s.ClaimOperations(ctx, of(a), 1)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err), "a claims nothing before it has joined again")
	again, err := s.ClaimOperations(ctx, of(b), 1)
	require.NoError(t, err)
	require.Len(t, again, 1)
	fenced(t, s, passes[0])
	got, err := s.Node(ctx, n.UUID)
	require.NoError(t, err)
	require.Equal(t, "b", got.Reservation)
	_, err = s.Beat(ctx, a)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err))
	require.NoError(t, s.Join(ctx, a, ""))
	require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: again[0].Operation}), "a's return takes nothing from b")
}

func TestTheSilentClaimNothing(t *testing.T) {
	s, clock := postgresWithClock(t)
	ctx := context.Background()
	require.NoError(t, s.Join(ctx, member("a"), ""))
	start(t, s, newNode(t, s, "n").UUID)
	clock.move(store.ConductorTTL)
	_, err := s.ClaimOperations(ctx, of(member("a")), 1)
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err))
	_, err = s.Beat(ctx, member("a"))
	require.NoError(t, err)
	passes, err := s.ClaimOperations(ctx, of(member("a")), 1)
	require.NoError(t, err)
	require.Len(t, passes, 1)
}

func TestLeavingPutsBack(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		require.NoError(t, s.Join(ctx, member("a"), ""))
		start(t, s, newNode(t, s, "n").UUID)
		passes, err := s.ClaimOperations(ctx, of(member("a")), 1)
		require.NoError(t, err)
		require.NoError(t, s.Leave(ctx, ingot.Conductor{Hostname: "a", Process: "another"}))
		_, err = s.Beat(ctx, member("a"))
		require.NoError(t, err, "the row is not that process's to remove")
		require.NoError(t, s.Leave(ctx, member("a")))
		fenced(t, s, passes[0])
	})
}

func TestClaimsStayInTheGroup(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := ingot.Node{Driver: "fake-hardware", ProvisionState: ingot.Enroll, ConductorGroup: "rack"}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		start(t, s, n.UUID)
		due, err := s.NextDue(ctx, ingot.Claimer{Hostname: "c"})
		require.NoError(t, err)
		require.True(t, due.IsZero())
		require.Empty(t, claims(t, s, "c"))
		due, err = s.NextDue(ctx, ingot.Claimer{Hostname: "c", Group: "rack"})
		require.NoError(t, err)
		require.Equal(t, clock.Now(), due)
		passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c", Group: "rack"}, 1)
		require.NoError(t, err)
		require.Len(t, passes, 1)
	})
}

// TestPreferredNodesComeFirst has two conductors share nodes: each gets its own at once, and the other's only when they
// were left lying.
func TestPreferredNodesComeFirst(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		const nodes = 40
		for i := range nodes {
			start(t, s, newNode(t, s, fmt.Sprint(i)).UUID)
		}
		first, second := ingot.Claimer{Hostname: "a", Share: ingot.Share{Index: 0, Of: 2}}, ingot.Claimer{Hostname: "b", Share: ingot.Share{Index: 1, Of: 2}}
		mine, err := s.ClaimOperations(ctx, first, nodes)
		require.NoError(t, err)
		require.NotEmpty(t, mine)
		require.Less(t, len(mine), nodes)
		for _, p := range mine {
			require.True(t, first.Share.Has(p.Node.UUID))
			require.False(t, second.Share.Has(p.Node.UUID))
		}
		due, err := s.NextDue(ctx, second)
		require.NoError(t, err)
		require.Equal(t, clock.Now(), due)
		due, err = s.NextDue(ctx, first)
		require.NoError(t, err)
		require.Equal(t, clock.Now().Add(50*time.Millisecond), due, "what is left are the other's")
		clock.move(50 * time.Millisecond)
		rest, err := s.ClaimOperations(ctx, first, nodes)
		require.NoError(t, err)
		require.Len(t, rest, nodes-len(mine))
	})
}

// TestStrayClaims: a claim whose answer was lost is put back, and one that its conductor works under stays.
func TestStrayClaims(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		require.NoError(t, s.Join(ctx, member("a"), ""))
		by := of(member("a"))
		start(t, s, newNode(t, s, "one").UUID)
		known, err := s.ClaimOperations(ctx, by, 1)
		require.NoError(t, err)
		stray := newNode(t, s, "two")
		start(t, s, stray.UUID)
		lost, err := s.ClaimOperations(ctx, by, 1)
		require.NoError(t, err)
		require.NoError(t, s.PutBackStray(ctx, by, []string{known[0].Operation.Claim}))
		fenced(t, s, lost[0])
		n, err := s.Node(ctx, stray.UUID)
		require.NoError(t, err)
		require.Empty(t, n.Reservation)
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: known[0].Operation}))
		require.NoError(t, s.PutBackStray(ctx, by, nil))
		require.Len(t, claims(t, s, "a"), 2, "nothing is stray any more, and both are due")
	})
}
