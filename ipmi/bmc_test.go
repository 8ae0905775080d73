package ipmi_test

import (
	"context"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/ipmi"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// box is a machine that is on.
type box struct{}

func (box) Power(context.Context) (bool, error)                         { return true, nil }
func (box) SetPower(context.Context, vbmc.PowerAction, vbmc.Boot) error { return nil }

// serve runs a virtual BMC, and gives its port.
func serve(t testing.TB, s *vbmc.Server) int {
	t.Helper()
	s.Machine, s.IPMIListen = box{}, "127.0.0.1:0"
	require.NoError(t, s.Listen())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	_, port, err := net.SplitHostPort(s.IPMIAddr())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

func TestPrivilegeLevels(t *testing.T) {
	port := serve(t, &vbmc.Server{Username: "admin", Password: "secret", Users: []vbmc.User{
		{Name: "operator", Password: "secret", Privilege: vbmc.PrivilegeOperator}, {Name: "watcher", Password: "secret", Privilege: vbmc.PrivilegeUser},
	}})
	for _, row := range []struct {
		user, level      string
		state, switchOff ingot.Code
	}{
		{"operator", "", ingot.Forbidden, ingot.Forbidden},
		{"operator", "OPERATOR", "", ""},
		{"watcher", "OPERATOR", ingot.Forbidden, ingot.Forbidden},
		{"watcher", "USER", "", ingot.Forbidden},
		{"admin", "USER", "", ingot.Forbidden},
	} {
		t.Run(row.user+" as "+row.level, func(t *testing.T) {
			info := infoFor(port)
			info["ipmi_username"], info["ipmi_priv_level"] = row.user, row.level
			m := machine(t, info, ipmi.Options{})
			_, err := m.PowerState(within(t, 10*time.Second))
			require.Equal(t, row.state, ingot.CodeOf(err), "%v", err)
			if row.state != "" {
				require.ErrorContains(t, err, "ipmi_priv_level")
			}
			err = m.SetPower(within(t, 10*time.Second), ingot.ActionOff)
			require.Equal(t, row.switchOff, ingot.CodeOf(err), "%v", err)
			_, err = m.BootDevice(within(t, 10*time.Second)) // an operator's command too
			require.Equal(t, row.switchOff, ingot.CodeOf(err), "%v", err)
		})
	}
}

// The BMC's own 60 s for boot flags are switched off, unless the node or the options say to leave them.
func TestBootTimer(t *testing.T) {
	for _, row := range []struct {
		name    string
		key     any
		keep    bool
		stopped bool
	}{{"as it comes", nil, false, true}, {"node says no", false, false, false}, {"options say no", nil, true, false}, {"node says yes", "True", true, true}} {
		for _, backend := range []string{ipmi.BackendNative, ipmi.BackendTool} {
			t.Run(row.name+"/"+backend, func(t *testing.T) {
				port := serve(t, &vbmc.Server{Username: "admin", Password: "secret"})
				info := infoFor(port)
				info["ipmi_disable_boot_timeout"] = row.key
				m := machine(t, info, ipmi.Options{Backend: backend, KeepBootTimeout: row.keep})
				require.NoError(t, m.SetBootDevice(within(t, 20*time.Second), ingot.BootSetting{Device: ingot.BootPXE}))
				want := "01 03 00"
				if row.stopped {
					want = "01 03 08"
				}
				require.Equal(t, want, raw(t, port, "0x00", "0x09", "0x03", "0x00", "0x00"))
			})
		}
	}
}

// While that timer runs, flags that hold are written again: they may be about to lapse.
func TestBootTimerRewrites(t *testing.T) {
	var log vbmc.Log
	port := serve(t, &vbmc.Server{Username: "admin", Password: "secret", Journal: &log})
	info := infoFor(port)
	info["ipmi_disable_boot_timeout"] = false
	m := machine(t, info, ipmi.Options{})
	for range 2 {
		require.NoError(t, m.SetBootDevice(within(t, 10*time.Second), ingot.BootSetting{Device: ingot.BootPXE}))
	}
	require.Len(t, log.Find(vbmc.ProtocolIPMI, vbmc.VerbBootDevice), 2)
}

// raw asks by ipmitool.
func raw(t testing.TB, port int, request ...string) string {
	t.Helper()
	said, err := exec.Command("ipmitool", append([]string{"-I", "lanplus", "-C", "17", "-H", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "admin", "-P", "secret", "raw"}, request...)...).CombinedOutput()
	require.NoError(t, err, string(said))
	return strings.TrimSpace(string(said))
}
