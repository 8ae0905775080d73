package conductor_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// TestWhatANewerReleaseBegan: this one, which plays the older, meets an operation at a step, and one of a kind, that it does
// not know. Both end as failures that say so, and where there is a plan the machine is made safe.
func TestWhatANewerReleaseBegan(t *testing.T) {
	for name, c := range map[string]struct {
		kind ingot.Kind
		step string
		says string
	}{
		"a step": {ingot.KindDeploy, "of-the-next-release", `cannot go on from step "of-the-next-release" of deploy: this release does not know it`},
		"a kind": {"defragment", "", "cannot carry out defragment: this release has no plan for it"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.node(ingot.Available, func(n *ingot.Node) { n.PowerState = ingot.PowerOn })
			op, err := w.store.StartOperation(t.Context(), ingot.Start{
				Operation: ingot.Operation{Kind: c.kind, NodeUUID: n.UUID},
				Change:    func(n *ingot.Node) { n.ProvisionState, n.TargetProvisionState = ingot.Deploying, ingot.Active },
			})
			require.NoError(t, err)
			passes, err := w.store.ClaimOperations(t.Context(), ingot.Claimer{Hostname: "newer"}, 1)
			require.NoError(t, err)
			require.Len(t, passes, 1)
			passes[0].Operation.Position = c.step
			require.NoError(t, w.store.CommitPass(t.Context(), ingot.Result{Operation: passes[0].Operation}))
			w.start(nil)
			failed := w.until(n.UUID, ingot.DeployFailed)
			require.Equal(t, c.says, failed.LastError)
			ended, err := w.store.Operation(t.Context(), op.UUID)
			require.NoError(t, err)
			require.Equal(t, []any{ingot.Failure, c.says}, []any{ended.Outcome, ended.Error})
			if c.step != "" { // there is a plan that leaves the machine safe
				require.Equal(t, ingot.PowerOff, failed.PowerState)
			}
		})
	}
}

// TestNoStepNameIsForgotten holds the plans against testdata/steps.txt, which lists the steps of this release and the one
// before: an operation that is under way while a service is upgraded goes on from each of them. INGOT_TEST_UPDATE=1 adds
// new ones; a line is taken out by hand, one release after its step.
func TestNoStepNameIsForgotten(t *testing.T) {
	c := &conductor.Conductor{}
	c.Prepare()
	have := map[string]bool{}
	for kind, phases := range c.StepNames() {
		for phase, names := range phases {
			for _, name := range names {
				have[fmt.Sprintf("%s %s %s", kind, phase, name)] = true
			}
		}
	}
	const file = "testdata/steps.txt"
	data, err := os.ReadFile(file)
	if os.Getenv("INGOT_TEST_UPDATE") != "" {
		for line := range strings.Lines(string(data)) {
			have[strings.TrimSpace(line)] = true
		}
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(slices.Sorted(maps.Keys(have)), "\n")+"\n"), 0o644))
		return
	}
	require.NoError(t, err)
	listed := strings.Split(strings.TrimSpace(string(data)), "\n")
	for _, line := range listed {
		require.True(t, have[line], "this build does not know the step %q, at which an operation of the release before may be", line)
	}
	require.Len(t, have, len(listed), "new steps: INGOT_TEST_UPDATE=1 go test ./conductor -run TestNoStepNameIsForgotten")
}

// TestTwoAllocators: two conductors look for nodes for the same allocations at the same time. No node goes to two, every
// allocation is answered once, and those for which there is no node say so.
func TestTwoAllocators(t *testing.T) {
	w, cfg := several(t)
	const nodes, wanted = 20, 25
	for i := range nodes {
		w.spare("big", fmt.Sprint("n", i))
	}
	var asked []string
	for range wanted {
		asked = append(asked, w.allocate(ingot.Allocation{ResourceClass: "big"}).UUID)
	}
	for _, name := range []string{"first", "second"} {
		w.join(cfg, name, func(f *fellow) { f.Allocations = f.Store.Allocations() })
	}
	taken, active := map[string]string{}, 0
	for _, id := range asked {
		a := w.answered(id)
		if a.State == ingot.AllocationError {
			require.Contains(t, a.LastError, "Failed to process allocation")
			continue
		}
		active++
		require.Empty(t, taken[a.NodeUUID], "node %s is of two allocations", a.NodeUUID)
		taken[a.NodeUUID] = id
		require.Equal(t, id, w.get(a.NodeUUID).AllocationUUID)
	}
	require.Equal(t, nodes, active)
	events, _, err := w.store.Events(t.Context(), 0, 10_000)
	require.NoError(t, err)
	said := map[string]int{}
	for _, e := range events {
		if e.Type == "allocation.updated" {
			said[ingot.Text(e.Data, "allocation")]++
		}
	}
	for _, id := range asked {
		require.Equal(t, 1, said[id], "allocation %s was answered as often", id)
	}
}
