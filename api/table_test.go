package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestFieldTables looks at every row: whatever can be set has a reader, can be shown, and does not come before its
// version.
func TestFieldTables(t *testing.T) {
	t.Parallel()
	checkTable(t, nodeFields())
	checkTable(t, portFields())
	checkTable(t, portgroupFields())
	checkTable(t, chassisFields())
	checkTable(t, connectorFields())
	checkTable(t, targetFields())
	checkTable(t, templateFields())
	checkTable(t, runbookFields())
	checkTable(t, ruleFields())
	checkTable(t, allocationFields())
	checkTable(t, flavorFields())
	checkTable(t, conductorFields())
	checkTable(t, historyFields())
	checkTable(t, biosFields())
	checkTable(t, firmwareFields())
}

func checkTable[T, Q any](t *testing.T, table []field[T, Q]) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range table {
		require.False(t, seen[f.name], "%s is there twice", f.name)
		seen[f.name] = true
		require.True(t, f.get != nil || f.filter != nil, "%s does nothing", f.name)
		require.LessOrEqual(t, max(f.since, f.filterSince), maxMinor, f.name)
		if f.settable() {
			require.NotEmpty(t, f.readBy, "%s can be set, but its row names no reader: it would be accepted and ignored", f.name)
			require.NotNil(t, f.set, "%s can be set, but its column cannot", f.name)
			require.NotNil(t, f.get, "%s can be set, but is never shown", f.name)
		} else {
			require.Empty(t, f.readBy, "%s cannot be set: what would read it?", f.name)
		}
	}
}

// TestColumnsKeep: what is set to a column comes back from it, and null is its empty value.
func TestColumnsKeep(t *testing.T) {
	t.Parallel()
	for _, f := range nodeFields() {
		if !f.settable() {
			continue
		}
		var n ingot.Node
		empty := f.get(&n)
		var v any
		switch f.kind {
		case kindFlag:
			v = true
		case kindObject:
			v = map[string]any{"a": 1.0}
		default:
			v = "11111111-2222-4333-8444-555555555555"
		}
		f.set(&n, v)
		require.Equal(t, v, f.get(&n), f.name)
		f.set(&n, nil)
		require.Equal(t, empty, f.get(&n), f.name)
	}
}
