package conductor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// settled waits until a guest runs as it should and nothing works on it.
func (c *cloud) settled(t *testing.T, guest, host string) ingot.Node {
	t.Helper()
	var n ingot.Node
	require.Eventually(t, func() bool {
		c.w.conductor().WakeHypervisor("")
		n = c.w.get(guest)
		hosts := c.runsOn(guest)
		return n.ParentNode == host && n.ProvisionState == ingot.Active && n.PowerState == ingot.PowerOn && len(hosts) == 1 && hosts[0] == host
	}, 60*time.Second, 10*time.Millisecond, "%s", guest)
	return n
}

// hostFence waits for a lost host to be in a state of fencing.
func (w *world) hostFence(host string, state ingot.FenceState) ingot.Hypervisor {
	w.t.Helper()
	var h ingot.Hypervisor
	require.Eventually(w.t, func() bool {
		w.conductor().WakeHypervisor("")
		var err error
		h, err = w.store.Hypervisors().Get(w.t.Context(), host)
		return err == nil && h.Fence == state
	}, 20*time.Second, 5*time.Millisecond, "the host never was %q", state)
	return h
}

// TestGuestsOfALostHost: it is fenced through its BMC, its guests run on the other host, and nothing of them is left when
// it is back, before it counts as up.
func TestGuestsOfALostHost(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) { failOver(t, storetest.Open(t, cfg), nil) })
}

// failOver loses a host whose guest goes on running, and follows all that becomes of it. change adjusts the first
// conductor; killed says that it is to be replaced.
func failOver(t *testing.T, s *store.Store, change func(*world, *conductor.Conductor) (killed <-chan struct{})) {
	w, c, guest, a, b := moves(t, s, ingot.FailureRestart)
	c.shared = true
	var killed <-chan struct{}
	w.start(func(live *conductor.Conductor) {
		if change != nil {
			killed = change(w, live)
		}
	})
	w.hostIs(a, ingot.HypervisorUp)
	c.lost(a)
	if killed != nil {
		untilEither(t, killed, func() bool {
			w.conductor().WakeHypervisor("")
			return w.get(guest.UUID).ParentNode == b && w.get(guest.UUID).ProvisionState == ingot.Active
		})
		w.kill()
		w.start(nil)
	}
	n := c.settled(t, guest.UUID, b)
	require.False(t, n.Maintenance)
	require.Empty(t, n.Fault)
	require.Equal(t, []string{a}, c.cuts(), "its power was cut once")
	require.Equal(t, ingot.FencedOff, w.hostFence(a, ingot.FencedOff).Fence)
	require.True(t, c.has(guest.UUID, a).defined, "the host has it yet")
	c.back(a)
	w.hostIs(a, ingot.HypervisorUp)
	c.movedTo(t, guest, b, a)
	require.Empty(t, w.hostFence(a, "").FenceReason)
}

// untilEither waits for a kill, or for the end without one.
func untilEither(t *testing.T, killed <-chan struct{}, ended func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		select {
		case <-killed:
			return true
		default:
			return ended()
		}
	}, 60*time.Second, 10*time.Millisecond)
}

// TestFailOverKilledAnywhere kills the conductor before, inside and after every asking of the fencing and of the recovery.
func TestFailOverKilledAnywhere(t *testing.T) {
	count := &asked{}
	failOver(t, storetest.SQLite(t), func(_ *world, live *conductor.Conductor) <-chan struct{} {
		live.Intercept = count.intercept
		return nil
	})
	require.Greater(t, count.n, 8)
	for at := range count.n {
		for _, moment := range []string{"before", "inside", "after"} {
			if underRace && at > 1 {
				break
			}
			t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
				t.Parallel() // most of it is waiting
				failOver(t, storetest.SQLite(t), func(w *world, live *conductor.Conductor) <-chan struct{} {
					m := &mortal{Store: w.store}
					kill, killed := m.killedAt(at+1, moment)
					live.Operations, live.Intercept = m, kill.intercept
					return killed
				})
			})
		}
	}
}

// TestNothingStartsWithoutFence: a BMC that does not answer, or none at all, and the guests stay where they may run.
func TestNothingStartsWithoutFence(t *testing.T) {
	w, c, guest, a, b := moves(t, storetest.SQLite(t), ingot.FailureRestart)
	c.shared, c.bmc = true, errors.New("the BMC does not answer")
	w.start(nil)
	w.hostIs(a, ingot.HypervisorUp)
	c.lost(a)
	require.Contains(t, w.hostFence(a, ingot.Unfenced).FenceReason, "the BMC does not answer")
	require.Equal(t, []string{a}, c.runsOn(guest.UUID))
	require.Equal(t, a, w.get(guest.UUID).ParentNode)
	require.Equal(t, ingot.FaultPower, w.get(guest.UUID).Fault)
	c.mu.Lock()
	c.bmc = nil
	c.mu.Unlock()
	c.settled(t, guest.UUID, b)
	require.Empty(t, c.wrong())

	w, c, guest, a, _ = moves(t, storetest.SQLite(t), ingot.FailureRestart)
	w.change(a, func(n *ingot.Node) { n.Driver = "fake-hardware" })
	w.start(nil)
	w.hostIs(a, ingot.HypervisorUp)
	c.lost(a)
	require.Contains(t, w.hostFence(a, ingot.Unfenced).FenceReason, "has no BMC: nothing can make sure that it is off, and nothing is started elsewhere")
	require.Equal(t, []string{a}, c.runsOn(guest.UUID))
	require.Empty(t, c.cuts())
}

// TestHostsThatAreNotFenced: with the policy none, in maintenance, and one that answers when it is asked anew.
func TestHostsThatAreNotFenced(t *testing.T) {
	for name, change := range map[string]func(w *world, c *cloud, host string){
		"policy": func(w *world, _ *cloud, host string) {
			_, err := w.store.Hypervisors().Change(t.Context(), host, 0, func(h *ingot.Hypervisor) error { h.OnHostFailure = ingot.FailureNone; return nil })
			require.NoError(t, err)
		},
		"maintenance": func(w *world, _ *cloud, host string) { w.change(host, func(n *ingot.Node) { n.Maintenance = true }) },
		"answers": func(_ *world, c *cloud, host string) {
			c.prober.mu.Lock()
			defer c.prober.mu.Unlock()
			c.prober.answers = map[string]bool{host: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, c, guest, a, _ := moves(t, storetest.SQLite(t), ingot.FailureRestart)
			change(w, c, a)
			w.start(nil)
			w.hostIs(a, ingot.HypervisorUp)
			c.lost(a)
			require.Eventually(t, func() bool { return w.get(guest.UUID).PowerState == "" }, 10*time.Second, 5*time.Millisecond)
			for range 10 {
				w.conductor().WakeHypervisor("")
				time.Sleep(20 * time.Millisecond)
			}
			require.Empty(t, c.cuts())
			require.NotEqual(t, ingot.FencedOff, w.hostIs(a, ingot.HypervisorDown).Fence)
			c.back(a)
			c.settled(t, guest.UUID, a)
			require.False(t, w.get(guest.UUID).Maintenance)
		})
	}
}

// TestRebuild: without shared disks a guest is made anew where its owner agreed, and stays where not.
func TestRebuild(t *testing.T) {
	for _, agreed := range []bool{true, false} {
		w, c, guest, a, b := moves(t, storetest.SQLite(t), ingot.FailureRebuild)
		c.rebuilds = true
		without, has, sum := w.computeHost(uuid.NewString(), c.prober), facts("host "+b), strings.Repeat("0a", 32)
		has.CachedImages = []string{sum} // b needs no download
		c.prober.says(b, has, nil)
		w.change(without, func(n *ingot.Node) { n.Owner = guest.Owner })
		for _, host := range []string{a, b} {
			_, err := w.store.Hypervisors().Change(t.Context(), host, 0, func(h *ingot.Hypervisor) error { h.Pools[0].Shared = false; return nil })
			require.NoError(t, err)
			c.copies[guest.UUID][b].disk = false
		}
		w.change(guest.UUID, func(n *ingot.Node) {
			n.DriverInfo, n.InstanceInfo = map[string]any{"rebuild_on_host_failure": agreed}, map[string]any{"image_source": "file:///image", "image_checksum": strings.ToUpper(sum)}
		})
		w.start(nil)
		w.hostIs(a, ingot.HypervisorUp)
		w.hostIs(without, ingot.HypervisorUp)
		require.Eventually(t, func() bool { return len(w.hostIs(b, ingot.HypervisorUp).Facts.CachedImages) == 1 }, 10*time.Second, time.Millisecond)
		c.lost(a)
		w.hostFence(a, ingot.FencedOff)
		if agreed {
			c.settled(t, guest.UUID, b)
			require.Contains(t, fmt.Sprint(w.said()), "image disk")
		} else {
			require.Contains(t, w.get(guest.UUID).MaintenanceReason, "it is not started elsewhere: its disk is on that host alone, and driver_info rebuild_on_host_failure is not true")
			require.Equal(t, a, w.get(guest.UUID).ParentNode)
		}
		require.Empty(t, c.wrong())
		w.kill()
	}
}
