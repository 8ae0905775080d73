package conductor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// autostarts has a host start the guests that ran when it is back.
func (w *world) autostarts(host string) {
	w.t.Helper()
	_, err := w.store.Hypervisors().Change(w.t.Context(), host, 0, func(h *ingot.Hypervisor) error { h.Autostart = true; return nil })
	require.NoError(w.t, err)
}

// guestLost waits until nothing is known of the power of a guest that ran.
func (w *world) guestLost(guest string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.get(guest).PowerState == "" }, 10*time.Second, 5*time.Millisecond)
	require.True(w.t, w.ranWhenLost(guest))
}

// probed waits for the look at a host that a conductor begins with: what follows is as many looks as are asked for.
func (c *cloud) probed(t *testing.T, host string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c.prober.mu.Lock()
		defer c.prober.mu.Unlock()
		return len(c.prober.guests[host]) > 0
	}, 10*time.Second, time.Millisecond)
}

func (w *world) ranWhenLost(guest string) bool {
	n := w.get(guest)
	return n.RanWhenLost()
}

// TestGuestsThatRanAreStarted when their host comes back without power having been cut by anybody here, whether power sync
// or the look at the host sees them first.
func TestGuestsThatRanAreStarted(t *testing.T) {
	for _, syncedFirst := range []bool{false, true} {
		w, c, guest, a, _ := moves(t, storetest.SQLite(t))
		w.autostarts(a)
		w.start(nil)
		w.hostIs(a, ingot.HypervisorUp)
		c.lost(a)
		w.guestLost(guest.UUID)
		c.ends(guest.UUID, a) // the host lost its power
		if syncedFirst {
			c.answers(a)
			require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
			require.True(t, w.ranWhenLost(guest.UUID))
		}
		c.back(a)
		n := c.settled(t, guest.UUID, a)
		require.False(t, n.RanWhenLost())
		require.Empty(t, n.Fault)
		require.False(t, n.Maintenance)
		w.kill()
	}
}

// TestItRanIsForgotten: that a guest ran when its host was lost holds no longer when it was seen to run on, or somebody
// switched it. One that is off since stays off, here and elsewhere, when the host is lost again.
func TestItRanIsForgotten(t *testing.T) {
	for name, since := range map[string]func(w *world, c *cloud, guest, host string){
		"seen by power sync": func(w *world, c *cloud, guest, host string) {
			c.answers(host)
			require.NoError(w.t, w.conductor().SyncPower(w.t.Context(), map[string]int{}))
			require.Equal(w.t, ingot.PowerOn, w.get(guest).PowerState)
			require.Empty(w.t, w.get(guest).Fault)
			c.ends(guest, host) // as its user wants
			require.NoError(w.t, w.conductor().SyncPower(w.t.Context(), map[string]int{}))
		},
		"switched off": func(w *world, c *cloud, guest, host string) {
			c.answers(host)
			require.NoError(w.t, w.conductor().SetPower(w.t.Context(), w.get(guest), ingot.TargetPowerOff, 0))
			require.Eventually(w.t, func() bool { return w.get(guest).TargetPowerState == "" }, 20*time.Second, time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, c, guest, a, _ := moves(t, storetest.SQLite(t))
			w.start(nil)
			c.probed(t, a)
			c.lost(a)
			w.guestLost(guest.UUID)
			since(w, c, guest.UUID, a)
			require.False(t, w.ranWhenLost(guest.UUID))
			c.back(a)
			w.hostIs(a, ingot.HypervisorUp)
			require.Eventually(t, func() bool {
				require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
				return w.get(guest.UUID).PowerState == ingot.PowerOff
			}, 10*time.Second, 5*time.Millisecond)
			require.Empty(t, c.runsOn(guest.UUID))
			_, err := w.store.Hypervisors().Change(t.Context(), a, 0, func(h *ingot.Hypervisor) error { h.OnHostFailure = ingot.FailureRestart; return nil })
			require.NoError(t, err)
			c.lost(a)
			w.hostFence(a, ingot.FencedOff)
			for range 5 {
				require.NoError(t, w.conductor().FailOver(t.Context()))
			}
			require.Equal(t, a, w.get(guest.UUID).ParentNode)
			require.Equal(t, ingot.Active, w.get(guest.UUID).ProvisionState)
			require.Empty(t, c.runsOn(guest.UUID))
		})
	}
}

// TestADeletedGuestIsNotStarted: one whose domain was done away with behind Ingot's back is off when it is there again.
func TestADeletedGuestIsNotStarted(t *testing.T) {
	t.Parallel()
	w, s, n := guestWith(t, ingot.PowerOn)
	w.autostarts(n.ParentNode)
	s.mu.Lock()
	s.missing = true
	s.mu.Unlock()
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.Equal(t, ingot.FaultGuest, w.get(n.UUID).Fault)
	require.Empty(t, w.get(n.UUID).PowerState)
	w.switchBehind(n, ingot.ActionOff)
	s.mu.Lock()
	s.missing = false
	s.mu.Unlock()
	require.NoError(t, w.conductor().FailOver(t.Context()))
	require.NoError(t, w.conductor().SyncPower(t.Context(), map[string]int{}))
	require.Equal(t, ingot.PowerOff, w.get(n.UUID).PowerState)
	require.Empty(t, w.get(n.UUID).Fault)
	require.Zero(t, w.count("power on"), "%q", w.said())
}
