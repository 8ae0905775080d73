package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// booked starts a conductor whose automated cleaning follows runbooks, and keeps some.
func booked(w *world, books conductor.CleanBooks) {
	w.t.Helper()
	w.start(func(c *conductor.Conductor) { c.Settings.CleanBooks, c.Runbooks = books, w.store.Runbooks() })
	list := []map[string]any{
		{"interface": "deploy", "step": "erase_devices", "order": 2.0, "args": map[string]any{}},
		{"interface": "deploy", "step": "erase_devices_metadata", "order": 1.0, "args": map[string]any{}},
	}
	outside := []map[string]any{{"interface": "bios", "step": "factory_reset", "order": 1.0, "args": map[string]any{}}}
	for _, b := range []ingot.Runbook{
		{Name: "both", Steps: list, Traits: []string{"CUSTOM_A"}},
		{Name: "outside", Steps: outside, DisableRamdisk: true, Traits: []string{"CUSTOM_A"}},
		{Name: "bare", Steps: list},
	} {
		require.NoError(w.t, w.store.Runbooks().Create(w.t.Context(), &b))
	}
}

// TestCleaningByRunbook: its steps are the whole list, in its order, when a node is provided and when it is deleted.
func TestCleaningByRunbook(t *testing.T) {
	w := newWorld(t)
	booked(w, conductor.CleanBooks{Source: conductor.CleanByRunbook, Runbook: "both", ByClass: map[string]string{"odd": "outside"}})
	n := w.node(ingot.Manageable, func(n *ingot.Node) { n.Traits = []string{"CUSTOM_A"} })
	for state, verb := range map[ingot.State]ingot.Verb{ingot.Manageable: ingot.VerbProvide, ingot.Active: ingot.VerbDeleted} {
		w.change(n.UUID, func(n *ingot.Node) { n.ProvisionState = state })
		w.ask(n.UUID, verb)
		w.until(n.UUID, ingot.Available)
		steps := w.frozen(n.UUID)
		require.Len(t, steps, 2)
		require.Equal(t, []string{"erase_devices_metadata runbook done", "erase_devices runbook done"}, []string{
			steps[0].Step + " " + steps[0].Source + " " + string(steps[0].State), steps[1].Step + " " + steps[1].Source + " " + string(steps[1].State),
		})
	}

	odd := w.node(ingot.Manageable, func(n *ingot.Node) {
		n.Traits, n.ResourceClass, n.Interfaces.BIOS = []string{"CUSTOM_A"}, "odd", "fake"
	})
	before := len(w.said())
	w.ask(odd.UUID, ingot.VerbProvide)
	w.until(odd.UUID, ingot.Available)
	require.Len(t, w.frozen(odd.UUID), 1)
	require.Len(t, w.said(), before, "a runbook without the ramdisk leaves the machine's power alone")
}

// TestWhichRunbookCleans: the node's own where the operator lets it, and what is refused.
func TestWhichRunbookCleans(t *testing.T) {
	for _, tc := range []struct {
		name    string
		books   conductor.CleanBooks
		traits  []string
		info    map[string]any
		cleaned string // the source of the steps; "" for none
		fault   string
	}{
		{"none by default", conductor.CleanBooks{Runbook: "both"}, nil, nil, "agent", ""},
		{"hybrid without one", conductor.CleanBooks{Source: "hybrid"}, nil, nil, "agent", ""},
		{"hybrid with one", conductor.CleanBooks{Source: "hybrid", Runbook: "both"}, []string{"CUSTOM_A"}, nil, "runbook", ""},
		{"runbook without one", conductor.CleanBooks{Source: "runbook"}, nil, nil, "", "requires runbook for automated cleaning and none was configured"},
		{"no such runbook", conductor.CleanBooks{Source: "runbook", Runbook: "nope"}, nil, nil, "", "Runbook nope could not be found."},
		{"other traits", conductor.CleanBooks{Source: "runbook", Runbook: "both"}, []string{"CUSTOM_B"}, nil, "", "None of the runbook's traits ['CUSTOM_A'] match a node trait."},
		{"no traits", conductor.CleanBooks{Source: "runbook", Runbook: "bare"}, nil, nil, "", "Runbook has no traits configured."},
		{"any node", conductor.CleanBooks{Source: "runbook", Runbook: "bare", AnyNode: true}, nil, nil, "runbook", ""},
		{"the node's own", conductor.CleanBooks{Source: "runbook", Runbook: "nope", FromNode: true}, []string{"CUSTOM_A"}, map[string]any{"cleaning_runbook": "both"}, "runbook", ""},
		{"the node's own, not allowed", conductor.CleanBooks{Source: "hybrid"}, []string{"CUSTOM_A"}, map[string]any{"cleaning_runbook": "both"}, "agent", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			booked(w, tc.books)
			n := w.node(ingot.Manageable, func(n *ingot.Node) { n.Traits, n.DriverInfo = tc.traits, tc.info })
			w.ask(n.UUID, ingot.VerbProvide)
			after := w.ended(n.UUID)
			if tc.fault != "" {
				require.Equal(t, ingot.CleanFailed, after.ProvisionState)
				require.Contains(t, after.LastError, tc.fault)
				require.Empty(t, w.frozen(n.UUID))
				return
			}
			require.Equal(t, ingot.Available, after.ProvisionState, after.LastError)
			require.Equal(t, tc.cleaned, w.frozen(n.UUID)[0].Source)
		})
	}
}
