package conductor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// plan is an operation that the loops run over: where it starts, what is asked, where it ends, and what the world must
// have seen for each attempt.
type plan struct {
	name   string
	from   ingot.State
	req    ingot.ProvisionRequest
	to     ingot.State
	failed ingot.State
	power  ingot.PowerState // of the machine at the end
	once   string           // what the agent must have been told once for each attempt; "" nothing
	// was is the machine's power before; after a failure it is off, or as it was where the plan leaves the machine alone.
	was   ingot.PowerState
	alone bool
}

func plans() []plan {
	verb := func(v ingot.Verb) ingot.ProvisionRequest { return ingot.ProvisionRequest{Verb: v} }
	clean := func(names ...string) ingot.ProvisionRequest {
		return ingot.ProvisionRequest{Verb: ingot.VerbClean, CleanSteps: stepsOf(names...)}
	}
	service := func(names ...string) ingot.ProvisionRequest {
		return ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf(names...)}
	}
	rescue := ingot.ProvisionRequest{Verb: ingot.VerbRescue, RescuePassword: "hunter2"}
	const off, on = ingot.PowerOff, ingot.PowerOn
	const cleans, writes, services, rescues = "agent clean.execute_clean_step", "agent standby.prepare_image", "agent service.execute_service_step", "agent rescue.finalize_rescue"
	return []plan{
		{"verify", ingot.Enroll, verb(ingot.VerbManage), ingot.Manageable, ingot.Enroll, off, "", off, false},
		{"inspect", ingot.Manageable, verb(ingot.VerbInspect), ingot.Manageable, ingot.InspectFailed, off, "", off, false},
		{"provide", ingot.Manageable, verb(ingot.VerbProvide), ingot.Available, ingot.CleanFailed, off, cleans, off, false},
		{"clean", ingot.Manageable, clean("deploy.erase_devices_metadata"), ingot.Manageable, ingot.CleanFailed, off, cleans, off, false},
		{"deploy", ingot.Available, verb(ingot.VerbActive), ingot.Active, ingot.DeployFailed, on, writes, off, false},
		{"rebuild", ingot.Active, verb(ingot.VerbRebuild), ingot.Active, ingot.DeployFailed, on, writes, off, false},
		{"delete", ingot.Active, verb(ingot.VerbDeleted), ingot.Available, "", off, cleans, off, false},
		{"adopt", ingot.Manageable, verb(ingot.VerbAdopt), ingot.Active, ingot.AdoptFailed, on, "", on, true},
		{"rescue", ingot.Active, rescue, ingot.Rescue, ingot.RescueFailed, on, rescues, on, false},
		{"unrescue", ingot.Rescue, verb(ingot.VerbUnrescue), ingot.Active, ingot.UnrescueFailed, on, "", on, false},
		{"service", ingot.Active, service("deploy.burnin_cpu"), ingot.Active, ingot.ServiceFailed, on, services, on, false},
		{"restore", ingot.ServiceFailed, verb(ingot.VerbAbort), ingot.Active, ingot.ServiceFailed, on, "", off, false},
		{"clean with reserved steps", ingot.Manageable, clean("power.reboot", "deploy.hold", "deploy.erase_devices_metadata", "power.reboot"), ingot.Manageable, ingot.CleanFailed, off, cleans, off, false},
		{"clean of a machine that stays on", ingot.Manageable, clean("deploy.erase_devices_metadata"), ingot.Manageable, ingot.CleanFailed, on, cleans, on, true},
		{"deploy of a machine that stays on", ingot.Available, verb(ingot.VerbActive), ingot.Active, ingot.DeployFailed, on, writes, on, true},
		{"service without ramdisk", ingot.Active, service("power.hold", "power.reboot"), ingot.Active, ingot.ServiceFailed, on, "", on, true},
	}
}

// begin enrols the plan's node and asks.
func (p plan) begin(w *world) ingot.Node {
	w.t.Helper()
	n := p.node(w)
	w.rack.Machine(&n) // there before anybody asks for it
	w.request(n.UUID, p.req)
	return n
}

// node enrols a node for the plan.
func (p plan) node(w *world) ingot.Node {
	return w.node(p.from, func(n *ingot.Node) { n.PowerState, n.DisablePowerOff = p.was, strings.HasSuffix(p.name, "stays on") })
}

// run asks the verb of a new node and waits for the operation's end.
func (p plan) run(w *world) ingot.Node {
	w.t.Helper()
	return w.ended(p.begin(w).UUID)
}

// ended waits until a node has no live operation.
func (w *world) ended(id string) ingot.Node {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, err := w.store.LiveOperation(w.t.Context(), id, ingot.LaneProvision)
		if ingot.CodeOf(err) == ingot.NotFound {
			return w.get(id)
		}
		require.NoError(w.t, err)
		if time.Now().After(deadline) {
			require.FailNow(w.t, "the operation never ended", "%q", w.said())
		}
		w.unhold(id)
		time.Sleep(time.Millisecond)
	}
}

// unhold lets a held node go, if nothing else changes it at the same moment.
func (w *world) unhold(id string) {
	w.t.Helper()
	if n := w.get(id); n.ProvisionState.Class() == ingot.Held {
		err := w.conductor().Provision(w.t.Context(), n, ingot.ProvisionRequest{Verb: ingot.VerbUnhold})
		if code := ingot.CodeOf(err); code != ingot.Conflict && code != ingot.Locked {
			require.NoError(w.t, err)
		}
	}
}

// TestKilledAnywhere kills the conductor before, inside and after every asking of every plan's steps, and starts another:
// the operation ends as if nothing had happened, and the agent was told everything once. The verdict is the machines'
// and agents' journal.
func TestKilledAnywhere(t *testing.T) {
	overAll(t, func(t *testing.T, s stores, p plan) {
		for at := range s.askings(t, p) {
			for _, moment := range []string{"before", "inside", "after"} {
				t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
					t.Parallel() // most of it is waiting for an agent whose call nobody heard
					killedOnce(t, s.lend(t), p, at+1, moment)
				})
			}
		}
	})
}

func killedOnce(t *testing.T, s *store.Store, p plan, at int, moment string) {
	w := worldOn(t, s)
	m := &mortal{Store: w.store}
	kill, killed := m.killedAt(at, moment)
	w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
	n := p.begin(w)
	w.untilKilled(n.UUID, killed)
	w.kill()
	w.start(nil)
	end := w.ended(n.UUID)
	require.Equal(t, p.to, end.ProvisionState, "%s; %q", end.LastError, w.said())
	p.verdict(t, w, end, 1)
}

// killedAt kills the store's conductor at an asking: before, inside (done, but the answer is lost) or after it.
func (m *mortal) killedAt(at int, moment string) (kill *asked, killed chan struct{}) {
	killed = make(chan struct{})
	die := func() { m.die(); close(killed) }
	return &asked{at: at, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
		if moment == "before" {
			die()
			return conductor.Progress{}, errDead
		}
		progress, err := do()
		if moment == "inside" {
			die()
			return conductor.Progress{}, errDead
		}
		m.mu.Lock()
		m.after = m.commits + 1
		m.mu.Unlock()
		close(killed)
		return progress, err
	}}, killed
}

// untilKilled waits for the kill, or for the operation's end: how often a step is asked that waits for the agent depends
// on who is quicker, so the last askings of one run may not come up in another.
func (w *world) untilKilled(id string, killed <-chan struct{}) {
	w.t.Helper()
	late := time.After(patience)
	for {
		select {
		case <-killed:
			return
		case <-late:
			require.FailNow(w.t, "neither killed nor ended", "%q", w.said())
		case <-time.After(20 * time.Millisecond):
			if _, err := w.store.LiveOperation(w.t.Context(), id, ingot.LaneProvision); ingot.CodeOf(err) == ingot.NotFound {
				return
			}
			w.unhold(id)
		}
	}
}

// verdict asks the machine and the agents' journal.
func (p plan) verdict(t *testing.T, w *world, end ingot.Node, attempts int) {
	t.Helper()
	power, err := w.rack.Machine(&end).PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, p.power, power)
	require.Equal(t, p.power, end.PowerState)
	require.Empty(t, end.Reservation)
	if p.once != "" {
		require.Equal(t, attempts, w.count(p.once), "%q", w.said())
	}
}

// TestFailedAnywhere fails every asking of every plan's steps for good: the node ends in the failed state with the
// reason, and its machine is off.
func TestFailedAnywhere(t *testing.T) {
	overAll(t, func(t *testing.T, s stores, p plan) {
		for at := range s.askings(t, p) {
			t.Run(fmt.Sprintf("asking %d", at+1), func(t *testing.T) {
				t.Parallel()
				failedOnce(t, s.lend(t), p, at+1)
			})
		}
	})
}

func failedOnce(t *testing.T, s *store.Store, p plan, at int) {
	w := worldOn(t, s)
	fail := &asked{at: at, here: func(func() (conductor.Progress, error)) (conductor.Progress, error) {
		return conductor.Progress{}, ingot.Fatalf("planted failure")
	}}
	w.start(func(c *conductor.Conductor) { c.Intercept = fail.intercept })
	end := p.run(w)
	if !fail.reached() { // this run asked less often for its agent than the one that was counted
		require.Equal(t, p.to, end.ProvisionState)
		return
	}
	require.Equal(t, ingot.Failed, classOf(end.ProvisionState), "%s", end.ProvisionState)
	if p.failed != "" {
		require.Equal(t, p.failed, end.ProvisionState)
	}
	require.Contains(t, end.LastError, "planted failure")
	power, err := w.rack.Machine(&end).PowerState(t.Context())
	require.NoError(t, err)
	if want := p.afterFailure(); want != "" {
		require.Equal(t, want, power)
	}
	require.NotEqual(t, ingot.BootKernel, end.Boot.Action, "it must not boot the ramdisk by itself")
}

// afterFailure is the power of a machine after a failure; "" where a reboot of the list may have been cut in two.
func (p plan) afterFailure() ingot.PowerState {
	switch {
	case !p.alone:
		return ingot.PowerOff
	case len(p.req.ServiceSteps) > 0:
		return ""
	}
	return p.was
}

// classOf is the class of a state in which a failure may end: enroll and error are those of verify and delete.
func classOf(s ingot.State) ingot.StateClass {
	if s == ingot.Enroll || s == ingot.ErrorState {
		return ingot.Failed
	}
	return s.Class()
}

// TestPowerCutAnywhere cuts a machine's power behind the back of every asking: the operation still ends where it should,
// with at most one more attempt, and the agent of the last boot did the work.
func TestPowerCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, p := range plans() {
		if p.once == "" || underRace && p.name != "deploy" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for at := range askings(t, storetest.SQLite(t), p) {
				t.Run(fmt.Sprintf("asking %d", at+1), func(t *testing.T) {
					t.Parallel() // most of it is waiting for an agent that does not call
					cutOnce(t, p, at+1)
				})
			}
		})
	}
}

func cutOnce(t *testing.T, p plan, at int) {
	w := newWorld(t)
	n := p.node(w)
	cut := &asked{at: at, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
		now := w.get(n.UUID)
		require.NoError(t, w.rack.Machine(&now).SetPower(t.Context(), ingot.ActionOff))
		w.note("cut")
		return do()
	}}
	w.start(func(c *conductor.Conductor) {
		c.Intercept = cut.intercept
		c.Settings.CallbackTimeout = 3 * time.Second
	})
	w.request(n.UUID, p.req)
	end := w.ended(n.UUID)
	require.Equal(t, p.to, end.ProvisionState, "%s; %q", end.LastError, w.said())
	require.LessOrEqual(t, w.count(p.once), 2, "%q", w.said())
	require.GreaterOrEqual(t, w.count(p.once), 1, "%q", w.said())
}
