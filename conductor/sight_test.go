package conductor_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// ailing is a machine that is not well.
type ailing struct {
	ingot.Machine
	health *ingot.Health
}

func (a ailing) Unwrap() any { return a.Machine }

func (a ailing) Health(context.Context) (ingot.Health, error) { return *a.health, nil }

func (a ailing) Maker(context.Context) (string, error) { return "Acme", nil }

type ailingMachines struct {
	machines
	health *ingot.Health
}

func (m ailingMachines) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	machine, key, err := m.machines.Machine(n)
	return ailing{machine, m.health}, key, err
}

// TestPowerSyncLooksAround: health, boot mode, Secure Boot and the maker are recorded beside the power, and a health that
// changed is a line of history; once nothing is new, nothing is written.
func TestPowerSyncLooksAround(t *testing.T) {
	w := newWorld(t)
	health := ingot.HealthOK
	w.start(func(c *conductor.Conductor) { c.Machines = ailingMachines{machines{w}, &health} })
	n := w.node(ingot.Manageable)
	sync := func() ingot.Node {
		require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
		return w.get(n.UUID)
	}
	seen := sync()
	require.Equal(t, ingot.HealthOK, seen.Health)
	require.Equal(t, ingot.ModeUEFI, seen.BootMode)
	require.NotNil(t, seen.SecureBoot)
	require.Equal(t, "Acme", seen.Properties["vendor"])
	require.Equal(t, seen.Version, sync().Version)

	health = ingot.HealthCritical
	require.Equal(t, ingot.HealthCritical, sync().Health)
	history, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	require.Contains(t, history[0].Event+history[len(history)-1].Event, "Node health status changed: health='Critical' (previously 'OK')")

	w.change(n.UUID, func(n *ingot.Node) { n.Interfaces.Management = "noop" })
	health = ingot.HealthOK
	require.Equal(t, ingot.HealthCritical, sync().Health, "a node without management interface is not asked")
}
