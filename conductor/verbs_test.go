package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/conductor/shacrypt"
)

// running is a node whose machine is on.
func (w *world) running(state ingot.State) ingot.Node {
	return w.node(state, func(n *ingot.Node) { n.PowerState = ingot.PowerOn })
}

func TestRescueKeepsNoPassword(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	n := w.running(ingot.Active)
	w.ask(n.UUID, ingot.VerbRescue)
	waiting := w.until(n.UUID, ingot.RescueWait)
	require.Equal(t, "rescue", waiting.Boot.Purpose)
	op, err := w.store.LiveOperation(t.Context(), n.UUID, ingot.LaneProvision)
	require.NoError(t, err)
	require.True(t, shacrypt.Verify(ingot.Text(op.Params, "rescue_password"), "hunter2"), "the hash waits for the agent")
	require.IsType(t, ingot.Secret(""), op.Params["rescue_password"])

	w.ask(n.UUID, ingot.VerbAbort)
	failed := w.until(n.UUID, ingot.RescueFailed)
	require.Equal(t, "By request, the rescue operation was aborted.", failed.LastError)
	require.Equal(t, ingot.PowerOff, failed.PowerState)
	op, err = w.store.Operation(t.Context(), op.UUID)
	require.NoError(t, err)
	require.NotContains(t, op.Params, "rescue_password")
	require.Equal(t, ingot.Aborted, op.Outcome)

	w.rack.Delays.Boot.Earliest = 0
	w.ask(n.UUID, ingot.VerbRescue)
	w.until(n.UUID, ingot.Rescue)
	require.Equal(t, 1, w.count("agent rescue.finalize_rescue"))
	w.ask(n.UUID, ingot.VerbUnrescue)
	require.Equal(t, ingot.BootLocalDisk, w.until(n.UUID, ingot.Active).Boot.Action)
}

func TestRescueNeedsItsInterface(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Active, func(n *ingot.Node) { n.Interfaces.Rescue = "no-rescue" })
	err := w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbRescue, RescuePassword: "x"})
	require.EqualError(t, err, "Driver fake-hardware does not support rescue (disabled or not implemented).")
	n = w.node(ingot.Active)
	err = w.conductor().Provision(t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbRescue, RescuePassword: " "})
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
}

func TestAdoptTouchesNothing(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.running(ingot.Manageable)
	w.ask(n.UUID, ingot.VerbAdopt)
	require.Equal(t, ingot.PowerOn, w.until(n.UUID, ingot.Active).PowerState)
	require.Empty(t, w.said())

	n = w.node(ingot.Manageable, func(n *ingot.Node) { n.InstanceInfo = map[string]any{"capabilities": `{"boot_option": "netboot"}`} })
	w.ask(n.UUID, ingot.VerbAdopt)
	failed := w.until(n.UUID, ingot.AdoptFailed)
	require.Contains(t, failed.LastError, "boot_option netboot")
	w.ask(n.UUID, ingot.VerbManage)
	require.Equal(t, ingot.Manageable, w.get(n.UUID).ProvisionState)
}

func TestHoldUntilUnhold(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Available)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbActive, DeploySteps: []map[string]any{
		{"interface": "deploy", "step": "hold", "args": map[string]any{}, "priority": 70.0},
	}})
	held := w.until(n.UUID, ingot.DeployHold)
	require.Equal(t, "hold", held.DeployStep["step"])
	require.Equal(t, ingot.Active, held.TargetProvisionState)
	require.Equal(t, 1, w.count("agent standby.prepare_image"), "the image's step has a higher priority")
	w.ask(n.UUID, ingot.VerbUnhold)
	active := w.until(n.UUID, ingot.Active)
	require.Nil(t, active.DeployStep)
	require.Equal(t, 1, w.count("agent standby.prepare_image"))
}

func TestUnholdKeepsTheTarget(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Command.Earliest = time.Hour
	w.start(nil)
	n := w.node(ingot.Manageable)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.hold", "deploy.erase_devices_metadata")})
	w.until(n.UUID, ingot.CleanHold)
	w.ask(n.UUID, ingot.VerbUnhold)
	require.Equal(t, ingot.Manageable, w.until(n.UUID, ingot.CleanWait).TargetProvisionState)
}

func TestAbortOfAHold(t *testing.T) {
	for _, c := range []struct {
		from, held, after ingot.State
		req               ingot.ProvisionRequest
		power             ingot.PowerState
	}{
		{ingot.Manageable, ingot.CleanHold, ingot.CleanFailed, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.hold", "deploy.erase_devices_metadata")}, ingot.PowerOff},
		{ingot.Active, ingot.ServiceHold, ingot.Active, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("deploy.hold", "deploy.burnin_cpu")}, ingot.PowerOn},
		{ingot.Available, ingot.DeployHold, ingot.DeployFailed, ingot.ProvisionRequest{Verb: ingot.VerbActive, DeploySteps: []map[string]any{{"interface": "deploy", "step": "hold", "priority": 99.0}}}, ingot.PowerOff},
	} {
		w := newWorld(t)
		w.start(nil)
		n := w.running(c.from)
		w.request(n.UUID, c.req)
		w.until(n.UUID, c.held)
		w.ask(n.UUID, ingot.VerbAbort)
		end := w.ended(n.UUID)
		require.Equal(t, c.after, end.ProvisionState, "%s", c.held)
		require.Equal(t, c.power, end.PowerState, "%s", c.held)
		require.Contains(t, end.LastError, `operation was aborted during or after the completion of step "deploy.hold"`)
		require.False(t, end.Maintenance)
		require.Zero(t, w.count("agent clean.execute_clean_step")+w.count("agent service.execute_service_step")+w.count("agent standby.prepare_image"))
	}
}

// TestAbortAfterAStep: a step that must not be interrupted ends first, and what follows it is not begun.
func TestAbortAfterAStep(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Command.Earliest = 200 * time.Millisecond
	w.start(nil)
	n := w.running(ingot.Active)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("deploy.burnin_cpu", "deploy.burnin_cpu")})
	w.until(n.UUID, ingot.ServiceWait)
	require.Eventually(t, func() bool { return w.count("agent service.execute_service_step") == 1 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return w.get(n.UUID).ServiceStep != nil }, 10*time.Second, time.Millisecond)
	w.ask(n.UUID, ingot.VerbAbort)
	marked := w.get(n.UUID)
	require.Equal(t, ingot.ServiceWait, marked.ProvisionState)
	require.Equal(t, true, marked.ServiceStep["abort_after"])
	end := w.ended(n.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState)
	require.Contains(t, end.LastError, "By request, the service operation was aborted")
	require.Equal(t, 1, w.count("agent service.execute_service_step"))
	require.Nil(t, end.ServiceStep)
}

// TestAbortInAStep: a step that the agent lets be interrupted is, also where somebody has asked for it (Ironic takes that from
// the step as it is offered).
func TestAbortInAStep(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Command.Earliest = time.Hour
	w.start(nil)
	n := w.node(ingot.Manageable)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.erase_devices")})
	w.until(n.UUID, ingot.CleanWait)
	require.Eventually(t, func() bool { return ingot.Text(w.get(n.UUID).CleanStep, "step") == "erase_devices" }, 10*time.Second, time.Millisecond)
	w.ask(n.UUID, ingot.VerbAbort)
	end := w.ended(n.UUID)
	require.Equal(t, ingot.CleanFailed, end.ProvisionState)
	require.Contains(t, end.LastError, `aborted during or after the completion of step "deploy.erase_devices"`)
	require.Equal(t, ingot.PowerOff, end.PowerState)
}

// TestAbortOfADeployThatWaits leaves the machine as it is, for investigation.
func TestAbortOfADeployThatWaits(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	n := w.node(ingot.Available)
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.DeployWait)
	w.ask(n.UUID, ingot.VerbAbort)
	failed := w.until(n.UUID, ingot.DeployFailed)
	require.Equal(t, "By request, the deploy operation was aborted", failed.LastError)
	require.Equal(t, ingot.PowerOn, failed.PowerState)
	require.Zero(t, w.count("power off"))
}

func TestServiceFailureAndRestore(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.running(ingot.Active)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("deploy.nothing_has_this")})
	failed := w.until(n.UUID, ingot.ServiceFailed)
	require.Contains(t, failed.LastError, "deploy.nothing_has_this")
	require.Equal(t, ingot.PowerOff, failed.PowerState)
	_, err := w.store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.Maintenance = true; return nil }})
	require.NoError(t, err)
	err = w.conductor().Provision(t.Context(), w.get(n.UUID), ingot.ProvisionRequest{Verb: ingot.VerbAbort})
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err))
	require.ErrorContains(t, err, "while it is in maintenance mode")
	_, err = w.store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.Maintenance = false; return nil }})
	require.NoError(t, err)
	w.ask(n.UUID, ingot.VerbAbort)
	require.Equal(t, ingot.PowerOn, w.until(n.UUID, ingot.Active).PowerState)
}

// TestReservedStepsWithoutRamdisk: a list of nothing else leaves the running system alone.
func TestReservedStepsWithoutRamdisk(t *testing.T) {
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.WaitStepMost = 30 * time.Millisecond })
	n := w.running(ingot.Active)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, DisableRamdisk: true, ServiceSteps: []map[string]any{
		{"interface": "power", "step": "wait", "args": map[string]any{"seconds": 3600.0}},
		{"interface": "power", "step": "reboot"},
	}})
	require.Equal(t, ingot.PowerOn, w.until(n.UUID, ingot.Active).PowerState)
	require.Equal(t, []string{"power off", "power on"}, w.said())
	history, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	long := 0
	for _, h := range history {
		if h.Event == "A wait time exceeding the configured maximum has been requested. Holding for 0, got 3600." {
			long++
		}
	}
	require.Equal(t, 1, long)
}

// TestWaitForAHeartbeat: a wait without a time ends with the agent's next heartbeat.
func TestWaitForAHeartbeat(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.wait")})
	require.Eventually(t, func() bool { return w.get(n.UUID).CleanStep["step"] == "wait" }, 10*time.Second, time.Millisecond)
	agent := w.get(n.UUID).Agent
	require.NoError(t, w.Heartbeat(t.Context(), n.UUID, ingot.Heartbeat{CallbackURL: agent.URL, Token: agent.Token, CA: agent.CA, From: "192.0.2.1"}))
	w.until(n.UUID, ingot.Manageable)

	w.rack.Delays.Beat = 20 * time.Millisecond
	n = w.node(ingot.Manageable)
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.wait")})
	w.until(n.UUID, ingot.Manageable) // fake agents beat by themselves
}

func TestStepListsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	for sentence, req := range map[string]ingot.ProvisionRequest{
		"step deploy.burnin_cpu needs the ramdisk: leave disable_ramdisk out":        {Verb: ingot.VerbService, DisableRamdisk: true, ServiceSteps: stepsOf("power.reboot", "deploy.burnin_cpu")},
		"step power.wait needs the ramdisk: leave disable_ramdisk out":               {Verb: ingot.VerbService, DisableRamdisk: true, ServiceSteps: stepsOf("power.wait")},
		`"service_steps" is required when setting target provision state to service`: {Verb: ingot.VerbService},
		"Invalid service_steps: step hold takes no argument seconds":                 {Verb: ingot.VerbService, ServiceSteps: []map[string]any{{"interface": "power", "step": "hold", "args": map[string]any{"seconds": 1.0}}}},
		"Invalid service_steps: seconds of step wait is not a number of at least 0":  {Verb: ingot.VerbService, ServiceSteps: []map[string]any{{"interface": "power", "step": "wait", "args": map[string]any{"seconds": "1"}}}},
	} {
		n := w.running(ingot.Active)
		require.EqualError(t, w.conductor().Provision(t.Context(), n, req), sentence)
		require.Equal(t, ingot.Active, w.get(n.UUID).ProvisionState)
	}
}

func TestHistoryOfAFailure(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Manageable, func(n *ingot.Node) { n.ProvisionUpdatedAt = time.Now().Add(-time.Hour) })
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.nothing_has_this"), Requester: "ann"})
	w.until(n.UUID, ingot.CleanFailed)
	history, err := w.store.ListHistory(t.Context(), n.UUID, ingot.Page{})
	require.NoError(t, err)
	first, seen := history[0], map[string]string{}
	require.Equal(t, "manageable -> cleaning", first.Event)
	require.InDelta(t, time.Hour, first.Duration, float64(time.Minute))
	for _, h := range history {
		seen[h.Type] = h.Severity
		require.Equal(t, "ann", h.User)
	}
	require.Equal(t, map[string]string{"transition": "INFO", "cleaning": "ERROR"}, seen)
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(func(c *conductor.Conductor) { c.Settings.MaxCleans, c.Settings.MaxDeploys = 1, 1 })
	ask := func(from ingot.State, req ingot.ProvisionRequest) error {
		return w.conductor().Provision(t.Context(), w.node(from), req)
	}
	clean := ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf("deploy.erase_devices_metadata")}
	require.NoError(t, ask(ingot.Manageable, ingot.ProvisionRequest{Verb: ingot.VerbProvide}))
	for from, req := range map[ingot.State]ingot.ProvisionRequest{ingot.Manageable: clean, ingot.Active: {Verb: ingot.VerbDeleted}} {
		err := ask(from, req)
		require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), req.Verb)
		require.ErrorContains(t, err, "The concurrent action limit for ")
	}
	require.NoError(t, ask(ingot.Manageable, ingot.ProvisionRequest{Verb: ingot.VerbProvide}), "Ironic counts it, and refuses it never")
	require.NoError(t, ask(ingot.Available, ingot.ProvisionRequest{Verb: ingot.VerbActive}))
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(ask(ingot.Active, ingot.ProvisionRequest{Verb: ingot.VerbRebuild})))
}

// TestNobodyIsWaitedForInMaintenance: the callback timeout does not run while somebody works on the machine.
func TestNobodyIsWaitedForInMaintenance(t *testing.T) {
	w := newWorld(t)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(func(c *conductor.Conductor) { c.Settings.CallbackTimeout = 300 * time.Millisecond })
	n := w.node(ingot.Available)
	w.ask(n.UUID, ingot.VerbActive)
	w.until(n.UUID, ingot.DeployWait)
	set := func(maintenance bool) {
		_, err := w.store.ChangeNode(t.Context(), ingot.NodeChange{UUID: n.UUID, Wake: true, Change: func(n *ingot.Node) error {
			n.Maintenance = maintenance
			return nil
		}})
		require.NoError(t, err)
	}
	set(true)
	require.Never(t, func() bool { return w.get(n.UUID).ProvisionState != ingot.DeployWait }, 600*time.Millisecond, 20*time.Millisecond)
	set(false)
	require.Contains(t, w.until(n.UUID, ingot.DeployFailed).LastError, "timed out")
}
