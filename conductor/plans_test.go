package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

func TestLifeOfANode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Enroll)

	w.ask(n.UUID, ingot.VerbManage)
	w.until(n.UUID, ingot.Manageable)
	w.ask(n.UUID, ingot.VerbInspect)
	seen := w.until(n.UUID, ingot.Manageable)
	require.Equal(t, "8192", seen.Properties["memory_mb"])
	require.Equal(t, ingot.ModeUEFI, seen.BootMode)
	require.False(t, seen.InspectionFinishedAt.IsZero())

	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.Available)
	require.Equal(t, 1, w.count("agent clean.execute_clean_step"))

	w.ask(n.UUID, ingot.VerbActive)
	active := w.until(n.UUID, ingot.Active)
	require.Equal(t, ingot.PowerOn, active.PowerState)
	require.Equal(t, ingot.BootLocalDisk, active.Boot.Action)
	require.Empty(t, active.Agent, "nothing is left of the agent")
	require.Empty(t, active.Reservation)
	require.Equal(t, 1, w.count("agent standby.prepare_image"))
	require.Equal(t, []string{
		"check", "image", "config-drive", "define-guest", "power-off", "guest-disks", "boot-iso", "network-boot", "power-on", "agent", "collect-steps",
		"run-steps", "run-steps", "run-steps", "sync", "power-off-agent", "disk-boot", // run-steps once for each frozen step, and once to find the end
	}, lastSteps(w.steps(n.UUID), 17))

	w.ask(n.UUID, ingot.VerbRebuild)
	w.until(n.UUID, ingot.Active)
	require.Equal(t, 2, w.count("agent standby.prepare_image"))

	w.ask(n.UUID, ingot.VerbDeleted)
	gone := w.until(n.UUID, ingot.Available)
	require.Empty(t, gone.InstanceInfo)
	require.Equal(t, 2, w.count("agent clean.execute_clean_step"))
	require.Equal(t, ingot.PowerOff, gone.PowerState)
}

func lastSteps(steps []string, n int) []string { return steps[max(0, len(steps)-n):] }

func TestNoCleaningWhereItIsOff(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.AutomatedClean = false })
	n := w.node(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.Available)
	require.Zero(t, w.count("agent clean.execute_clean_step"))
	require.Zero(t, w.count("power on"))
}

func TestPowerVerbs(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable)
	for _, step := range []struct {
		target ingot.PowerTarget
		want   ingot.PowerState
	}{{ingot.TargetPowerOn, ingot.PowerOn}, {ingot.TargetReboot, ingot.PowerOn}, {ingot.TargetSoftOff, ingot.PowerOff}, {ingot.TargetSoftReboot, ingot.PowerOn}, {ingot.TargetPowerOff, ingot.PowerOff}} {
		require.NoError(t, w.conductor().SetPower(t.Context(), w.get(n.UUID), step.target, 0))
		require.Eventually(t, func() bool {
			now := w.get(n.UUID)
			return now.TargetPowerState == "" && now.PowerState == step.want
		}, 10*time.Second, time.Millisecond, step.target)
	}
	require.Equal(t, 2, w.count("power off"), "a reboot and an off: %q", w.said())
}

func TestVerbsThatTheTableDoesNotHave(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Enroll)
	err := w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbActive})
	require.EqualError(t, err, `The requested action "active" can not be performed on node "`+n.UUID+`" while it is in state "enroll".`)
	require.Equal(t, ingot.Enroll, w.get(n.UUID).ProvisionState)
}

// TestNothingPowersOffANodeThatMustStayOn: what would power it off resets it.
func TestNothingPowersOffANodeThatMustStayOn(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Active, func(n *ingot.Node) { n.DisablePowerOff, n.PowerState = true, ingot.PowerOn })
	for _, target := range []ingot.PowerTarget{ingot.TargetPowerOff, ingot.TargetSoftOff} {
		err := w.conductor().SetPower(t.Context(), w.get(n.UUID), target, 0)
		require.EqualError(t, err, "Failed to set node power state to "+string(target)+".")
	}
	require.ErrorContains(t, w.conductor().SetPower(t.Context(), w.get(n.UUID), ingot.TargetSoftReboot, 0), "disable_power_off")
	require.NoError(t, w.conductor().SetPower(t.Context(), w.get(n.UUID), ingot.TargetReboot, 0))
	require.Eventually(t, func() bool { return w.get(n.UUID).TargetPowerState == "" }, 10*time.Second, time.Millisecond)
	require.Equal(t, []string{"reset"}, w.said())

	w.ask(n.UUID, ingot.VerbRebuild)
	require.Equal(t, ingot.PowerOn, w.until(n.UUID, ingot.Active).PowerState)
	require.Equal(t, 3, w.count("reset"), "into the ramdisk, and out of it")
	w.ask(n.UUID, ingot.VerbDeleted)
	w.until(n.UUID, ingot.Available)
	require.Equal(t, 5, w.count("reset"))
	require.Equal(t, 1, w.count("agent clean.execute_clean_step"))
	require.Zero(t, w.count("power off"), "%q", w.said())
}

func TestDeleteReplacesADeployThatWaits(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	n := w.node(ingot.Available)
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.DeployWait)
	w.rack.Delays.Boot.Earliest = 0
	w.ask(n.UUID, ingot.VerbDeleted)
	w.until(n.UUID, ingot.Available)
	require.Zero(t, w.count("agent standby.prepare_image"))
}

func TestAbortOfACleanThatWaits(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	n := w.node(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.CleanWait)
	w.ask(n.UUID, ingot.VerbAbort)
	failed := w.until(n.UUID, ingot.CleanFailed)
	require.Contains(t, failed.LastError, "aborted")
	require.Equal(t, ingot.PowerOff, failed.PowerState)
	require.False(t, failed.Maintenance)
}

func TestCleaningErasesMetadataUnlessTold(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.CleanPriorities = map[string]int{} })
	n := w.node(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.Available)
	require.Equal(t, 2, w.count("agent clean.execute_clean_step"), "metadata and whole disks")
	w.kill()

	w.start(nil)
	n = w.node(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbProvide)
	w.until(n.UUID, ingot.Available)
	require.Equal(t, 3, w.count("agent clean.execute_clean_step"), "metadata alone")
}

func TestAStepThatNobodyHas(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable)
	req := ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: []map[string]any{{"interface": "raid", "step": "create_configuration"}}}
	require.NoError(t, w.conductor().Provision(t.Context(), n, req))
	failed := w.until(n.UUID, ingot.CleanFailed)
	require.Contains(t, failed.LastError, "raid.create_configuration: this node's agent and drivers have [deploy.erase_devices deploy.erase_devices_metadata]")
}
