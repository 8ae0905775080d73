package conductor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store/storetest"
)

// hostAndGuest is a host that starts the guests that ran, with one that runs, and what a conductor has to be like.
func hostAndGuest(t *testing.T, change func(*conductor.Conductor)) (w *world, c *cloud, guest ingot.Node, host string) {
	t.Helper()
	w, c, guest, host, _ = moves(t, storetest.SQLite(t))
	w.autostarts(host)
	w.start(change)
	w.hostIs(host, ingot.HypervisorUp)
	return w, c, guest, host
}

// switched are the changes of power so far, in order.
func (w *world) switched() []string {
	return slices.DeleteFunc(w.said(), func(line string) bool {
		return !strings.HasPrefix(line, "guest ") && !strings.HasPrefix(line, "power ")
	})
}

// TestAHostsPowerIsItsGuests: they are off before it, by themselves where that was asked for, and those that ran are
// started when it is back.
func TestAHostsPowerIsItsGuests(t *testing.T) {
	for _, row := range []struct {
		target ingot.PowerTarget
		power  ingot.PowerState // of the host at the end
		said   []string
	}{
		{ingot.TargetPowerOff, ingot.PowerOff, []string{"guest off", "power off"}},
		{ingot.TargetSoftOff, ingot.PowerOff, []string{"guest soft-off", "power soft-off"}},
		{ingot.TargetReboot, ingot.PowerOn, []string{"guest off", "power off", "power on"}},
		{ingot.TargetSoftReboot, ingot.PowerOn, []string{"guest soft-off", "power soft-off", "power on"}},
	} {
		t.Run(string(row.target), func(t *testing.T) {
			t.Parallel()
			w, c, guest, host := hostAndGuest(t, nil)
			end := w.power(host, row.target)
			require.Empty(t, end.LastError)
			require.Equal(t, row.power, end.PowerState)
			require.Equal(t, row.said, w.switched())
			require.NoError(t, w.conductor().FailOver(t.Context()))
			require.Equal(t, row.said, w.switched(), "nothing starts before the host is back")
			require.True(t, w.ranWhenLost(guest.UUID))
			if end.PowerState == ingot.PowerOff {
				w.power(host, ingot.TargetPowerOn)
			}
			c.back(host)
			n := c.settled(t, guest.UUID, host)
			require.False(t, n.RanWhenLost())
			require.Equal(t, 1, w.count("guest on"))
		})
	}
}

// TestNothingStartsUnderAHostThatGoes: a look at it between its guests' end and its own starts none of them.
func TestNothingStartsUnderAHostThatGoes(t *testing.T) {
	t.Parallel()
	looked := make(chan ingot.Node, 1)
	w, c, guest, host, _ := moves(t, storetest.SQLite(t))
	w.autostarts(host)
	w.start(func(live *conductor.Conductor) {
		live.Intercept = func(ctx context.Context, r *conductor.Run, step conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if r.Node.UUID == host && step.Name == "off" {
				if err := live.FailOver(ctx); err != nil {
					return conductor.Progress{}, err
				}
				looked <- w.get(guest.UUID)
			}
			return do()
		}
	})
	w.hostIs(host, ingot.HypervisorUp)
	w.power(host, ingot.TargetPowerOff)
	n := receive(t, looked)
	require.True(t, n.RanWhenLost())
	require.Equal(t, ingot.PowerOff, n.PowerState)
	require.Empty(t, n.TargetPowerState)
	require.Empty(t, c.runsOn(guest.UUID))
}

// TestGuestsThatDoNotEnd: one whose system does not power off within the request's time is switched off, and then its host.
func TestGuestsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	w, c, guest, host := hostAndGuest(t, nil)
	c.stubborn = true
	require.NoError(t, w.conductor().SetPower(t.Context(), w.get(host), ingot.TargetSoftOff, time.Second))
	require.Eventually(t, func() bool { return w.get(host).TargetPowerState == "" }, 20*time.Second, time.Millisecond)
	require.Equal(t, ingot.PowerOff, w.get(host).PowerState, w.get(host).LastError)
	said := slices.Compact(w.switched())
	require.Equal(t, []string{"guest soft-off", "guest off", "power soft-off"}, said)
	require.True(t, w.ranWhenLost(guest.UUID))
}

// TestAGuestThatWasOffStaysOff when its host was started again.
func TestAGuestThatWasOffStaysOff(t *testing.T) {
	t.Parallel()
	w, c, guest, host := hostAndGuest(t, nil)
	w.power(guest.UUID, ingot.TargetPowerOff)
	w.power(host, ingot.TargetReboot)
	c.back(host)
	require.NoError(t, w.conductor().FailOver(t.Context()))
	require.False(t, w.ranWhenLost(guest.UUID))
	require.Equal(t, []string{"guest off", "power off", "power on"}, w.switched())
}

// TestAHostThatHangs is switched off though nobody can ask it about its guests, and these run again when it is back.
func TestAHostThatHangs(t *testing.T) {
	for _, target := range []ingot.PowerTarget{ingot.TargetPowerOff, ingot.TargetReboot} {
		t.Run(string(target), func(t *testing.T) {
			t.Parallel()
			w, c, guest, host := hostAndGuest(t, nil)
			c.mu.Lock()
			c.down[host] = true
			c.mu.Unlock()
			end := w.power(host, target)
			require.Empty(t, end.LastError)
			require.Equal(t, []string{host}, c.cuts())
			require.Zero(t, w.count("guest off"))
			require.True(t, w.ranWhenLost(guest.UUID))
			if target == ingot.TargetPowerOff {
				w.power(host, ingot.TargetPowerOn)
			}
			c.back(host)
			c.settled(t, guest.UUID, host)
		})
	}
}

// TestAGuestThatIsWorkedOn keeps its host from being switched off, and says so.
func TestAGuestThatIsWorkedOn(t *testing.T) {
	t.Parallel()
	w, _, guest, host := hostAndGuest(t, func(c *conductor.Conductor) { c.Settings.PowerTimeout = 100 * time.Millisecond })
	w.change(guest.UUID, func(n *ingot.Node) { n.ProvisionState = ingot.Servicing })
	end := w.power(host, ingot.TargetPowerOff)
	require.Contains(t, end.LastError, "Node "+host+" child_node "+guest.UUID+" is presently locked")
	require.Equal(t, ingot.PowerOn, end.PowerState)
	require.Empty(t, w.switched())
}

// TestHostRebootKilledAnywhere kills the conductor inside and after every asking of a host's reboot and of its guest's changes
// of power: both are on at the end, the host was off once, and the guest was never started under a host that goes.
func TestHostRebootKilledAnywhere(t *testing.T) {
	count := &asked{}
	hostReboots(t, func(_ *world, live *conductor.Conductor) <-chan struct{} {
		live.Intercept = count.intercept
		return nil
	})
	require.Greater(t, count.n, 6)
	for at := range count.n {
		for _, moment := range []string{"inside", "after"} {
			if underRace && at > 1 {
				break
			}
			t.Run(fmt.Sprintf("%s asking %d", moment, at+1), func(t *testing.T) {
				t.Parallel() // most of it is waiting
				hostReboots(t, func(w *world, live *conductor.Conductor) <-chan struct{} {
					m := &mortal{Store: w.store}
					kill, killed := m.killedAt(at+1, moment)
					live.Operations, live.Intercept = m, kill.intercept
					return killed
				})
			})
		}
	}
}

// hostReboots follows a host's reboot until its guest runs again. change adjusts the first conductor; killed says that it is
// to be replaced.
func hostReboots(t *testing.T, change func(*world, *conductor.Conductor) (killed <-chan struct{})) {
	w, c, guest, host, _ := moves(t, storetest.SQLite(t))
	w.autostarts(host)
	var killed <-chan struct{}
	w.start(func(live *conductor.Conductor) { killed = change(w, live) })
	w.hostIs(host, ingot.HypervisorUp)
	replace := func(ended func() bool) {
		untilEither(t, killed, ended)
		select {
		case <-killed:
			w.kill()
			w.start(nil)
			killed = nil
		default:
		}
		require.Eventually(t, ended, 60*time.Second, 5*time.Millisecond)
	}
	require.NoError(t, w.conductor().SetPower(t.Context(), w.get(host), ingot.TargetReboot, 0))
	replace(func() bool { return w.get(host).TargetPowerState == "" })
	require.Equal(t, ingot.PowerOn, w.get(host).PowerState, w.get(host).LastError)
	require.Zero(t, w.count("guest on"), "%q", w.switched())
	require.Equal(t, []string{host}, c.cuts())
	c.back(host)
	replace(func() bool {
		w.conductor().WakeHypervisor("")
		n := w.get(guest.UUID)
		return n.PowerState == ingot.PowerOn && n.TargetPowerState == ""
	})
	c.settled(t, guest.UUID, host)
	require.False(t, w.ranWhenLost(guest.UUID))
}
