package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func (w *world) change(id string, change func(*ingot.Node)) ingot.Node {
	w.t.Helper()
	n, err := w.store.ChangeNode(w.t.Context(), ingot.NodeChange{UUID: id, Change: func(n *ingot.Node) error { change(n); return nil }})
	require.NoError(w.t, err)
	return n
}

func TestADeployAsksOnlyForTraitsOfTheNode(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Available)
	n = w.change(n.UUID, func(n *ingot.Node) {
		n.Traits = []string{"CUSTOM_A"}
		n.InstanceInfo = map[string]any{"traits": []any{"CUSTOM_A", "CUSTOM_B"}}
	})
	missing := "Cannot specify instance traits that are not also set on the node. Node " + n.UUID + " is missing traits CUSTOM_B"
	err := w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive})
	require.EqualError(t, err, "Failed to validate deploy or power info for node "+n.UUID+": "+missing)
	verdicts, err := w.conductor().Validate(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, ingot.FailVerdict(missing), verdicts["deploy"])

	n = w.change(n.UUID, func(n *ingot.Node) { n.InstanceInfo = map[string]any{"traits": "CUSTOM_A"} })
	require.ErrorContains(t, w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive}), "A list of strings is expected.")

	w.change(n.UUID, func(n *ingot.Node) { n.InstanceInfo = map[string]any{"traits": []any{"CUSTOM_A"}} })
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.Active)
}
