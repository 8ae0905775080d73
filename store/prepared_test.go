package store_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestManyStatements: more statements than are kept compiled, from many sides at once, all of them read what they name.
func TestManyStatements(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	store.KeepPrepared(s, 2)
	n := newNode(t, s, "n")
	names := []string{"name", "driver", "owner", "lessee", "fault", "shard", "extra"}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for choice := range 1 << len(names) {
				var fields []string
				for i, name := range names {
					if choice&(1<<i) != 0 {
						fields = append(fields, name)
					}
				}
				got, err := s.ListNodes(context.Background(), ingot.NodeQuery{Page: ingot.Page{Fields: fields}})
				if err != nil || len(got) != 1 || (got[0].Name == n.Name) != (fields == nil || slices.Contains(fields, "name")) {
					t.Errorf("%v: %+v, %v", fields, got, err)
					return
				}
			}
		})
	}
	readers.Wait()
}

// TestColumns: a list reads what it is asked for, and the UUID; what is no column is refused.
func TestColumns(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := ingot.Node{Name: "n", Driver: "ipmi", Owner: "p", DriverInfo: map[string]any{"ipmi_password": ingot.Secret("calvin"), "ipmi_address": "192.0.2.1"}}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		for _, row := range []struct {
			fields []string
			want   ingot.Node
		}{
			{[]string{}, ingot.Node{UUID: n.UUID}},
			{[]string{"uuid"}, ingot.Node{UUID: n.UUID}},
			{[]string{"owner", "name"}, ingot.Node{UUID: n.UUID, Name: "n", Owner: "p"}},
			{[]string{"driver_info"}, ingot.Node{UUID: n.UUID, DriverInfo: n.DriverInfo}},
		} {
			got, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{Fields: row.fields, SortKey: "driver"}})
			require.NoError(t, err)
			require.Equal(t, []ingot.Node{row.want}, got, "%v", row.fields)
		}
		_, err := s.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{Fields: []string{"name", "nonsense"}}})
		require.ErrorContains(t, err, "nodes have not all of the columns name, nonsense")
		_, err = s.Chassis().List(ctx, ingot.ChassisQuery{Page: ingot.Page{Fields: []string{"nonsense"}}})
		require.ErrorContains(t, err, "chassis have not all of the columns nonsense")
	})
}
