package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestPowerIsAskedBySomebody: a change of power keeps who asked for it.
func TestPowerIsAskedBySomebody(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable)
	ctx := ingot.WithIdentity(t.Context(), ingot.Identity{User: "ann", Project: "p1"})
	require.NoError(t, w.conductor().SetPower(ctx, n, ingot.TargetPowerOn, 0))
	operations, err := w.store.Operations(t.Context(), n.UUID, 1)
	require.NoError(t, err)
	require.Equal(t, "ann of p1", operations[0].Requester+" of "+operations[0].Project)
}

// TestLesseeOfADeploy: a deploy leases the node, and its undeploy ends that; a lessee that was there stays.
func TestLesseeOfADeploy(t *testing.T) {
	for name, c := range map[string]struct {
		source, before, during, after string
	}{
		"of the instance":             {"", "", "tenant", ""},
		"of the request":              {conductor.LesseeOfRequest, "", "asker", ""},
		"none":                        {conductor.LesseeNone, "", "", ""},
		"one that was there is kept":  {"", "before", "before", "before"},
		"one that asks takes nothing": {conductor.LesseeOfRequest, "before", "before", "before"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start(func(d *conductor.Conductor) { d.Settings.LesseeSource = c.source })
			n := w.node(ingot.Available, func(n *ingot.Node) {
				n.Lessee = c.before
				n.InstanceInfo = map[string]any{"project_id": "tenant"}
			})
			w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbActive, Requester: "ann", Project: "asker"})
			require.Equal(t, c.during, w.until(n.UUID, ingot.Active).Lessee)
			history, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
			require.NoError(t, err)
			require.Equal(t, "ann", history[0].User)
			require.Equal(t, "asker", history[len(history)-1].Project)
			w.ask(n.UUID, ingot.VerbDeleted)
			gone := w.until(n.UUID, ingot.Available)
			require.Equal(t, c.after, gone.Lessee)
			require.NotContains(t, gone.Internal, "automatic_lessee")
		})
	}
}
