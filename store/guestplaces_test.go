package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// placeFor is a place for a guest that an operation works on.
func placeFor(t testing.TB, s *store.Store, guest ingot.Node, host string) ingot.GuestPlace {
	t.Helper()
	_, err := s.StartOperation(context.Background(), ingot.Start{Operation: ingot.Operation{Kind: ingot.KindRestore, NodeUUID: guest.UUID}})
	require.NoError(t, err)
	pass := claimOne(t, s, "c")
	return ingot.GuestPlace{Guest: guest.UUID, Host: host, Operation: pass.Operation.UUID, Claim: pass.Operation.Claim}
}

// TestGuestMoves: for a while it has what it needs on both hosts, then on the new one alone, and repeats change nothing.
func TestGuestMoves(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx, totals := context.Background(), ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 1 << 20}
		from, to := newHost(t, s, "from", totals).NodeUUID, newHost(t, s, "to", totals).NodeUUID
		guest, err := newGuest(s, from, 3, "db")
		require.NoError(t, err)
		place := placeFor(t, s, guest, to)
		refused(t, s.MoveGuest(ctx, place), ingot.Conflict, "guest %s has no place on compute host %s", guest.UUID, to)
		for range 2 {
			require.NoError(t, s.TakePlace(ctx, place))
			require.EqualValues(t, []int64{3, 3}, []int64{used(t, s, from)[ingot.VCPU], used(t, s, to)[ingot.VCPU]})
		}
		has, err := s.HasPlace(ctx, guest.UUID, to)
		require.NoError(t, err)
		require.True(t, has)
		_, err = newGuest(s, to, 1, "db")
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "the group is there already: %v", err)
		for range 2 {
			require.NoError(t, s.LeavePlace(ctx, place))
			require.EqualValues(t, 0, used(t, s, to)[ingot.VCPU])
		}
		require.NoError(t, s.TakePlace(ctx, place))
		lost := place
		lost.Claim = "somebody else's"
		for _, do := range []func(context.Context, ingot.GuestPlace) error{s.TakePlace, s.LeavePlace, func(ctx context.Context, p ingot.GuestPlace) error { return s.MoveGuest(ctx, p) }} {
			require.Equal(t, ingot.Fenced, ingot.CodeOf(do(ctx, lost)))
		}
		fenced := place
		fenced.Fenced = true
		refused(t, s.MoveGuest(ctx, fenced), ingot.Conflict, "compute host %s is not known to be off", from)
		_, err = s.Hypervisors().Change(ctx, from, 0, func(h *ingot.Hypervisor) error { h.Fence = ingot.FencedOff; return nil })
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, s.MoveGuest(ctx, fenced))
			require.EqualValues(t, []int64{0, 3}, []int64{used(t, s, from)[ingot.VCPU], used(t, s, to)[ingot.VCPU]})
		}
		moved, err := s.Node(ctx, guest.UUID)
		require.NoError(t, err)
		require.Equal(t, to, moved.ParentNode)
		require.NoError(t, s.LeavePlace(ctx, place), "its own host is not given back")
		require.EqualValues(t, 3, used(t, s, to)[ingot.VCPU])
		_, err = newGuest(s, from, 4, "db")
		require.NoError(t, err, "the group has left it")
	})
}

// TestManyMoveAtOnce: of eight that want to where three fit, three get there.
func TestManyMoveAtOnce(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		to := newHost(t, s, "to", ingot.Amounts{ingot.VCPU: 3, ingot.MemoryMB: 1 << 20}).NodeUUID
		var places []ingot.GuestPlace
		for i := range 8 {
			from := newHost(t, s, fmt.Sprintf("from-%d", i), ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 1 << 20}).NodeUUID
			guest, err := newGuest(s, from, 1, "")
			require.NoError(t, err)
			places = append(places, placeFor(t, s, guest, to))
		}
		var moved atomic.Int64
		parallel(len(places), func(i int) {
			switch err := s.TakePlace(context.Background(), places[i]); ingot.CodeOf(err) {
			case "":
				moved.Add(1)
				if err := s.MoveGuest(context.Background(), places[i]); err != nil {
					t.Errorf("cannot move to a place that was taken: %v", err)
				}
			case ingot.Conflict:
			default:
				t.Errorf("an unexpected error: %v", err)
			}
		})
		require.EqualValues(t, 3, moved.Load())
		require.EqualValues(t, 3, used(t, s, to)[ingot.VCPU])
	})
}
