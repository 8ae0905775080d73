package conductor_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// moveTo is a request that moves a guest.
func moveTo(step, destination string) ingot.ProvisionRequest {
	return ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{
		{"interface": "management", "step": step, "args": map[string]any{"destination": destination}},
	}}
}

// movedTo is the verdict on a move: the guest runs on the host alone, and holds its claims there alone.
func (c *cloud) movedTo(t *testing.T, guest ingot.Node, host, other string) {
	t.Helper()
	require.Equal(t, []string{host}, c.runsOn(guest.UUID))
	require.Empty(t, c.wrong())
	require.False(t, c.has(guest.UUID, other).defined, "nothing is left")
	require.Equal(t, host, c.w.get(guest.UUID).ParentNode)
	for _, h := range []string{host, other} {
		claims, err := c.w.store.Claims(t.Context(), h)
		require.NoError(t, err)
		require.Len(t, claims, map[bool]int{true: 3}[h == host])
		capacities, err := c.w.store.Capacities(t.Context(), h)
		require.NoError(t, err)
		require.EqualValues(t, map[bool]int{true: 4096}[h == host], capacities[1].Used)
	}
}

// moveAskings runs a move undisturbed and says how often its steps were asked.
func moveAskings(t *testing.T, s *store.Store, step string) int {
	t.Helper()
	w, c, guest, a, b := moves(t, s)
	count := &asked{}
	w.start(func(c *conductor.Conductor) { c.Intercept = count.intercept })
	w.request(guest.UUID, moveTo(step, b))
	end := w.ended(guest.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	c.movedTo(t, guest, b, a)
	w.kill()
	return count.n
}

// TestMoveKilledAnywhere kills the conductor before, inside and after every asking of a move, with what that does to a
// transfer under way: the guest ends on the other host, and never ran twice.
func TestMoveKilledAnywhere(t *testing.T) {
	s := storetest.SQLite(t)
	for _, step := range []string{"live_migrate", "cold_migrate"} {
		for at := range moveAskings(t, s, step) {
			for _, moment := range []string{"before", "inside", "after"} {
				t.Run(fmt.Sprintf("%s %s asking %d", step, moment, at+1), func(t *testing.T) { moveKilledOnce(t, s, step, at+1, moment) })
			}
			if underRace {
				break
			}
		}
	}
}

func moveKilledOnce(t *testing.T, s *store.Store, step string, at int, moment string) {
	w, c, guest, a, b := moves(t, s)
	m := &mortal{Store: w.store}
	kill, killed := m.killedAt(at, moment)
	w.start(func(c *conductor.Conductor) { c.Operations, c.Intercept = m, kill.intercept })
	w.request(guest.UUID, moveTo(step, b))
	w.untilKilled(guest.UUID, killed)
	w.kill()
	c.died()
	w.start(nil)
	end := w.ended(guest.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	c.movedTo(t, guest, b, a)
}

// TestMoveFailedAnywhere fails every asking of a move for good: the guest runs on one host, with its place there alone.
func TestMoveFailedAnywhere(t *testing.T) {
	s := storetest.SQLite(t)
	for _, step := range []string{"live_migrate", "cold_migrate"} {
		for at := range moveAskings(t, s, step) {
			t.Run(fmt.Sprintf("%s asking %d", step, at+1), func(t *testing.T) {
				w, c, guest, a, b := moves(t, s)
				fail := &asked{at: at + 1, here: func(do func() (conductor.Progress, error)) (conductor.Progress, error) {
					return conductor.Progress{}, ingot.Fatalf("planted failure")
				}}
				w.start(func(c *conductor.Conductor) { c.Intercept = fail.intercept })
				w.request(guest.UUID, moveTo(step, b))
				end := w.ended(guest.UUID)
				if fail.reached() {
					require.Equal(t, ingot.ServiceFailed, end.ProvisionState)
					require.Contains(t, end.LastError, "planted failure")
				}
				if end.ParentNode == a {
					a, b = b, a
				}
				c.movedTo(t, guest, b, a)
			})
		}
	}
}

// TestMoveOnPostgres: the same on the other database.
func TestMoveOnPostgres(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		s := storetest.Open(t, cfg)
		moveAskings(t, s, "live_migrate")
		moveAskings(t, s, "cold_migrate")
	})
}

// TestMoveThatFails: a transfer is begun three times, then the guest stays where it is.
func TestMoveThatFails(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	c.fails = 3
	w.start(nil)
	w.request(guest.UUID, moveTo("live_migrate", b))
	end := w.ended(guest.UUID)
	require.Contains(t, end.LastError, "gave up after 3 transfers that failed: the transfer failed")
	c.mu.Lock()
	require.Equal(t, 3, c.began)
	c.mu.Unlock()
	c.movedTo(t, guest, a, b)
}

// TestAMoveIsCalledOff: one that does not end is waited for where an abort is heard, and the guest stays where it runs.
func TestAMoveIsCalledOff(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	c.slow = true
	w.start(nil)
	w.request(guest.UUID, moveTo("live_migrate", b))
	w.until(guest.UUID, ingot.ServiceWait)
	w.ask(guest.UUID, ingot.VerbAbort)
	end := w.ended(guest.UUID)
	require.Equal(t, ingot.Active, end.ProvisionState)
	require.Contains(t, end.LastError, "By request, the service operation was aborted")
	c.movedTo(t, guest, a, b)
}

// TestMovesThatAreRefused before anything is begun.
func TestMovesThatAreRefused(t *testing.T) {
	w, _, guest, a, b := moves(t, storetest.SQLite(t))
	w.start(nil)
	for _, row := range []struct {
		node string
		req  ingot.ProvisionRequest
		code ingot.Code
		says string
	}{
		{guest.UUID, moveTo("live_migrate", "nowhere"), ingot.Invalid, "destination nowhere is no compute host for this guest; there are: "},
		{guest.UUID, moveTo("live_migrate", a), ingot.Conflict, "is on compute host " + a + " already"},
		{guest.UUID, moveTo("evacuate_guests", b), ingot.Invalid, "takes no argument destination"},
		{b, moveTo("live_migrate", a), ingot.Invalid, "is no guest"},
	} {
		err := w.conductor().Provision(t.Context(), w.get(row.node), row.req)
		require.Equal(t, row.code, ingot.CodeOf(err), "%v", err)
		require.Contains(t, err.Error(), row.says)
	}
	w.change(guest.UUID, func(n *ingot.Node) { n.PowerState = ingot.PowerOff })
	require.ErrorContains(t, w.conductor().Provision(t.Context(), w.get(guest.UUID), moveTo("live_migrate", b)), "use cold_migrate")
}

// TestMoveOfAGuestThatStays: one that cannot leave its host is not even switched off.
func TestMoveOfAGuestThatStays(t *testing.T) {
	for _, step := range []string{"cold_migrate", "live_migrate"} {
		w, c, guest, a, b := moves(t, storetest.SQLite(t))
		c.copies[guest.UUID][a].stays = "it has disk data plugged in"
		w.start(nil)
		w.request(guest.UUID, moveTo(step, b))
		end := w.ended(guest.UUID)
		require.Equal(t, ingot.ServiceFailed, end.ProvisionState)
		require.Contains(t, end.LastError, "cannot be moved: it has disk data plugged in")
		c.movedTo(t, guest, a, b)
		require.Zero(t, w.count("guest "+string(ingot.ActionSoftOff))+w.count("guest "+string(ingot.ActionOff)), "%v", w.said())
	}
}

// TestMoveNeedsOneWordOnSharing: where one host says that it shares the pool of the guest's disk and the other that it does not,
// the copy might be of the very file.
func TestMoveNeedsOneWordOnSharing(t *testing.T) {
	for _, step := range []string{"cold_migrate", "live_migrate"} {
		w, c, guest, a, b := moves(t, storetest.SQLite(t))
		_, err := w.store.Hypervisors().Change(t.Context(), b, 0, func(h *ingot.Hypervisor) error {
			h.Pools = []ingot.StoragePool{{Name: "default"}}
			return nil
		})
		require.NoError(t, err)
		w.start(nil)
		w.request(guest.UUID, moveTo(step, b))
		end := w.ended(guest.UUID)
		require.Equal(t, ingot.ServiceFailed, end.ProvisionState)
		require.Contains(t, end.LastError, "pool default is shared on one side alone")
		c.movedTo(t, guest, a, b)
	}
}

// TestEvacuate: a host sends its guests away, takes no new ones, and can then be serviced; not before it is cleared of what
// it had of them.
func TestEvacuate(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	c.clings = 3
	w.start(nil)
	require.ErrorContains(t, w.conductor().Provision(t.Context(), w.get(a), ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("power.reboot")}), "while it is the compute host of")
	w.request(a, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("management.evacuate_guests", "power.power_off")})
	end := w.ended(a)
	require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
	require.Equal(t, ingot.PowerOff, end.PowerState)
	w.until(guest.UUID, ingot.Active)
	c.movedTo(t, guest, b, a)
	require.Equal(t, ingot.HypervisorDraining, w.hostIs(a, ingot.HypervisorDraining).State)
	w.request(b, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("management.evacuate_guests")})
	end = w.ended(b)
	require.Equal(t, ingot.ServiceFailed, end.ProvisionState)
	require.Contains(t, end.LastError, "1 guests could not move: node "+guest.UUID)
	require.Contains(t, end.LastError, "1 draining")
	c.movedTo(t, guest, b, a)
}

// TestMovesAvoidTroubledHosts where nobody said where to.
func TestMovesAvoidTroubledHosts(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	failing := w.computeHost(uuid.NewString(), c.prober)
	c.prober.says(failing, facts("host "+failing), nil)
	w.change(failing, func(n *ingot.Node) { n.Owner, n.Driver = guest.Owner, "ipmi" })
	w.start(nil)
	w.hostIs(failing, ingot.HypervisorUp)
	w.failed(failing)
	for range 4 {
		w.request(guest.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("management.live_migrate")})
		end := w.ended(guest.UUID)
		require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
		c.movedTo(t, guest, b, a)
		a, b = b, a
	}
}

// hasPools has a compute host have its disks in pools.
func (w *world) hasPools(host string, pools ...ingot.StoragePool) {
	w.t.Helper()
	_, err := w.store.Hypervisors().Change(w.t.Context(), host, 0, func(h *ingot.Hypervisor) error { h.Pools = pools; return nil })
	require.NoError(w.t, err)
}

// TestMovesFromKVM: what KVM runs does not go where there is only emulation.
func TestMovesFromKVM(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	for host, types := range map[string][]string{a: {"kvm", "qemu"}, b: {"qemu"}} {
		f := facts("host " + host)
		f.VirtTypes = types
		c.prober.says(host, f, nil)
	}
	w.start(nil)
	require.Eventually(t, func() bool {
		from, to := w.hostIs(a, ingot.HypervisorUp), w.hostIs(b, ingot.HypervisorUp)
		return from.Facts.VirtType() == "kvm" && to.Facts.VirtType() == "qemu"
	}, 10*time.Second, time.Millisecond)
	w.request(guest.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("management.live_migrate")})
	require.Contains(t, w.ended(guest.UUID).LastError, "1 no kvm")
}

// TestMovesNeedTheLike: a host that has not the guest's pool, the sort of its disk, or its firmware is not tried.
func TestMovesNeedTheLike(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t))
	w.start(nil)
	fast, raw := ingot.StoragePool{Name: "fast"}, ingot.StoragePool{Name: "fast", Formats: []string{"raw"}}
	w.hasPools(a, ingot.StoragePool{Name: "default"}, fast)
	for _, row := range []struct {
		pools  []ingot.StoragePool
		change func(*ingot.Node)
		says   string
	}{
		{[]ingot.StoragePool{{Name: "default"}}, func(n *ingot.Node) { n.DriverInfo = map[string]any{"pool": "fast"} }, "1 no pool fast"},
		{[]ingot.StoragePool{raw}, func(*ingot.Node) {}, "1 no qcow2 disks (pool fast has raw)"},
		{[]ingot.StoragePool{fast}, func(n *ingot.Node) { n.DriverInfo["vtpm"] = true }, "1 no TPM for guests"},
		{[]ingot.StoragePool{fast}, func(n *ingot.Node) {
			n.DriverInfo = map[string]any{"pool": "fast"}
			n.InstanceInfo = map[string]any{"capabilities": map[string]any{"secure_boot": "true"}}
		}, "1 no firmware with Secure Boot"},
	} {
		w.hasPools(b, row.pools...)
		w.change(guest.UUID, func(n *ingot.Node) {
			n.ProvisionState, n.Maintenance, n.Fault = ingot.Active, false, ""
			row.change(n)
		})
		w.request(guest.UUID, ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: stepsOf("management.live_migrate")})
		end := w.ended(guest.UUID)
		require.Equal(t, ingot.ServiceFailed, end.ProvisionState)
		require.Contains(t, end.LastError, row.says)
	}
	c.mu.Lock()
	require.Zero(t, c.began)
	c.mu.Unlock()

	// Its disk is in the first pool there, and takes of what that has; back on the other host it takes nothing of it again.
	disk := func(host string) int64 {
		capacities, err := w.store.Capacities(t.Context(), host)
		require.NoError(t, err)
		return capacities[0].Used
	}
	w.change(guest.UUID, func(n *ingot.Node) {
		n.ProvisionState, n.Maintenance, n.Fault, n.InstanceInfo = ingot.Active, false, "", nil
	})
	for _, row := range []struct {
		host string
		want int64
	}{{b, 20}, {a, 0}} {
		w.request(guest.UUID, moveTo("live_migrate", row.host))
		end := w.ended(guest.UUID)
		require.Equal(t, ingot.Active, end.ProvisionState, end.LastError)
		require.Equal(t, row.want, disk(row.host))
	}
}
