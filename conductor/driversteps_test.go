package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

// cleans has steps carried out by manual cleaning and gives the node at its end.
func (w *world) cleans(n ingot.Node, steps ...map[string]any) ingot.Node {
	w.t.Helper()
	require.NoError(w.t, w.conductor().Provision(w.t.Context(), w.get(n.UUID), ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: steps}))
	return w.ended(n.UUID)
}

func step(kind, name string, args map[string]any) map[string]any {
	return map[string]any{"interface": kind, "step": name, "args": args}
}

func bios(name, value string) map[string]any {
	return map[string]any{"settings": []any{map[string]any{"name": name, "value": value}}}
}

// TestDriverSteps has a fake driver's steps carried out among the agent's, and looks at the machine and at what is kept.
func TestDriverSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rack.Delays.BIOS.Earliest, w.rack.Delays.RAID.Earliest, w.rack.Delays.Firmware.Earliest = time.Millisecond, time.Millisecond, time.Millisecond
	w.start(nil)
	n := w.able(func(n *ingot.Node) {
		n.TargetRAIDConfig = map[string]any{"logical_disks": []any{
			map[string]any{"raid_level": "1", "size_gb": 50.0, "is_root_volume": true}, map[string]any{"raid_level": "5", "size_gb": 100.0},
		}}
	})
	end := w.cleans(
		n, step("bios", "apply_configuration", bios("TurboMode", "Disabled")), step("deploy", "erase_devices_metadata", nil),
		step("raid", "create_configuration", map[string]any{"create_nonroot_volumes": false}),
		step("firmware", "update", map[string]any{"settings": []any{map[string]any{"component": "bmc", "url": "http://x/bmc-2.bin"}}}),
	)
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, 1, w.count("agent clean.execute_clean_step"), "only the agent's own: %q", w.said())
	require.Equal(t, "Disabled", w.biosSetting(n.UUID, "TurboMode"))
	require.Equal(t, []any{map[string]any{"raid_level": "1", "size_gb": 50.0, "is_root_volume": true}}, end.RAIDConfig["logical_disks"])
	require.NotEmpty(t, end.RAIDConfig["last_updated"])
	require.EqualValues(t, 50, end.Properties["local_gb"])
	parts, err := w.store.FirmwareComponents(t.Context(), n.UUID)
	require.NoError(t, err)
	require.Equal(t, "bmc-2", parts[1].CurrentVersion)
	require.Equal(t, "bmc-2", parts[1].LastVersionFlashed)
	require.Empty(t, parts[0].LastVersionFlashed)

	end = w.cleans(n, step("raid", "create_configuration", map[string]any{"create_root_volume": false, "delete_existing": false}))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Len(t, end.RAIDConfig["logical_disks"], 2, "beside the one that was there")

	end = w.cleans(n, step("bios", "factory_reset", nil), step("raid", "delete_configuration", nil))
	require.Equal(t, ingot.Manageable, end.ProvisionState, end.LastError)
	require.Equal(t, "Enabled", w.biosSetting(n.UUID, "TurboMode"))
	require.Empty(t, end.RAIDConfig)

	one := []any{map[string]any{"raid_level": "0", "size_gb": "MAX"}}
	end = w.cleans(n, step("raid", "apply_configuration", map[string]any{"raid_config": map[string]any{"logical_disks": one}}))
	require.Equal(t, one, end.RAIDConfig["logical_disks"], end.LastError)
	require.Equal(t, one, end.TargetRAIDConfig["logical_disks"])
}

func (w *world) biosSetting(node, name string) string {
	w.t.Helper()
	settings, err := w.store.BIOSSettings(w.t.Context(), node)
	require.NoError(w.t, err)
	for _, s := range settings {
		if s.Name == name {
			return s.Value
		}
	}
	require.FailNow(w.t, "no such setting")
	return ""
}

// TestDriverStepsInADeploy puts a driver's step before the image.
func TestDriverStepsInADeploy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	n := w.able(func(n *ingot.Node) { n.ProvisionState = ingot.Available })
	steps := []map[string]any{{"interface": "bios", "step": "apply_configuration", "priority": 150.0, "args": bios("MemoryChannels", "2")}}
	require.NoError(t, w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive, DeploySteps: steps}))
	end := w.ended(n.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	require.Equal(t, "2", w.biosSetting(n.UUID, "MemoryChannels"))
}

// TestDriverStepsRefused: what the machine would not take, and what the node has not.
func TestDriverStepsRefused(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	for says, steps := range map[string]map[string]any{
		"is one of [Enabled Disabled]":                             step("bios", "apply_configuration", bios("TurboMode", "Sometimes")),
		"out of bounds":                                            step("bios", "apply_configuration", bios("MemoryChannels", "9")),
		"missing these required argument(s): settings":             step("bios", "apply_configuration", nil),
		"settings is not a list of objects with name and value":    step("bios", "apply_configuration", map[string]any{"settings": "x"}),
		"has not both component and url":                           step("firmware", "update", map[string]any{"settings": []any{map[string]any{"component": "bmc"}}}),
		`has no firmware component "nic"`:                          step("firmware", "update", map[string]any{"settings": []any{map[string]any{"component": "nic", "url": "http://x"}}}),
		"has no target RAID configuration":                         step("raid", "create_configuration", nil),
		"RAID config validation error: 'logical_disks' is a requi": step("raid", "apply_configuration", map[string]any{"raid_config": map[string]any{}}),
	} {
		end := w.cleans(w.able(nil), steps)
		require.Equal(t, ingot.CleanFailed, end.ProvisionState)
		require.Contains(t, end.LastError, says)
	}
	bare := w.able(func(n *ingot.Node) { n.Interfaces.BIOS = "no-bios" })
	require.Contains(t, w.cleans(bare, step("bios", "factory_reset", nil)).LastError, "cannot carry out step bios.factory_reset")
}

// TestDriverStepsKilled kills the conductor inside every asking of a cleaning by a driver's steps: it ends as if nothing
// had happened, save that a firmware update whose beginning nobody saw is not begun again.
func TestDriverStepsKilled(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]map[string]any{
		"bios":     step("bios", "apply_configuration", bios("TurboMode", "Disabled")),
		"raid":     step("raid", "create_configuration", map[string]any{"delete_existing": false}),
		"firmware": step("firmware", "update", map[string]any{"settings": []any{map[string]any{"component": "bmc", "url": "http://x/bmc-2.bin"}}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 4; at < 11; at++ {
				w := newWorld(t)
				m := &mortal{Store: w.store}
				killed := make(chan struct{})
				kill := &asked{at: at + 1, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
					_, _ = do()
					m.die()
					close(killed)
					return conductor.Progress{}, errDead
				}}
				w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
				n := w.able(func(n *ingot.Node) { n.TargetRAIDConfig = raid(root()) })
				require.NoError(t, w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: []map[string]any{what}}))
				w.untilKilled(n.UUID, killed)
				w.kill()
				w.start(nil)
				end := w.ended(n.UUID)
				if name == "firmware" && end.ProvisionState == ingot.CleanFailed {
					require.Contains(t, end.LastError, "cannot say whether the firmware update was carried out")
					continue
				}
				require.Equal(t, ingot.Manageable, end.ProvisionState, "killed at %d: %s; %q", at+1, end.LastError, w.said())
				if name == "raid" {
					require.Len(t, end.RAIDConfig["logical_disks"], 1)
				}
			}
		})
	}
}

// TestManageReadsTheHardware: what a machine says of its firmware is kept when its BMC has answered.
func TestManageReadsTheHardware(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.able(func(n *ingot.Node) { n.ProvisionState = ingot.Enroll })
	w.ask(n.UUID, ingot.VerbManage)
	end := w.until(n.UUID, ingot.Manageable)
	require.Equal(t, ingot.ModeUEFI, end.BootMode)
	require.False(t, *end.SecureBoot)
	require.Equal(t, "Enabled", w.biosSetting(n.UUID, "TurboMode"))
	parts, err := w.store.FirmwareComponents(t.Context(), n.UUID)
	require.NoError(t, err)
	require.Equal(t, "1.0.0", parts[0].InitialVersion)
}
