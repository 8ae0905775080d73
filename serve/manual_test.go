package serve_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestManualManagement takes a machine that nobody but people can switch through its life with deploy interface noop, and
// has the history ask for what people must do.
func TestManualManagement(t *testing.T) {
	app := run(t, t.TempDir())
	n := ingot.Node{
		UUID: uuid.NewString(), Driver: "manual-management", ProvisionState: ingot.Enroll,
		Interfaces: ingot.Interfaces{Boot: "ipxe", Deploy: "noop", Inspect: "agent", Power: "fake", Management: "noop", Rescue: "no-rescue"},
	}
	require.NoError(t, app.Store.CreateNode(t.Context(), &n, nil))
	ask := func(verb ingot.Verb, want ingot.State) ingot.Node {
		now, err := app.Store.Node(t.Context(), n.UUID)
		require.NoError(t, err)
		require.NoError(t, app.Conductor.Provision(t.Context(), now, ingot.ProvisionRequest{Verb: verb}))
		require.Eventually(t, func() bool {
			now, err = app.Store.Node(t.Context(), n.UUID)
			return err == nil && now.ProvisionState == want
		}, 20*time.Second, 5*time.Millisecond, "%s: %s", verb, now.LastError)
		return now
	}
	ask(ingot.VerbManage, ingot.Manageable)
	ask(ingot.VerbProvide, ingot.Available)
	available := ask(ingot.VerbActive, ingot.Active)
	require.Equal(t, ingot.PowerOff, available.PowerState, "noop leaves the machine alone")
	require.NoError(t, app.Conductor.SetPower(t.Context(), available, ingot.TargetPowerOn, 0))
	require.Eventually(t, func() bool {
		now, err := app.Store.Node(t.Context(), n.UUID)
		return err == nil && now.PowerState == ingot.PowerOn && now.TargetPowerState == ""
	}, 20*time.Second, 5*time.Millisecond)
	ask(ingot.VerbDeleted, ingot.Available)
	history, err := app.Store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	var asked []string
	for _, h := range history {
		if h.Type == "conductor" {
			asked = append(asked, h.Event)
		}
	}
	require.Equal(t, []string{"switch this machine on by hand, and have it boot from its disk"}, asked)
}
