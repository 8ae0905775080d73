package conductor_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestPowerLostBeforeTheAgentCalls: a machine that goes off while its ramdisk boots is started again at once, long before
// the time for the agent's call is over.
func TestPowerLostBeforeTheAgentCalls(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = 300 * time.Millisecond
	n := w.node(ingot.Available)
	cut := false
	w.start(func(c *conductor.Conductor) {
		c.Intercept = func(ctx context.Context, _ *conductor.Run, step conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if step.Name == "agent" && !cut {
				cut = true
				now := w.get(n.UUID)
				require.NoError(t, w.rack.Machine(&now).SetPower(ctx, ingot.ActionOff))
			}
			return do()
		}
	})
	w.ask(n.UUID, ingot.VerbActive)
	require.Equal(t, ingot.Active, w.ended(n.UUID).ProvisionState)
	require.True(t, cut)
	require.Equal(t, 1, w.count("agent standby.prepare_image"), "%q", w.said())
}
