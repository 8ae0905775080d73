package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func names(nodes []ingot.Node) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return out
}

func TestNodeFilters(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		yes, no, group := true, false, ""
		parent, chassis := uuid.NewString(), newChassis(t, s)
		a := ingot.Node{
			Name: "a", Driver: "ipmi", ProvisionState: ingot.Active, InstanceUUID: uuid.NewString(), InstanceName: "i", Owner: "p1",
			ResourceClass: "big", ConductorGroup: "rack", Shard: "s1", Conductor: "c1", ChassisUUID: chassis, Description: "50% of THE rack_1", Fault: ingot.FaultPower,
		}
		b := ingot.Node{Name: "b", Driver: "redfish", ProvisionState: ingot.Available, Maintenance: true, Lessee: "p1", Retired: true, Shard: "s2", Description: "the rack-1"}
		c := ingot.Node{Name: "c", Driver: "redfish", ParentNode: parent}
		for _, n := range []*ingot.Node{&a, &b, &c} {
			require.NoError(t, s.CreateNode(ctx, n, nil))
		}
		for name, row := range map[string]struct {
			q    ingot.NodeQuery
			want []string
		}{
			"all but children":     {ingot.NodeQuery{}, []string{"a", "b"}},
			"with children":        {ingot.NodeQuery{IncludeChildren: true}, []string{"a", "b", "c"}},
			"children of":          {ingot.NodeQuery{ParentNode: parent}, []string{"c"}},
			"children of, twice":   {ingot.NodeQuery{ParentNode: parent, IncludeChildren: true}, []string{"c"}},
			"associated":           {ingot.NodeQuery{Associated: &yes}, []string{"a"}},
			"not associated":       {ingot.NodeQuery{Associated: &no}, []string{"b"}},
			"maintenance":          {ingot.NodeQuery{Maintenance: &yes}, []string{"b"}},
			"not maintenance":      {ingot.NodeQuery{Maintenance: &no}, []string{"a"}},
			"retired":              {ingot.NodeQuery{Retired: &yes}, []string{"b"}},
			"sharded":              {ingot.NodeQuery{Sharded: &yes}, []string{"a", "b"}},
			"not sharded":          {ingot.NodeQuery{Sharded: &no, IncludeChildren: true}, []string{"c"}},
			"shards":               {ingot.NodeQuery{Shards: []string{"s2", "s3"}}, []string{"b"}},
			"instance":             {ingot.NodeQuery{InstanceUUID: a.InstanceUUID}, []string{"a"}},
			"instance name":        {ingot.NodeQuery{InstanceName: "i"}, []string{"a"}},
			"chassis":              {ingot.NodeQuery{ChassisUUID: chassis}, []string{"a"}},
			"state":                {ingot.NodeQuery{ProvisionState: ingot.Available}, []string{"b"}},
			"driver":               {ingot.NodeQuery{Driver: "redfish", IncludeChildren: true}, []string{"b", "c"}},
			"class":                {ingot.NodeQuery{ResourceClass: "big"}, []string{"a"}},
			"fault":                {ingot.NodeQuery{Fault: ingot.FaultPower}, []string{"a"}},
			"no group":             {ingot.NodeQuery{ConductorGroup: &group}, []string{"b"}},
			"conductor":            {ingot.NodeQuery{Conductor: "c1"}, []string{"a"}},
			"owner":                {ingot.NodeQuery{Owner: "p1"}, []string{"a"}},
			"lessee":               {ingot.NodeQuery{Lessee: "p1"}, []string{"b"}},
			"project":              {ingot.NodeQuery{Project: "p1"}, []string{"a", "b"}},
			"description":          {ingot.NodeQuery{DescriptionContains: "The Rack"}, []string{"a", "b"}},
			"description, percent": {ingot.NodeQuery{DescriptionContains: "0%"}, []string{"a"}},
			"description, no wild": {ingot.NodeQuery{DescriptionContains: "rack_"}, []string{"a"}},
			"both must hold":       {ingot.NodeQuery{Driver: "ipmi", Maintenance: &yes}, []string{}},
		} {
			got, err := s.ListNodes(ctx, row.q)
			require.NoError(t, err, name)
			require.Equal(t, row.want, names(got), name)
		}
	})
}

func TestNodePages(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for i, class := range []string{"b", "a", "B", "a", "", "c", "b"} {
			yes := i%2 == 0
			n := ingot.Node{Name: fmt.Sprintf("n%d", i), ResourceClass: class, Maintenance: i%2 == 0}
			if i%3 != 0 {
				n.AutomatedClean = &yes
			}
			require.NoError(t, s.CreateNode(ctx, &n, nil))
		}
		for _, row := range []struct {
			key  string
			want []string
		}{
			{"", []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6"}},
			{"name", []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6"}},
			{"resource_class", []string{"n4", "n2", "n1", "n3", "n0", "n6", "n5"}},
			{"maintenance", []string{"n1", "n3", "n5", "n0", "n2", "n4", "n6"}},
			{"automated_clean", []string{"n0", "n3", "n6", "n1", "n5", "n2", "n4"}},
		} {
			for _, desc := range []bool{false, true} {
				want := slices.Clone(row.want)
				if desc {
					slices.Reverse(want)
				}
				var got []ingot.Node
				page := ingot.Page{Limit: 2, SortKey: row.key, Desc: desc}
				for range 10 {
					some, err := s.ListNodes(ctx, ingot.NodeQuery{Page: page})
					require.NoError(t, err)
					if len(some) == 0 {
						break
					}
					got = append(got, some...)
					page.Marker = some[len(some)-1].UUID
				}
				require.Equal(t, want, names(got), "sorted by %q, descending %v", row.key, desc)
			}
		}
		all, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{Limit: -1}})
		require.NoError(t, err)
		require.Len(t, all, 7)
	})
}

func TestEverySortKeyIsAllowedOrRefused(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		for _, key := range []string{
			"id", "uuid", "name", "driver", "provision_state", "power_state", "created_at", "updated_at",
			"provision_updated_at", "instance_uuid", "owner", "fault", "secure_boot", "boot_interface", "reservation", "retired",
		} {
			_, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{SortKey: key, Marker: n.UUID}})
			require.NoError(t, err, key)
		}
		for _, key := range []string{"properties", "driver_info", "extra", "instance_info", "agent", "secrets", "nope", "id; DROP TABLE nodes"} {
			_, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{SortKey: key}})
			refused(t, err, ingot.Invalid, "The sort_key value %s is an invalid field for sorting", key)
		}
		_, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{Marker: "nope"}})
		refused(t, err, ingot.NotFound, "Node nope could not be found.")
	})
}
