package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func TestWakeDuringAPassIsNotLost(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		start(t, s, n.UUID)
		for _, wake := range []func() error{
			func() error { return s.WakeNode(ctx, n.UUID) },
			func() error {
				_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Wake: true, Change: func(n *ingot.Node) error { n.Agent.URL += "x"; return nil }})
				return err
			},
		} {
			later := func(p ingot.Pass) {
				p.Operation.DueAt = clock.Now().Add(time.Hour)
				require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: p.Operation}))
			}
			pass := claimOne(t, s, "c")
			require.NoError(t, wake())
			require.Empty(t, claims(t, s, "c"), "still claimed")
			later(pass)
			later(claimOne(t, s, "c")) // due now, because of the wake
			require.Empty(t, claims(t, s, "c"), "the wake counts once")
			require.NoError(t, wake())
		}
		require.NoError(t, s.WakeNode(ctx, "nope"))
	})
}

func TestReservationLastsUntilBothLanesAreFree(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		start(t, s, n.UUID)
		_, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindPower, NodeUUID: n.UUID}})
		require.NoError(t, err)
		passes := claims(t, s, "c1")
		require.Len(t, passes, 2)
		for i, want := range []string{"c1", ""} {
			passes[i].Operation.Outcome = ingot.Done
			require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: passes[i].Operation}))
			got, err := s.Node(ctx, n.UUID)
			require.NoError(t, err)
			require.Equal(t, want, got.Reservation)
			require.Equal(t, n.Version, got.Version, "a reservation is no change that a request could clash with")
		}
	})
}

func TestReleaseClaims(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		one, two := newNode(t, s, "one"), newNode(t, s, "two")
		start(t, s, one.UUID)
		dead := claimOne(t, s, "dead")
		start(t, s, two.UUID)
		alive := claimOne(t, s, "alive")
		require.NoError(t, s.ReleaseClaims(ctx, "dead"))
		fenced(t, s, dead)
		again := claimOne(t, s, "alive")
		require.Equal(t, dead.Operation.UUID, again.Operation.UUID)
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: alive.Operation}))
		require.NoError(t, s.ReleaseClaims(ctx, ""))
		fenced(t, s, again)
		nodes, err := s.ListNodes(ctx, ingot.NodeQuery{})
		require.NoError(t, err)
		for _, n := range nodes {
			require.Empty(t, n.Reservation)
		}
		require.Len(t, claims(t, s, "c"), 2)
	})
}

func TestClaimsAreInTheOrderOfBecomingDue(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		var want []string
		for i := range 6 {
			n := newNode(t, s, fmt.Sprint(i))
			op, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID, DueAt: clock.Now().Add(-time.Duration(i) * time.Second)}})
			require.NoError(t, err)
			want = append([]string{op.UUID}, want...)
		}
		var got []string
		for range 3 {
			passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 2)
			require.NoError(t, err)
			require.Len(t, passes, 2)
			for _, p := range passes {
				got = append(got, p.Operation.UUID)
			}
		}
		require.Equal(t, want, got)
	})
}

func TestPortOfAnotherNodeIsLeftThere(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		var owner ingot.Node
		require.NoError(t, s.CreateNode(ctx, &owner, []ingot.Port{{Address: "aa:00:00:00:00:01"}}))
		n := newNode(t, s, "n")
		start(t, s, n.UUID)
		pass := claimOne(t, s, "c")
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation, Ports: []ingot.Port{{Address: "aa:00:00:00:00:01"}, {Address: "aa:00:00:00:00:02"}}}))
		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID})
		require.NoError(t, err)
		require.Len(t, ports, 1)
		history, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
		require.NoError(t, err)
		require.Len(t, history, 1)
		require.Contains(t, history[0].Event, "A port with MAC address aa:00:00:00:00:01 already exists.")
		require.Contains(t, history[0].Event, owner.UUID)
	})
}
