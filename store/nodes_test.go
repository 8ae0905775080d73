package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

func TestNodeSmoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		ctx := context.Background()
		s := open()
		n := ingot.Node{Name: "n1", Driver: "ipmi", DriverInfo: map[string]any{"ipmi_password": "hunter22", "ipmi_address": "10.0.0.1"}}
		require.NoError(t, s.CreateNode(ctx, &n, []ingot.Port{{Address: "AA:BB:CC:00:00:01"}}, ingot.Event{Type: "node.created"}))
		got, err := s.Node(ctx, "n1")
		require.NoError(t, err)
		require.Equal(t, ingot.Secret("hunter22"), got.DriverInfo["ipmi_password"])
		op, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID}, NodeVersion: 1,
			Change: func(n *ingot.Node) { n.ProvisionState = ingot.Verifying }})
		require.NoError(t, err)
		passes, err := s.ClaimOperations(ctx, "c1", 10)
		require.NoError(t, err)
		require.Len(t, passes, 1)
		require.Equal(t, op.UUID, passes[0].Operation.UUID)
		r := ingot.Result{Operation: passes[0].Operation}
		r.Operation.Outcome = ingot.Done
		require.NoError(t, s.CommitPass(ctx, r))
		nodes, err := s.ListNodes(ctx, ingot.NodeQuery{})
		require.NoError(t, err)
		require.Len(t, nodes, 1)
		require.Equal(t, "", nodes[0].Reservation)
		require.NoError(t, s.Healthy(ctx))
	})
}
