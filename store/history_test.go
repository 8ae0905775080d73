package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// TestHistoryIsPruned: the newest entries of each node stay, as many as the operator says.
func TestHistoryIsPruned(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "ingot.db"), HistoryKept: 3})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for _, name := range []string{"a", "b"} {
		n := ingot.Node{Name: name, Driver: "fake-hardware"}
		require.NoError(t, s.CreateNode(t.Context(), &n, nil))
		for i := range 5 {
			_, err := s.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(*ingot.Node) error { return nil }, History: []ingot.History{{Event: fmt.Sprint(name, i)}}})
			require.NoError(t, err)
		}
		entries, err := s.ListHistory(t.Context(), n.UUID, ingot.Page{Limit: -1})
		require.NoError(t, err)
		var events []string
		for _, e := range entries {
			events = append(events, e.Event)
		}
		require.Equal(t, []string{name + "2", name + "3", name + "4"}, events)
	}
}
