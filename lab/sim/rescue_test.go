package sim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestRescue has the real agent take the rescue password, and the machine boot its own disk again afterwards.
func TestRescue(t *testing.T) {
	r := newRig(t, smallImage)
	r.start(nil)
	r.enrol()
	r.deploy()
	require.Equal(t, ingot.Active, r.ended().ProvisionState)
	ask := func(req ingot.ProvisionRequest) ingot.Node {
		n, err := r.app.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: r.node, Change: func(n *ingot.Node) error {
			n.Interfaces.Rescue = "agent"
			return nil
		}})
		require.NoError(t, err)
		require.NoError(t, r.app.Conductor.Provision(t.Context(), n, req))
		return r.ended()
	}
	end := ask(ingot.ProvisionRequest{Verb: ingot.VerbRescue, RescuePassword: "hunter2"})
	require.Equal(t, ingot.Rescue, end.ProvisionState, end.LastError)
	hash, err := os.ReadFile(filepath.Join(r.machine.Dir, "rescue"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(hash), "$5$"), "%s", hash)
	log, err := os.ReadFile(filepath.Join(r.machine.Dir, "boot.log"))
	require.NoError(t, err)
	require.NotContains(t, string(log), "hunter2")
	end = ask(ingot.ProvisionRequest{Verb: ingot.VerbUnrescue})
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	boots := r.machine.Boots()
	require.Equal(t, []string{"ramdisk", "disk", "ramdisk", "disk"}, []string{boots[0].What, boots[1].What, boots[2].What, boots[3].What})
}
