package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestNothingIsScanned: what finds a thing by what it is called, or the things of another thing, reads no more rows for
// ten thousand nodes than for ten. The plans are those of the statements that the store itself has used here.
func TestNothingIsScanned(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	ctx := context.Background()
	must := func(err error) { t.Helper(); require.NoError(t, err) }

	chassis := newChassis(t, s)
	n := ingot.Node{Name: "n", Driver: "fake-hardware", ProvisionState: ingot.Available, ChassisUUID: chassis, Shard: "s"}
	p := ingot.Port{Address: "aa:00:00:00:00:02", Name: "p"}
	must(s.CreateNode(ctx, &n, []ingot.Port{p}))
	g := newGroup(t, s, ingot.Portgroup{NodeUUID: n.UUID, Name: "bond0", Address: "aa:00:00:00:00:01"})
	a := ingot.Allocation{Name: "a", ResourceClass: "none"}
	must(s.Allocations().Create(ctx, &a))
	_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.Name, n.InstanceUUID = "m", uuid.NewString(); return nil }})
	must(err)
	_, err = s.Portgroups().Change(ctx, g.UUID, 0, func(g *ingot.Portgroup) error { g.PhysicalNetwork = "net"; return nil })
	must(err)

	for _, ident := range []string{"m", n.UUID} {
		_, err := s.Node(ctx, ident)
		must(err)
	}
	_, err = s.NodeByMACs(ctx, []string{p.Address})
	must(err)
	_, err = s.Ports().Get(ctx, p.Address)
	must(err)
	_, err = s.Ports().Get(ctx, "p")
	must(err)
	_, err = s.Portgroups().Get(ctx, "bond0")
	must(err)
	_, err = s.Allocations().Get(ctx, "a")
	must(err)
	for _, q := range []ingot.NodeQuery{{InstanceUUID: n.UUID}, {ParentNode: n.UUID}, {ChassisUUID: chassis}} {
		_, err := s.ListNodes(ctx, q)
		must(err)
	}
	must(s.Portgroups().Delete(ctx, g.UUID, 0))
	must(s.DeleteNode(ctx, n.UUID, 0))
	must(s.Chassis().Delete(ctx, chassis, 0))

	plans, err := store.Plans(ctx, s)
	must(err)
	for query, plan := range plans {
		for _, line := range plan {
			require.False(t, strings.HasPrefix(line, "SCAN ") && !strings.Contains(line, "CONSTANT ROW"), "%s\n%s", strings.Join(plan, "\n"), query)
		}
	}
	require.Greater(t, len(plans), 20)
}
