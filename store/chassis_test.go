package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// TestChassis: a chassis is a record like others, and stays while it has nodes.
func TestChassis(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		c := ingot.Chassis{UUID: "AAAAAAAA-0000-4000-8000-000000000001", Description: "left", Extra: map[string]any{"a": 1.0}}
		require.NoError(t, s.Chassis().Create(ctx, &c, ingot.Event{Type: "chassis.created"}))
		require.Equal(t, "aaaaaaaa-0000-4000-8000-000000000001", c.UUID)
		got, err := s.Chassis().Get(ctx, "AAAAAAAA-0000-4000-8000-000000000001")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(c, got))
		_, err = s.Chassis().Get(ctx, "left")
		refused(t, err, ingot.NotFound, "Chassis left could not be found.")
		refused(t, s.Chassis().Create(ctx, &ingot.Chassis{UUID: c.UUID}), ingot.Conflict, "A chassis with UUID %s already exists.", c.UUID)
		var other ingot.Chassis
		require.NoError(t, s.Chassis().Create(ctx, &other))
		page, err := s.Chassis().List(ctx, ingot.ChassisQuery{Page: ingot.Page{SortKey: "description", Desc: true, Limit: 1}})
		require.NoError(t, err)
		require.Equal(t, []ingot.Chassis{got}, page)
		page, err = s.Chassis().List(ctx, ingot.ChassisQuery{Page: ingot.Page{Marker: c.UUID}})
		require.NoError(t, err)
		require.Equal(t, []ingot.Chassis{other}, page)

		clock.move(time.Second)
		got, err = s.Chassis().Change(ctx, c.UUID, 1, func(c *ingot.Chassis) error { c.UUID, c.Description = "other", "right"; return nil })
		require.NoError(t, err)
		require.Equal(t, c.UUID, got.UUID)
		require.EqualValues(t, 2, got.Version)
		require.Equal(t, clock.Now(), got.UpdatedAt)
		same, err := s.Chassis().Change(ctx, c.UUID, 0, func(*ingot.Chassis) error { return nil })
		require.NoError(t, err)
		require.Equal(t, got, same)
		refused(t, s.Chassis().Delete(ctx, c.UUID, 1), ingot.Conflict, "Chassis %s was changed by another request meanwhile; read it again and retry.", c.UUID)

		n := ingot.Node{Driver: "fake-hardware", ChassisUUID: c.UUID}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		refused(t, s.Chassis().Delete(ctx, c.UUID, 0), ingot.Invalid, "Cannot complete the requested action because chassis %s contains nodes.", c.UUID)
		nobody := uuid.NewString()
		refused(t, s.CreateNode(ctx, &ingot.Node{ChassisUUID: nobody}, nil), ingot.Invalid, "Chassis %s could not be found.", nobody)
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.ChassisUUID = nobody; return nil }})
		refused(t, err, ingot.Invalid, "Chassis %s could not be found.", nobody)
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.ChassisUUID = ""; return nil }})
		require.NoError(t, err)
		require.NoError(t, s.Chassis().Delete(ctx, c.UUID, 2))
		refused(t, s.Chassis().Delete(ctx, c.UUID, 0), ingot.NotFound, "Chassis %s could not be found.", c.UUID)
	})
}
