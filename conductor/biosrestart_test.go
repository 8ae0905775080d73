package conductor_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// stubborn is a machine whose firmware settings hold only after it has started again.
type stubborn struct {
	ingot.Machine
	bios *pendingBIOS
}

type pendingBIOS struct {
	mu              sync.Mutex
	values, pending map[string]string
	applied         int
	never           bool // they never hold
}

func (s stubborn) Unwrap() any { return s.Machine }

func (s stubborn) SetPower(ctx context.Context, action ingot.PowerAction) error {
	if action == ingot.ActionOn && !s.bios.never {
		s.bios.mu.Lock()
		maps.Copy(s.bios.values, s.bios.pending)
		s.bios.mu.Unlock()
	}
	return s.Machine.SetPower(ctx, action)
}

func (s stubborn) BIOSSettings(context.Context) ([]ingot.BIOSSetting, error) {
	s.bios.mu.Lock()
	defer s.bios.mu.Unlock()
	return []ingot.BIOSSetting{{Name: "Turbo", Value: s.bios.values["Turbo"]}}, nil
}

func (s stubborn) ApplyBIOSSettings(_ context.Context, values map[string]string) (bool, error) {
	s.bios.mu.Lock()
	defer s.bios.mu.Unlock()
	s.bios.pending = values
	s.bios.applied++
	return true, nil
}

func (s stubborn) ResetBIOS(ctx context.Context) (bool, error) {
	return s.ApplyBIOSSettings(ctx, map[string]string{"Turbo": "factory"})
}

type stubbornMachines struct {
	machines
	bios *pendingBIOS
}

func (m stubbornMachines) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	machine, key, err := m.machines.Machine(n)
	return stubborn{machine, m.bios}, key, err
}

// TestBIOSSettingsThatNeedARestart: the operation starts the machine again, once, and goes on when the settings hold;
// those that never do fail it after the last attempt.
func TestBIOSSettingsThatNeedARestart(t *testing.T) {
	w := newWorld(t)
	bios := &pendingBIOS{values: map[string]string{"Turbo": "on"}}
	w.start(func(c *conductor.Conductor) { c.Machines = stubbornMachines{machines{w}, bios} })
	n := w.able(nil)
	end := w.cleans(n, step("bios", "apply_configuration", map[string]any{"settings": []any{map[string]any{"name": "Turbo", "value": "off"}}}), step("deploy", "erase_devices_metadata", nil))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, "off", w.biosSetting(n.UUID, "Turbo"))
	require.Equal(t, 1, bios.applied)
	require.Equal(t, 2, w.count("power on"))
	require.Equal(t, 1, w.count("agent clean.execute_clean_step"))

	end = w.cleans(n, step("bios", "factory_reset", nil))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, "factory", w.biosSetting(n.UUID, "Turbo"))
	require.Equal(t, 2, bios.applied)

	bios.never = true
	end = w.cleans(n, step("bios", "apply_configuration", map[string]any{"settings": []any{map[string]any{"name": "Turbo", "value": "on"}}}))
	require.Equal(t, ingot.CleanFailed, end.ProvisionState)
	require.Contains(t, end.LastError, "gave up after 3 attempts: the machine has to start again for its BIOS settings to hold")
}
