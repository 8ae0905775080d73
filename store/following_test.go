package store_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// TestOperationMakesItsGuest: the guest, its claim and the operation that has both nodes are there together, or none of them.
func TestOperationMakesItsGuest(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		host := newHost(t, s, "", ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 4096, ingot.DiskGB: 100})
		metal := newNode(t, s, "metal")
		start := func(cpus int64, version int64) (ingot.Node, error) {
			guest := ingot.NewGuest{
				Node:  ingot.Node{UUID: uuid.NewString(), Driver: ingot.GuestDriver, ParentNode: host.NodeUUID, ProvisionState: ingot.Deploying},
				Ports: []ingot.Port{{Address: "52:54:00:" + uuid.NewString()[:2] + ":00:01"}}, Claim: ingot.GuestClaim{Resources: ingot.Amounts{ingot.VCPU: cpus}},
			}
			_, err := s.StartOperation(ctx, ingot.Start{
				Operation: ingot.Operation{Kind: ingot.KindToGuest, NodeUUID: metal.UUID}, Others: []string{guest.Node.UUID}, NodeVersion: version, Guest: &guest,
			})
			return guest.Node, err
		}
		for _, c := range []struct{ cpus, version int64 }{{5, metal.Version}, {1, metal.Version + 1}} {
			guest, err := start(c.cpus, c.version)
			require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
			_, err = s.Node(ctx, guest.UUID)
			require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
			require.Zero(t, used(t, s, host.NodeUUID)[ingot.VCPU])
		}
		guest, err := start(3, metal.Version)
		require.NoError(t, err)
		require.EqualValues(t, 3, used(t, s, host.NodeUUID)[ingot.VCPU])
		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: guest.UUID})
		require.NoError(t, err)
		require.Len(t, ports, 1)
		for _, id := range []string{metal.UUID, guest.UUID} {
			op, err := s.LiveOperation(ctx, id, ingot.LaneProvision)
			require.NoError(t, err)
			require.Equal(t, ingot.KindToGuest, op.Kind)
		}
		_, err = s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindDelete, NodeUUID: guest.UUID}})
		require.Equal(t, ingot.Locked, ingot.CodeOf(err))
	})
}

// TestFollowing: an operation that ends with another one in its place leaves the lane to that one alone, and nothing is begun
// by a pass that has lost its claim, or in the place of one that goes on.
func TestFollowing(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		a, b := newNode(t, s, "a"), newNode(t, s, "b")
		_, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindToGuest, NodeUUID: a.UUID}, Others: []string{b.UUID}})
		require.NoError(t, err)
		pass := claimOne(t, s, "c")
		next := ingot.Operation{Kind: ingot.KindDelete, NodeUUID: a.UUID}
		goes := ingot.Result{Operation: pass.Operation, Following: &next}
		require.Equal(t, ingot.Internal, ingot.CodeOf(s.CommitPass(ctx, goes)))
		ended := goes
		ended.Operation.Outcome = ingot.Done
		lost := ended
		lost.Operation.Claim = "another"
		require.Equal(t, ingot.Fenced, ingot.CodeOf(s.CommitPass(ctx, lost)))
		op, err := s.LiveOperation(ctx, a.UUID, ingot.LaneProvision)
		require.NoError(t, err)
		require.Equal(t, ingot.KindToGuest, op.Kind)

		require.NoError(t, s.CommitPass(ctx, ended))
		op, err = s.LiveOperation(ctx, a.UUID, ingot.LaneProvision)
		require.NoError(t, err)
		require.Equal(t, []any{ingot.KindDelete, ingot.Forward, 1}, []any{op.Kind, op.Phase, op.Attempt})
		_, err = s.LiveOperation(ctx, b.UUID, ingot.LaneProvision)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		require.Equal(t, op.UUID, claimOne(t, s, "c").Operation.UUID, "it is due")
	})
}
