package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// TestChangeClaim: a guest becomes bigger where there is room, row and claim together, and only under its operation's claim.
func TestChangeClaim(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		host, ctx := newHost(t, s, "h", ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 4096, ingot.DiskGB: 40}), context.Background()
		guest := ingot.Node{Name: "g", Driver: ingot.GuestDriver, ParentNode: host.NodeUUID, ProvisionState: ingot.Active}
		require.NoError(t, s.CreateGuest(ctx, &guest, nil, ingot.GuestClaim{Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 1024, ingot.DiskGB: 10}}))
		start(t, s, guest.UUID)
		passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 1)
		require.NoError(t, err)
		require.Len(t, passes, 1)
		op := passes[0].Operation
		used := func() ingot.Amounts {
			all, err := s.Capacities(ctx, host.NodeUUID)
			require.NoError(t, err)
			out := ingot.Amounts{}
			for _, c := range all {
				out[c.Resource] = c.Used
			}
			return out
		}

		bigger := ingot.Amounts{ingot.VCPU: 4, ingot.MemoryMB: 512, ingot.DiskGB: 40}
		for range 2 {
			require.NoError(t, s.ChangeClaim(ctx, op, bigger, func(n *ingot.Node) { n.Properties = map[string]any{"cpus": 4.0} }))
			require.Equal(t, bigger, used())
		}
		n, err := s.Node(ctx, guest.UUID)
		require.NoError(t, err)
		require.EqualValues(t, 4.0, n.Properties["cpus"])

		err = s.ChangeClaim(ctx, op, ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 512, ingot.DiskGB: 41}, func(n *ingot.Node) { n.Name = "never" })
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, "lacks DISK_GB: asked 41")
		require.Equal(t, bigger, used(), "all or nothing")
		stale := op
		stale.Claim = "other"
		require.Equal(t, ingot.Fenced, ingot.CodeOf(s.ChangeClaim(ctx, stale, ingot.Amounts{}, nil)))
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: op}))
		require.Equal(t, ingot.Fenced, ingot.CodeOf(s.ChangeClaim(ctx, op, ingot.Amounts{}, nil)), "after the pass it holds no more")
	})
}
