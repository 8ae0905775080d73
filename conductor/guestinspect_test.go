package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestGuestsAreInspected: by their host without a start, or by an agent; neither changes what the guest claims of its host.
func TestGuestsAreInspected(t *testing.T) {
	t.Parallel()
	for by, starts := range map[string]bool{"libvirt": false, "fake": true} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			w, s, n := guestWith(t, ingot.PowerOff)
			w.kill()
			w.start(func(c *conductor.Conductor) { s.with(c); withRules(w)(c) })
			w.rule(1, nil, op("set-attribute", m{"path": "/properties/cpus", "value": "64"}), op("set-attribute", m{"path": "/extra/ruled", "value": "yes"}))
			w.change(n.UUID, func(n *ingot.Node) { n.ProvisionState, n.Interfaces.Inspect = ingot.Manageable, by })
			w.ask(n.UUID, ingot.VerbInspect)
			end := w.ended(n.UUID)
			require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
			require.Equal(t, "x86_64", end.Properties["cpu_arch"])
			require.Equal(t, "yes", end.Extra["ruled"])
			for key, was := range n.Properties {
				require.EqualValues(t, was, end.Properties[key], key)
			}
			require.Equal(t, starts, w.count("power on") > 0, "%q", w.said())
			ports, err := w.store.ListPorts(t.Context(), ingot.PortQuery{NodeUUID: n.UUID})
			require.NoError(t, err)
			require.Equal(t, !starts, len(ports) == 1, "the fake agent has no cards")
			_, _, err = w.store.Inventory(t.Context(), n.UUID)
			require.NoError(t, err)
		})
	}
}
