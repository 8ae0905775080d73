package conductor_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ingot-metal/ingot"
)

// TestRandomVerbs asks random verbs of nodes at rest: what the table has is accepted and ends where it says, what it does not
// have is refused as wrong, and no walk leaves Ironic's states or meets an internal error.
func TestRandomVerbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	requests := []ingot.ProvisionRequest{
		{Verb: ingot.VerbManage},
		{Verb: ingot.VerbProvide},
		{Verb: ingot.VerbInspect},
		{Verb: ingot.VerbAdopt},
		{Verb: ingot.VerbActive},
		{Verb: ingot.VerbRebuild},
		{Verb: ingot.VerbDeleted},
		{Verb: ingot.VerbAbort},
		{Verb: ingot.VerbUnrescue},
		{Verb: ingot.VerbUnhold},
		{Verb: ingot.VerbRescue, RescuePassword: "x"},
		{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.hold", "deploy.erase_devices_metadata")},
		{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.nothing_has_this")},
		{Verb: ingot.VerbService, ServiceSteps: stepsOf("power.hold", "power.reboot")},
		{Verb: ingot.VerbService, ServiceSteps: stepsOf("deploy.nothing_has_this")},
	}
	rapid.Check(t, func(rt *rapid.T) {
		id := w.node(rapid.SampledFrom([]ingot.State{ingot.Enroll, ingot.Manageable, ingot.Available, ingot.Active}).Draw(rt, "from")).UUID
		for range rapid.IntRange(1, 12).Draw(rt, "verbs") {
			n := w.get(id)
			req := rapid.SampledFrom(requests).Draw(rt, "request")
			row, ok := ingot.Next(n.ProvisionState, req.Verb)
			err := w.conductor().Provision(context.Background(), n, req)
			switch code := ingot.CodeOf(err); {
			case !ok && code != ingot.Invalid:
				rt.Fatalf("%s in %s, which the table does not have: %v", req.Verb, n.ProvisionState, err)
			case ok && err != nil && code != ingot.Conflict: // a pass under way may have changed it
				rt.Fatalf("%s in %s: %v", req.Verb, n.ProvisionState, err)
			case err != nil:
				continue
			}
			end := w.settled(rt, id)
			if want := ends(row); want != nil && !want[end.ProvisionState] {
				rt.Fatalf("%s in %s ended in %s: %s", req.Verb, n.ProvisionState, end.ProvisionState, end.LastError)
			}
		}
	})
}

// ends are the states in which a verb may leave a node at rest; nil where the operation under way decides.
func ends(row ingot.Transition) map[ingot.State]bool {
	if row.Kind == "" && row.From.Busy() {
		return nil
	}
	if row.Kind == "" {
		return map[ingot.State]bool{row.To: true}
	}
	return map[ingot.State]bool{row.Target: true, ingot.FailureOf(row.To): true, ingot.HoldOf(row.To): true}
}

// settled waits until nothing goes on at a node, or a hold keeps it.
func (w *world) settled(t *rapid.T, id string) ingot.Node {
	deadline := time.Now().Add(30 * time.Second)
	for {
		n := w.get(id)
		_, err := w.store.LiveOperation(context.Background(), id, ingot.LaneProvision)
		if n.ProvisionState.Class() == ingot.Held || ingot.CodeOf(err) == ingot.NotFound {
			if n = w.get(id); n.ProvisionState.Class() == ingot.Held || !n.ProvisionState.Busy() {
				return n
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing ends: %s, %q", n.ProvisionState, n.LastError)
		}
		time.Sleep(time.Millisecond)
	}
}
