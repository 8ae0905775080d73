package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestStepsOfTheFakeVendor: what Ironic's fake vendor interface brings into lists, on nodes that have it and on no other.
func TestStepsOfTheFakeVendor(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Vendor.Earliest, w.rack.Delays.Beat = 5*time.Millisecond, 500*time.Millisecond
	w.start(nil)
	n := w.able(nil)
	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.Available)
	last := w.frozen(n.UUID)
	require.Equal(t, []any{"log_passthrough", "driver", 1, ingot.StepDone}, []any{last[len(last)-1].Step, last[len(last)-1].Source, last[len(last)-1].Priority, last[len(last)-1].State})

	bare := w.node(ingot.Manageable, func(n *ingot.Node) { n.Interfaces.Vendor = "no-vendor" })
	w.ask(bare.UUID, ingot.VerbProvide)
	w.until(bare.UUID, ingot.Available)
	require.Len(t, w.frozen(bare.UUID), len(last)-1)

	w.change(n.UUID, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{
		step("vendor", "log_passthrough", map[string]any{"anything": "goes"}), step("vendor", "trigger_servicewait", nil),
	}})
	w.until(n.UUID, ingot.Active)
	require.Len(t, w.frozen(n.UUID), 2)
	states := []string{}
	history, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{Limit: -1})
	require.NoError(t, err)
	for _, h := range history {
		states = append(states, h.Event)
	}
	require.Contains(t, states, "servicing -> service wait")

	began := time.Now()
	w.rack.Delays.Vendor.Earliest = 50 * time.Millisecond
	_, answer, err := w.conductor().CallVendor(t.Context(), w.get(n.UUID), "third_method_sync", "POST", map[string]any{"bar": "meow"})
	require.NoError(t, err)
	require.Equal(t, true, answer)
	require.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
	require.NoError(t, vendorError(w.conductor(), w.get(n.UUID), "log_passthrough", "POST", map[string]any{"a": 1.0}))
}
