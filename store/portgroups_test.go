package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// newGroup creates a port group of the node.
func newGroup(t testing.TB, s *store.Store, g ingot.Portgroup) ingot.Portgroup {
	t.Helper()
	require.NoError(t, s.Portgroups().Create(context.Background(), &g))
	return g
}

func TestPortgroups(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := ingot.Node{Name: "n", Driver: "fake-hardware", Shard: "s1", ConductorGroup: "far"}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		other := newNode(t, s, "other")
		g := newGroup(t, s, ingot.Portgroup{
			NodeUUID: n.UUID, Address: "AA:00:00:00:00:01", Name: "bond0", Mode: "802.3ad", Properties: map[string]any{"miimon": "100"}, Standalone: true,
			PhysicalNetwork: "net", Category: "fast", Dynamic: true, Extra: map[string]any{"a": 1.0}, Internal: map[string]any{"b": "c"},
		})
		for _, ident := range []string{g.UUID, "bond0", "aa:00:00:00:00:01"} {
			got, err := s.Portgroups().Get(ctx, ident)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(g, got))
		}
		plain := newGroup(t, s, ingot.Portgroup{NodeUUID: other.UUID})
		newGroup(t, s, ingot.Portgroup{NodeUUID: other.UUID}) // a second one without name and address
		for i, query := range []ingot.PortgroupQuery{
			{NodeUUID: n.UUID}, {Address: "AA:00:00:00:00:01"}, {Shards: []string{"s1", "s2"}}, {ConductorGroups: []string{"far"}}, {Page: ingot.Page{SortKey: "mode", Desc: true, Limit: 1}},
		} {
			got, err := s.Portgroups().List(ctx, query)
			require.NoError(t, err)
			require.Len(t, got, 1, i)
			require.Equal(t, g.UUID, got[0].UUID)
		}
		for sentence, bad := range map[string]ingot.Portgroup{
			"A portgroup with UUID " + g.UUID + " already exists. It is port group " + g.UUID + " of node " + n.UUID + ".":           {UUID: g.UUID, NodeUUID: n.UUID},
			"A portgroup with name bond0 already exists. It is port group " + g.UUID + " of node " + n.UUID + ".":                    {Name: "bond0", NodeUUID: n.UUID},
			"A portgroup with MAC address aa:00:00:00:00:01 already exists. It is port group " + g.UUID + " of node " + n.UUID + ".": {Address: "aa:00:00:00:00:01", NodeUUID: n.UUID},
		} {
			refused(t, s.Portgroups().Create(ctx, &bad), ingot.Conflict, "%s", sentence)
		}
		refused(t, s.Portgroups().Create(ctx, &ingot.Portgroup{NodeUUID: "nope"}), ingot.NotFound, "Node nope could not be found.")

		clock.move(time.Second)
		got, err := s.Portgroups().Change(ctx, g.UUID, 1, func(g *ingot.Portgroup) error { g.NodeUUID = other.UUID; return nil })
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		require.NoError(t, s.Portgroups().Delete(ctx, plain.UUID, 1))
		require.NoError(t, s.DeleteNode(ctx, other.UUID, 0))
		left, err := s.Portgroups().List(ctx, ingot.PortgroupQuery{})
		require.NoError(t, err)
		require.Empty(t, left, "a node's groups go with it")
	})
}

// TestPortsOfGroups: a port's group is its node's and on its network, and keeps while it has ports.
func TestPortsOfGroups(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n, other := newNode(t, s, "n"), newNode(t, s, "other")
		g := newGroup(t, s, ingot.Portgroup{NodeUUID: n.UUID, PhysicalNetwork: "net"})
		theirs := newGroup(t, s, ingot.Portgroup{NodeUUID: other.UUID})
		p := ingot.Port{NodeUUID: n.UUID, Address: mac(1), PortgroupUUID: g.UUID, PhysicalNetwork: "net"}
		require.NoError(t, s.Ports().Create(ctx, &p))
		nobody := uuid.NewString()
		for _, row := range []struct {
			port     ingot.Port
			code     ingot.Code
			sentence string
		}{
			{ingot.Port{PortgroupUUID: nobody}, ingot.Invalid, "Portgroup " + nobody + " could not be found."},
			{ingot.Port{PortgroupUUID: theirs.UUID}, ingot.Invalid, "Port can not be added to a portgroup belonging to a different node."},
			{ingot.Port{PortgroupUUID: g.UUID, PhysicalNetwork: "far"}, ingot.Conflict, "Port with physical network far cannot become a member of port group " + g.UUID + " which has ports in physical network net."},
			{ingot.Port{PortgroupUUID: g.UUID}, ingot.Conflict, "Port with physical network None cannot become a member of port group " + g.UUID + " which has ports in physical network net."},
		} {
			row.port.NodeUUID, row.port.Address = n.UUID, mac(2)
			refused(t, s.Ports().Create(ctx, &row.port), row.code, "%s", row.sentence)
		}
		_, err := s.Ports().Change(ctx, p.UUID, 0, func(p *ingot.Port) error { p.NodeUUID = other.UUID; return nil })
		refused(t, err, ingot.Invalid, "Port can not be added to a portgroup belonging to a different node.")
		_, err = s.Portgroups().Change(ctx, g.UUID, 0, func(g *ingot.Portgroup) error { g.NodeUUID = other.UUID; return nil })
		refused(t, err, ingot.Invalid, "Portgroup %s can not be associated with node %s because there are ports associated with this portgroup.", g.UUID, other.UUID)
		refused(t, s.Portgroups().Delete(ctx, g.UUID, 0), ingot.Invalid, "Cannot complete the requested action because portgroup %s contains ports.", g.UUID)

		_, err = s.Portgroups().Change(ctx, g.UUID, 0, func(g *ingot.Portgroup) error { g.PhysicalNetwork = "far"; return nil })
		require.NoError(t, err)
		got, err := s.Ports().Get(ctx, p.UUID)
		require.NoError(t, err)
		require.Equal(t, "far", got.PhysicalNetwork, "its ports are on the group's network")
		require.EqualValues(t, 2, got.Version)
		require.NoError(t, s.Ports().Delete(ctx, p.UUID, 0))
		require.NoError(t, s.Portgroups().Delete(ctx, g.UUID, 0))
	})
}

// TestChangeNodePortsTogether: of many changes at once each sees what those before it did.
func TestChangeNodePortsTogether(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		for i := range 3 {
			require.NoError(t, s.Ports().Create(ctx, &ingot.Port{NodeUUID: n.UUID, Address: mac(i)}))
		}
		newGroup(t, s, ingot.Portgroup{NodeUUID: n.UUID})
		full := errors.New("full")
		var taken, refusals atomic.Int32
		parallel(8, func(i int) {
			err := s.ChangeNodePorts(ctx, n.UUID, func(_ *ingot.Node, ports []ingot.Port, groups []ingot.Portgroup) error {
				for j := range groups {
					if groups[j].Name == "" {
						groups[j].Name = "taken"
						return nil
					}
				}
				for j := range ports {
					if ports[j].Description == "" {
						ports[j].Description = "taken"
						return nil
					}
				}
				return full
			}, ingot.Event{Type: "port.updated"})
			switch {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, full):
				refusals.Add(1)
			default:
				t.Error(err)
			}
		})
		require.EqualValues(t, 4, taken.Load())
		require.EqualValues(t, 4, refusals.Load())
		ports, err := s.Ports().List(ctx, ingot.PortQuery{DescriptionContains: "taken"})
		require.NoError(t, err)
		require.Len(t, ports, 3)
		require.EqualValues(t, 2, ports[0].Version)
		refused(t, s.ChangeNodePorts(ctx, "nope", nil), ingot.NotFound, "Node nope could not be found.")
	})
}
