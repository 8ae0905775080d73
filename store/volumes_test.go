package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func TestVolumes(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n, other := newNode(t, s, "n"), newNode(t, s, "other")
		c := ingot.VolumeConnector{NodeUUID: n.UUID, Type: "iqn", ConnectorID: "iqn.2026-01.example:n", Extra: map[string]any{"a": 1.0}}
		require.NoError(t, s.VolumeConnectors().Create(ctx, &c))
		v := ingot.VolumeTarget{
			NodeUUID: n.UUID, VolumeType: "iscsi", VolumeID: "vol-1", BootIndex: 0, Extra: map[string]any{"a": 1.0},
			Properties: map[string]any{"target_iqn": "iqn.x", "auth_password": ingot.Secret("pw")},
		}
		require.NoError(t, s.VolumeTargets().Create(ctx, &v))
		gotC, err := s.VolumeConnectors().Get(ctx, c.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(c, gotC))
		gotV, err := s.VolumeTargets().Get(ctx, v.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(v, gotV))
		_, err = s.VolumeTargets().Get(ctx, c.UUID)
		refused(t, err, ingot.NotFound, "Volume target %s could not be found.", c.UUID)

		refused(t, s.VolumeConnectors().Create(ctx, &ingot.VolumeConnector{NodeUUID: other.UUID, Type: "iqn", ConnectorID: c.ConnectorID}), ingot.Conflict,
			"A volume connector with type iqn and connector ID %s already exists. It is volume connector %s of node %s.", c.ConnectorID, c.UUID, n.UUID)
		refused(t, s.VolumeConnectors().Create(ctx, &ingot.VolumeConnector{UUID: c.UUID, NodeUUID: n.UUID}), ingot.Conflict, "A volume connector with UUID %s already exists.", c.UUID)
		refused(t, s.VolumeConnectors().Create(ctx, &ingot.VolumeConnector{NodeUUID: "nope"}), ingot.NotFound, "Node nope could not be found.")
		refused(t, s.VolumeTargets().Create(ctx, &ingot.VolumeTarget{NodeUUID: n.UUID}), ingot.Conflict,
			"A volume target with boot index '0' for the same node already exists. It is volume target %s.", v.UUID)
		theirs := ingot.VolumeTarget{NodeUUID: other.UUID}
		require.NoError(t, s.VolumeTargets().Create(ctx, &theirs), "another node's boot order is its own")
		found, err := s.VolumeTargets().List(ctx, ingot.VolumeQuery{NodeUUID: other.UUID})
		require.NoError(t, err)
		require.Equal(t, []ingot.VolumeTarget{theirs}, found)
		_, err = s.VolumeTargets().Change(ctx, theirs.UUID, 0, func(v *ingot.VolumeTarget) error { v.NodeUUID = n.UUID; return nil })
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err))

		clock.move(time.Second)
		gotV, err = s.VolumeTargets().Change(ctx, v.UUID, 1, func(v *ingot.VolumeTarget) error {
			v.BootIndex, v.Properties["auth_password"] = 1, ingot.Secret("pw2")
			return nil
		})
		require.NoError(t, err)
		again, err := s.VolumeTargets().Get(ctx, v.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(gotV, again))
		require.Equal(t, ingot.Secret("pw2"), again.Properties["auth_password"])
		require.NoError(t, s.DeleteNode(ctx, n.UUID, 0))
		left, err := s.VolumeConnectors().List(ctx, ingot.VolumeQuery{})
		require.NoError(t, err)
		require.Empty(t, left, "a node's connectors go with it")
	})
}

func TestShards(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		got, err := s.Shards(ctx)
		require.NoError(t, err)
		require.Empty(t, got)
		for _, shard := range []string{"b", "a", "c", "c", ""} {
			require.NoError(t, s.CreateNode(ctx, &ingot.Node{Driver: "fake-hardware", Shard: shard}, nil))
		}
		got, err = s.Shards(ctx)
		require.NoError(t, err)
		require.Equal(t, []ingot.Shard{{Name: "c", Count: 2}, {Count: 1}, {Name: "a", Count: 1}, {Name: "b", Count: 1}}, got)
	})
}
