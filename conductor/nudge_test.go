package conductor_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestAskedAgainInTime: a step that is not yet done is asked again when it said, though the engine was resting when its
// pass was committed. There is no poll here to find it.
func TestAskedAgainInTime(t *testing.T) {
	w := newWorld(t)
	asked := 0
	w.start(func(c *conductor.Conductor) {
		c.Settings.Poll = time.Hour
		c.Intercept = func(_ context.Context, _ *conductor.Run, _ conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if asked++; asked <= 20 {
				time.Sleep(2 * time.Millisecond) // long enough for the engine to rest
				return conductor.NotYet(5*time.Millisecond, "not yet"), nil
			}
			return do()
		}
	})
	n := w.node(ingot.Enroll)
	w.ask(n.UUID, ingot.VerbManage)
	require.Equal(t, ingot.Manageable, w.until(n.UUID, ingot.Manageable).ProvisionState)
	require.Greater(t, asked, 20)
}
