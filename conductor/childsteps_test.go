package conductor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// onChildren is a step for a node's children; for all where none is named.
func onChildren(step map[string]any, limit ...string) map[string]any {
	step["execute_on_child_nodes"] = true
	if len(limit) > 0 {
		ids := make([]any, len(limit))
		for i, id := range limit {
			ids[i] = id
		}
		step["limit_child_node_execution"] = ids
	}
	return step
}

// family is a parent that is on, and two children that are on.
func (w *world) family() (parent, one, two ingot.Node) {
	parent = w.running(ingot.Manageable)
	child := func() ingot.Node {
		return w.able(func(n *ingot.Node) { n.ParentNode, n.PowerState = parent.UUID, ingot.PowerOn })
	}
	one, two = child(), child()
	for _, n := range []ingot.Node{parent, one, two} {
		w.rack.Machine(&n)
	}
	return parent, one, two
}

// powerSteps switch children and let time pass; raidSteps have a child's driver make a logical disk.
func powerSteps(one ingot.Node) []map[string]any {
	return []map[string]any{
		onChildren(step("power", "power_off", nil)),
		onChildren(step("power", "wait", map[string]any{"seconds": 0.001})),
		onChildren(step("power", "reboot", nil), one.UUID),
	}
}

func raidSteps(one ingot.Node) []map[string]any {
	disks := []any{map[string]any{"raid_level": "0", "size_gb": "MAX"}}
	return append(powerSteps(one), onChildren(step("raid", "apply_configuration", map[string]any{"raid_config": map[string]any{"logical_disks": disks}}), one.UUID))
}

// familyVerdict looks at the machines: the first child is on, and the second off.
func familyVerdict(t *testing.T, w *world, parent, one, two ingot.Node) {
	t.Helper()
	require.Equal(t, ingot.Manageable, w.get(parent.UUID).ProvisionState, "%s; %q", w.get(parent.UUID).LastError, w.said())
	for _, c := range []struct {
		node  ingot.Node
		power ingot.PowerState
	}{{parent, ingot.PowerOn}, {one, ingot.PowerOn}, {two, ingot.PowerOff}} {
		n := w.get(c.node.UUID)
		seen, err := w.rack.Machine(&n).PowerState(t.Context())
		require.NoError(t, err)
		require.Equal(t, c.power, seen)
		require.Equal(t, c.power, n.PowerState)
		require.Empty(t, n.Reservation)
		require.Empty(t, n.TargetPowerState)
		require.Equal(t, ingot.Manageable, n.ProvisionState)
	}
	require.Zero(t, w.count("agent clean.execute_clean_step"), "children's steps need no ramdisk: %q", w.said())
}

func TestStepsOnChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rack.Delays.RAID.Earliest = time.Millisecond
	w.start(nil)
	parent, one, two := w.family()
	w.cleans(parent, raidSteps(one)...)
	familyVerdict(t, w, parent, one, two)
	require.Equal(t, []string{"power off", "power off", "power on"}, w.said())
	require.NotEmpty(t, w.get(one.UUID).RAIDConfig["logical_disks"])
	require.Empty(t, w.get(parent.UUID).RAIDConfig)
	require.Empty(t, w.get(two.UUID).RAIDConfig)
}

// TestAChildThatMustStartAgain: a setting that holds only after a start has the child started again, once.
func TestAChildThatMustStartAgain(t *testing.T) {
	w := newWorld(t)
	bios := &pendingBIOS{values: map[string]string{"Turbo": "on"}}
	w.start(func(c *conductor.Conductor) { c.Machines = stubbornMachines{machines{w}, bios} })
	parent, one, _ := w.family()
	turbo := map[string]any{"settings": []any{map[string]any{"name": "Turbo", "value": "off"}}}
	end := w.cleans(parent, onChildren(step("bios", "apply_configuration", turbo), one.UUID))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, "off", w.biosSetting(one.UUID, "Turbo"))
	require.Equal(t, 1, bios.applied)
	require.Equal(t, []string{"power off", "power on"}, w.said())
}

// TestStepsOnChildrenKilledAnywhere kills the conductor before, inside and after every asking.
func TestStepsOnChildrenKilledAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	count := &asked{}
	w.start(func(c *conductor.Conductor) { c.Intercept = count.intercept })
	parent, one, _ := w.family()
	w.cleans(parent, powerSteps(one)...)
	w.kill()
	if underRace {
		count.n = 2
	}
	for at := range count.n {
		for _, moment := range []string{"before", "inside", "after"} {
			t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
				t.Parallel() // most of it is waiting for a child's power to change
				familyKilledOnce(t, at+1, moment)
			})
		}
	}
}

func familyKilledOnce(t *testing.T, at int, moment string) {
	w := newWorld(t)
	m := &mortal{Store: w.store}
	kill, killed := m.killedAt(at, moment)
	w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
	parent, one, two := w.family()
	w.request(parent.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: powerSteps(one)})
	w.untilKilled(parent.UUID, killed)
	w.kill()
	w.start(nil)
	w.ended(parent.UUID)
	familyVerdict(t, w, parent, one, two)
}

// TestChildrenAreHeld: as long as the list lasts, nothing else is begun on the children, and no verb of theirs ends it.
func TestChildrenAreHeld(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := worldOn(t, open())
		w.start(nil)
		parent, one, _ := w.family()
		one = w.change(one.UUID, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
		w.request(parent.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: []map[string]any{
			step("power", "hold", nil), onChildren(step("power", "power_off", nil), one.UUID),
		}})
		w.until(parent.UUID, ingot.CleanHold)
		for _, verb := range []ingot.Verb{ingot.VerbDeleted, ingot.VerbRebuild} {
			err := w.conductor().Provision(t.Context(), w.get(one.UUID), ingot.ProvisionRequest{Verb: verb})
			require.Equal(t, ingot.Locked, ingot.CodeOf(err), "%s: %v", verb, err)
		}
		require.Equal(t, ingot.Locked, ingot.CodeOf(w.store.DeleteNode(t.Context(), one.UUID, 0)))
		w.ended(parent.UUID)
		require.Equal(t, ingot.PowerOff, w.get(one.UUID).PowerState)
		w.ask(one.UUID, ingot.VerbDeleted)
		w.ended(one.UUID)
	})
}

func TestStepsThatFitNoChild(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	parent, one, two := w.family()
	w.change(two.UUID, func(n *ingot.Node) { n.DisablePowerOff = true })
	other := w.node(ingot.Manageable)
	for _, c := range []struct {
		step map[string]any
		says string
	}{
		{onChildren(step("deploy", "hold", nil)), "its state can not be held"},
		{onChildren(step("deploy", "wait", nil)), "give seconds"},
		{onChildren(step("deploy", "erase_devices", nil)), "its driver has no such step"},
		{onChildren(step("power", "reboot", nil)), "it has disable_power_off set"},
		{onChildren(step("bios", "apply_configuration", nil), one.UUID), "missing these required argument(s): settings"},
		{onChildren(step("power", "reboot", nil), other.UUID), "is no child of node " + parent.UUID},
	} {
		err := w.conductor().Provision(t.Context(), w.get(parent.UUID), ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: []map[string]any{c.step}})
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v: %v", c.step, err)
		require.ErrorContains(t, err, c.says)
	}
}
