package conductor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// deafBMCs are machines of which some do not answer.
type deafBMCs struct {
	machines
	mu   sync.Mutex
	deaf map[string]bool
}

func (d *deafBMCs) set(node string, deaf bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.deaf == nil {
		d.deaf = map[string]bool{}
	}
	d.deaf[node] = deaf
}

func (d *deafBMCs) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	m, key, err := d.machines.Machine(n)
	return &deafMachine{m, d, n.UUID}, key, err
}

type deafMachine struct {
	ingot.Machine
	d    *deafBMCs
	node string
}

func (m *deafMachine) PowerState(ctx context.Context) (ingot.PowerState, error) {
	m.d.mu.Lock()
	deaf := m.d.deaf[m.node]
	m.d.mu.Unlock()
	if deaf {
		return "", fmt.Errorf("cannot reach BMC of %s: timed out", m.node)
	}
	return m.Machine.PowerState(ctx)
}

// switchBehind changes a machine's power without Ingot.
func (w *world) switchBehind(n ingot.Node, action ingot.PowerAction) {
	w.t.Helper()
	require.NoError(w.t, w.rack.Machine(&n).SetPower(w.t.Context(), action))
}

func TestPowerSyncFollowsTheMachine(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable)
	w.switchBehind(n, ingot.ActionOn)
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.Equal(t, ingot.PowerOn, w.get(n.UUID).PowerState)
	require.Zero(t, w.count("power off"))
}

func TestPowerSyncNeverPowersOffAnInstance(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.ForcePower = true })
	running, idle := w.node(ingot.Active), w.node(ingot.Manageable)
	w.switchBehind(running, ingot.ActionOn) // recorded as off, but somebody switched the instance on
	w.switchBehind(idle, ingot.ActionOn)
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.Equal(t, ingot.PowerOn, w.get(running.UUID).PowerState, "the record follows")
	require.Eventually(t, func() bool {
		state, err := w.rack.Machine(&idle).PowerState(t.Context())
		return err == nil && state == ingot.PowerOff
	}, 10*time.Second, 5*time.Millisecond, "a machine without an instance is put back")
	state, err := w.rack.Machine(&running).PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOn, state)
	require.Equal(t, 1, w.count("power off"), "%q", w.said())
}

func TestPowerFaultComesAndGoes(t *testing.T) {
	w := newWorld(t)
	var bmcs *deafBMCs
	w.start(func(c *conductor.Conductor) {
		bmcs = &deafBMCs{machines: machines{w}}
		c.Machines = bmcs
	})
	n := w.node(ingot.Active)
	failures := map[string]int{}
	bmcs.set(n.UUID, true)
	for range 2 {
		require.NoError(t, w.conductor().SyncPower(t.Context(), failures))
		require.False(t, w.get(n.UUID).Maintenance, "a hiccup is no fault")
	}
	require.NoError(t, w.conductor().SyncPower(t.Context(), failures))
	faulty := w.get(n.UUID)
	require.True(t, faulty.Maintenance)
	require.Equal(t, ingot.FaultPower, faulty.Fault)
	require.Contains(t, faulty.MaintenanceReason, "cannot reach BMC")
	require.Empty(t, faulty.PowerState, "nobody knows")

	bmcs.set(n.UUID, false)
	require.NoError(t, w.conductor().SyncPower(t.Context(), failures))
	well := w.get(n.UUID)
	require.False(t, well.Maintenance)
	require.Empty(t, well.Fault)
	require.Equal(t, ingot.PowerOff, well.PowerState)
}

func TestPowerSyncLeavesAnOperatorsMaintenanceAlone(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Active)
	_, err := w.store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error {
		n.Maintenance, n.MaintenanceReason = true, "new fans"
		return nil
	}})
	require.NoError(t, err)
	w.switchBehind(n, ingot.ActionOn)
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.True(t, w.get(n.UUID).Maintenance)
	require.Equal(t, ingot.PowerOff, w.get(n.UUID).PowerState, "it is not looked at")
}
