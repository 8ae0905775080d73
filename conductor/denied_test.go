package conductor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestDisallowedSteps: what the operator allows to nobody is refused where it is asked for, and left out where it comes by
// itself.
func TestDisallowedSteps(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) {
		c.Settings.Disallowed = map[string][]string{"clean": {"deploy.erase_devices_metadata"}}
	})
	n := w.node(ingot.Manageable)
	refused := func(req ingot.ProvisionRequest) string {
		err := w.conductor().Provision(t.Context(), w.get(n.UUID), req)
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
		return err.Error()
	}
	require.Equal(t, "clean step 'deploy.erase_devices_metadata' is not allowed. Disallowed by operator configuration [api]disallow_clean_steps.",
		refused(ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.erase_devices_metadata")}))
	w.ask(n.UUID, ingot.VerbProvide)
	require.Equal(t, ingot.Available, w.ended(n.UUID).ProvisionState)
	require.Zero(t, w.count("agent clean.execute_clean_step"))

	n = w.node(ingot.Active)
	require.Equal(t, "service step 'vendor.send_raw' is not allowed. Disallowed by operator configuration [api]disallow_service_steps.",
		refused(ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("vendor.send_raw")}))
}
