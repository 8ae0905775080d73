package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// power asks for a change and waits until it is over.
func (w *world) power(id string, target ingot.PowerTarget) ingot.Node {
	w.t.Helper()
	require.NoError(w.t, w.conductor().SetPower(w.t.Context(), w.get(id), target, 0))
	require.Eventually(w.t, func() bool { return w.get(id).TargetPowerState == "" }, 20*time.Second, time.Millisecond)
	return w.get(id)
}

func TestPowerOfParentsAndChildren(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	parent := w.node(ingot.Manageable)
	child := func(info map[string]any) ingot.Node {
		return w.node(ingot.Manageable, func(n *ingot.Node) { n.ParentNode, n.DriverInfo = parent.UUID, info })
	}
	one, own := child(nil), child(map[string]any{"has_dedicated_power_supply": true})

	require.Equal(t, ingot.PowerOn, w.power(own.UUID, ingot.TargetPowerOn).PowerState)
	require.Equal(t, ingot.PowerOff, w.get(parent.UUID).PowerState, "it has a power supply of its own")
	require.Equal(t, ingot.PowerOn, w.power(one.UUID, ingot.TargetPowerOn).PowerState)
	require.Equal(t, ingot.PowerOn, w.get(parent.UUID).PowerState, "a child powers on its parent")

	require.Equal(t, ingot.PowerOff, w.power(parent.UUID, ingot.TargetPowerOff).PowerState)
	require.Equal(t, ingot.PowerOff, w.get(one.UUID).PowerState, "a parent powers off its children")
	require.Equal(t, ingot.PowerOn, w.get(own.UUID).PowerState)
	require.Equal(t, []string{"power on", "power on", "power on", "power off", "power off"}, w.said())
}

// TestPlansMindRelatives: a plan that powers its node off has the children off first that live off it, and one that powers a
// child on has the parent on.
func TestPlansMindRelatives(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	parent := w.running(ingot.Manageable)
	child := func(info map[string]any) ingot.Node {
		return w.node(ingot.Manageable, func(n *ingot.Node) {
			n.ParentNode, n.DriverInfo, n.PowerState = parent.UUID, info, ingot.PowerOn
		})
	}
	one, own := child(nil), child(map[string]any{"has_dedicated_power_supply": true})
	w.ask(parent.UUID, ingot.VerbProvide)
	w.until(parent.UUID, ingot.Available)
	require.Equal(t, ingot.PowerOff, w.get(one.UUID).PowerState)
	require.Equal(t, ingot.PowerOn, w.get(own.UUID).PowerState)
	said := w.said()
	require.Equal(t, []string{"power off", "power off"}, said[:2], "the child, and then its parent: %s", said)

	require.Equal(t, ingot.PowerOff, w.get(parent.UUID).PowerState)
	w.ask(one.UUID, ingot.VerbProvide)
	w.until(one.UUID, ingot.Available)
	require.Equal(t, ingot.PowerOn, w.get(parent.UUID).PowerState, "its parent was powered on for it")
}

// TestAChildThatIsHeld: the parent's power waits for as long as a change of power may take, and then says why it failed.
func TestAChildThatIsHeld(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.PowerTimeout = 100 * time.Millisecond })
	parent := w.running(ingot.Manageable)
	child := w.node(ingot.Deploying, func(n *ingot.Node) { n.ParentNode, n.PowerState = parent.UUID, ingot.PowerOn })
	after := w.power(parent.UUID, ingot.TargetPowerOff)
	require.Equal(t, "Node "+parent.UUID+" child_node "+child.UUID+" is presently locked and we are unable to perform any action on it at this time. Please retry after the current operation is completed.", after.LastError)
	require.Equal(t, ingot.PowerOn, after.PowerState)
	require.Empty(t, w.said())
}

func TestPowerInWaitingStates(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	for state, code := range map[ingot.State]ingot.Code{
		ingot.Cleaning: ingot.Invalid, ingot.CleanWait: ingot.Invalid, ingot.Deploying: ingot.Locked, ingot.Rescuing: ingot.Locked,
		ingot.DeployWait: "", ingot.DeployHold: "", ingot.Rescue: "", ingot.RescueWait: "", ingot.ServiceHold: "",
	} {
		n := w.node(state)
		require.Equal(t, code, ingot.CodeOf(w.conductor().SetPower(t.Context(), n, ingot.TargetPowerOn, 0)), state)
		require.Eventually(t, func() bool { return w.get(n.UUID).TargetPowerState == "" }, 20*time.Second, time.Millisecond)
		require.Equal(t, state, w.get(n.UUID).ProvisionState, "power is beside a node's life")
	}
}

// TestTimeoutOfPower: a change that the machine does not follow fails after the time that the request gave it.
func TestTimeoutOfPower(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Power.Earliest = time.Hour
	w.start(func(c *conductor.Conductor) { c.Settings.PowerTimeout = time.Hour })
	n := w.node(ingot.Manageable)
	require.NoError(t, w.conductor().SetPower(t.Context(), n, ingot.TargetPowerOn, time.Second))
	require.Eventually(t, func() bool { return w.get(n.UUID).TargetPowerState == "" }, 20*time.Second, time.Millisecond)
	require.Contains(t, w.get(n.UUID).LastError, "did not follow within 1s")
}
