package ipmi_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/ipmi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is a machine under test, closed when the test ends.
func machine(t testing.TB, info map[string]any, opt ipmi.Options) ingot.Machine {
	t.Helper()
	m, err := ipmi.New(info, opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.(ingot.Closer).Close()) })
	return m
}

func within(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func TestSimulatorPower(t *testing.T) {
	sim := startSimulator(t)
	for _, backend := range []string{ipmi.BackendNative, ipmi.BackendTool} {
		t.Run(backend, func(t *testing.T) {
			ctx, m := within(t, 20*time.Second), machine(t, sim.info(), ipmi.Options{Backend: backend})
			for _, step := range []struct {
				do   ingot.PowerAction
				want ingot.PowerState
				file string
			}{{ingot.ActionOn, ingot.PowerOn, "1"}, {ingot.ActionOn, ingot.PowerOn, "1"}, {ingot.ActionOff, ingot.PowerOff, "0"}, {ingot.ActionOff, ingot.PowerOff, "0"}} {
				require.NoError(t, m.SetPower(ctx, step.do))
				require.Equal(t, step.file, sim.read(t, "power"))
				state, err := m.PowerState(ctx)
				require.NoError(t, err)
				require.Equal(t, step.want, state)
			}
			require.NoError(t, m.SetPower(ctx, ingot.ActionSoftOff), "off already")
			require.Empty(t, sim.read(t, "shutdown"))
			require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
			require.NoError(t, m.SetPower(ctx, ingot.ActionSoftOff))
			require.Equal(t, "1", sim.read(t, "shutdown"))
			require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE}))
			require.Equal(t, "pxe", sim.read(t, "boot"))
			boot, err := m.BootDevice(ctx)
			require.NoError(t, err)
			require.Empty(t, boot.Device, "ipmi_sim shows the device, but not as valid")
			for _, name := range []string{"shutdown", "boot", "power"} {
				require.NoError(t, os.Remove(filepath.Join(sim.dir, name)))
			}
		})
	}
}

func TestSimulatorRefusesLogins(t *testing.T) {
	sim := startSimulator(t)
	for _, row := range []struct {
		name, key string
		value     any
		code      ingot.Code
		says      string
	}{
		{"password", "ipmi_password", "wrong", ingot.Unauthorized, "wrong password"},
		{"user", "ipmi_username", "nobody", ingot.Unauthorized, "Unauthorized name"},
		{"suite", "ipmi_cipher_suite", 17, ingot.Unsupported, "ipmi_cipher_suite"},
	} {
		t.Run(row.name, func(t *testing.T) {
			info := sim.info()
			info["ipmi_cipher_suite"] = 3
			info[row.key] = row.value
			_, err := machine(t, info, ipmi.Options{}).PowerState(within(t, 10*time.Second))
			require.Equal(t, row.code, ingot.CodeOf(err), "%v", err)
			require.True(t, ingot.IsFatal(err))
			require.ErrorContains(t, err, "127.0.0.1:"+strconv.Itoa(sim.port))
			require.ErrorContains(t, err, row.says)
		})
	}
}

// A dead BMC: nobody at the port, and somebody who never answers.
func TestDeadBMC(t *testing.T) {
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer deaf.Close()
	for name, port := range map[string]int{"refuses": freePort(t), "deaf": deaf.LocalAddr().(*net.UDPAddr).Port} {
		for _, backend := range []string{ipmi.BackendNative, ipmi.BackendTool} {
			t.Run(name+"/"+backend, func(t *testing.T) {
				info := map[string]any{"ipmi_address": "127.0.0.1", "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": "secret"}
				_, err := machine(t, info, ipmi.Options{Backend: backend}).PowerState(within(t, 300*time.Millisecond))
				require.Equal(t, ingot.Unavailable, ingot.CodeOf(err))
				require.False(t, ingot.IsFatal(err))
				require.ErrorContains(t, err, "cannot reach BMC 127.0.0.1:"+strconv.Itoa(port))
			})
		}
	}
}

// Without a deadline the number of datagrams is the bound.
func TestDeadBMCWithoutDeadline(t *testing.T) {
	deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer deaf.Close()
	info := map[string]any{"ipmi_address": "127.0.0.1", "ipmi_port": deaf.LocalAddr().(*net.UDPAddr).Port, "ipmi_username": "admin"}
	for _, suite := range []any{nil, 17} {
		info["ipmi_cipher_suite"] = suite
		_, err = machine(t, info, ipmi.Options{Timeout: 20 * time.Millisecond, Attempts: 3}).PowerState(context.Background())
		require.ErrorContains(t, err, "cannot reach BMC")
		for range 3 {
			require.NoError(t, deaf.SetReadDeadline(time.Now().Add(time.Second)))
			_, _, err := deaf.ReadFrom(make([]byte, 1500))
			require.NoError(t, err, "each datagram is sent three times")
		}
	}
	require.NoError(t, deaf.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, _, err = deaf.ReadFrom(make([]byte, 1500))
	require.Error(t, err, "and not more often")
}

func TestNameThatDoesNotResolve(t *testing.T) {
	_, err := machine(t, map[string]any{"ipmi_address": "bmc.invalid"}, ipmi.Options{}).PowerState(within(t, 5*time.Second))
	if ingot.CodeOf(err) == ingot.Unavailable {
		t.Skipf("there is no resolver here that says no: %v", err)
	}
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	require.ErrorContains(t, err, "bmc.invalid:623")
}

// A cancelled exchange comes back at once and leaves no goroutine, however long go-ipmi would have waited; so does Close
// after it.
func TestCancelledExchangeLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the BMC has gone too
	rig, port := bmcAt(t)
	for _, used := range []bool{false, true} {
		m, err := ipmi.New(infoFor(port), ipmi.Options{Timeout: time.Hour})
		require.NoError(t, err)
		if used {
			_, err := m.PowerState(within(t, 10*time.Second))
			require.NoError(t, err)
		}
		rig.Break(t, drivertest.Dead)
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(50*time.Millisecond, cancel)
		_, err = m.PowerState(ctx)
		timer.Stop()
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, m.(ingot.Closer).Close())
		rig.Break(t, drivertest.Healthy)
	}
}
