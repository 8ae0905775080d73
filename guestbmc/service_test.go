package guestbmc_test

import (
	"context"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/guestbmc"
	"github.com/ingot-metal/ingot/store"
)

// hands are a conductor that does at once what it is told, and says so.
type hands struct {
	store *store.Store
	mu    sync.Mutex
	said  []string
}

func (h *hands) note(words ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, strings.Join(words, " "))
}

func (h *hands) SetPower(ctx context.Context, n ingot.Node, target ingot.PowerTarget, _ time.Duration) error {
	h.note("power", string(target), "by", ingot.IdentityOf(ctx).User)
	to := ingot.PowerOn
	if target == ingot.TargetPowerOff || target == ingot.TargetSoftOff {
		to = ingot.PowerOff
	}
	_, err := h.store.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.PowerState = to; return nil }})
	return err
}

func (h *hands) SetBootDevice(_ context.Context, _ ingot.Node, s ingot.BootSetting) error {
	h.note("boot", string(s.Device), "persistent="+strconv.FormatBool(s.Persistent), string(s.Mode))
	return nil
}

func (h *hands) InjectNMI(context.Context, ingot.Node) error { h.note("nmi"); return nil }

func (h *hands) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	said := h.said
	h.said = nil
	return said
}

// rig is a store with a guest, and the virtual BMCs of a process.
type rig struct {
	t     *testing.T
	store *store.Store
	hands *hands
	node  ingot.Node
	port  int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "ingot.db"), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	node := ingot.Node{
		UUID: uuid.NewString(), Name: "g", Driver: ingot.GuestDriver, ProvisionState: ingot.Active, PowerState: ingot.PowerOff,
		Properties: map[string]any{"cpus": 2.0, "memory_mb": 2048.0, "local_gb": 1.0, "capabilities": "boot_mode:uefi"},
	}
	require.NoError(t, s.CreateNode(t.Context(), &node, nil))
	return &rig{t: t, store: s, hands: &hands{store: s}, node: node, port: freePort(t)}
}

// freePort is one that both protocols can have.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// serve runs a process's BMCs until stop is called, or the test ends.
func (r *rig) serve() (s *guestbmc.Service, stop func()) {
	s = &guestbmc.Service{
		Host: "127.0.0.1", First: r.port, Last: r.port, Records: r.store.GuestBMCs(), Nodes: r.store, Control: r.hands, Log: slog.New(slog.DiscardHandler),
		Every: 10 * time.Millisecond,
	}
	s.Prepare()
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); require.NoError(r.t, <-ended) })
	r.t.Cleanup(stop)
	return s, stop
}

// served waits until the guest's BMC answers.
func (r *rig) served(s *guestbmc.Service) ingot.GuestBMC {
	r.t.Helper()
	var bmc ingot.GuestBMC
	require.Eventually(r.t, func() bool {
		var err error
		bmc, err = s.GuestBMC(r.t.Context(), r.node)
		return err == nil && bmc.Problem == ""
	}, 10*time.Second, 10*time.Millisecond)
	return bmc
}

// ipmitool gives what it says, and whether that was a success.
func (r *rig) ipmitool(user, password string, args ...string) (string, error) {
	r.t.Helper()
	if _, err := exec.LookPath("ipmitool"); err != nil {
		r.t.Skip("needs ipmitool; make prerequisites installs it")
	}
	line := append([]string{"-I", "lanplus", "-C", "17", "-R", "1", "-H", "127.0.0.1", "-p", strconv.Itoa(r.port), "-U", user, "-P", password}, args...)
	out, err := exec.CommandContext(r.t.Context(), "ipmitool", line...).CombinedOutput()
	return string(out), err
}

func TestIPMI(t *testing.T) {
	r := newRig(t)
	s, stop := r.serve()
	made, err := s.SetGuestBMC(t.Context(), r.node, "admin", "")
	require.NoError(t, err)
	require.Len(t, made.Password.Reveal(), 16)
	require.Equal(t, r.port, made.Port)
	r.served(s)
	ask := func(args ...string) string {
		t.Helper()
		said, err := r.ipmitool("admin", made.Password.Reveal(), args...)
		require.NoError(t, err, said)
		return said
	}
	require.Contains(t, ask("power", "status"), "is off")
	ask("chassis", "bootdev", "pxe", "options=efiboot")

	stop() // a process that ends takes nothing with it
	s, _ = r.serve()
	r.served(s)
	require.Contains(t, ask("chassis", "bootparam", "get", "5"), "Force PXE")
	ask("power", "on")
	require.Equal(t, []string{"boot pxe persistent=false uefi", "power power on by virtual BMC"}, r.hands.take())
	require.Contains(t, ask("power", "status"), "is on")
	require.Contains(t, ask("chassis", "bootparam", "get", "5"), "No override", "it held for one boot")
	ask("power", "cycle")
	ask("power", "diag")
	ask("power", "soft")
	require.Equal(t, []string{"power power off by virtual BMC", "power power on by virtual BMC", "nmi", "power soft power off by virtual BMC"}, r.hands.take())
}

func TestLoginsChange(t *testing.T) {
	r := newRig(t)
	s, _ := r.serve()
	_, err := s.SetGuestBMC(t.Context(), r.node, "admin", "first-password")
	require.NoError(t, err)
	r.served(s)
	_, err = s.SetGuestBMC(t.Context(), r.node, "other", "second-password")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := r.ipmitool("other", "second-password", "power", "status")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	_, err = r.ipmitool("admin", "first-password", "power", "status")
	require.Error(t, err)
	require.NoError(t, s.DeleteGuestBMC(t.Context(), r.node))
	require.Eventually(t, func() bool {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
		if err == nil {
			require.NoError(t, l.Close())
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond, "nobody listens any more")
	_, err = s.GuestBMC(t.Context(), r.node)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
}

func TestPortsRunOut(t *testing.T) {
	r := newRig(t)
	s, _ := r.serve()
	_, err := s.SetGuestBMC(t.Context(), r.node, "admin", "")
	require.NoError(t, err)
	other := ingot.Node{UUID: uuid.NewString(), Driver: ingot.GuestDriver, ProvisionState: ingot.Active}
	require.NoError(t, r.store.CreateNode(t.Context(), &other, nil))
	_, err = s.SetGuestBMC(t.Context(), other, "admin", "")
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err))
	require.ErrorContains(t, err, "all ports of [guest_bmc] ports are taken")
}

// sushyScript is what Ironic does with a node of driver redfish, by Ironic's own library.
const sushyScript = `
import sys, sushy
from sushy import auth
url, user, password, uuid = sys.argv[1:]
root = sushy.Sushy(url, auth=auth.SessionAuth(user, password), verify=False)
system = root.get_system('/redfish/v1/Systems/1')
assert system.uuid == uuid, system.uuid
assert system.power_state == sushy.PowerState.OFF
assert system.memory_summary.size_gib == 2
system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_CD, enabled=sushy.BOOT_SOURCE_ENABLED_CONTINUOUS, mode=sushy.BOOT_SOURCE_MODE_UEFI)
system.reset_system(sushy.RESET_ON)
system.refresh()
assert system.power_state == sushy.PowerState.ON
assert system.boot.enabled == sushy.BOOT_SOURCE_ENABLED_CONTINUOUS
system.reset_system(sushy.RESET_FORCE_OFF)
system.refresh()
assert system.power_state == sushy.PowerState.OFF
print('sushy: ok')
`

func TestRedfish(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which sushy is packaged for
	if exec.Command(python, "-c", "import sushy").Run() != nil {
		t.Skip("needs python3-sushy; make prerequisites installs it")
	}
	r := newRig(t)
	s, _ := r.serve()
	made, err := s.SetGuestBMC(t.Context(), r.node, "admin", "a-password")
	require.NoError(t, err)
	bmc := r.served(s)
	out, err := exec.CommandContext(t.Context(), python, "-c", sushyScript, "http://"+bmc.Address, "admin", made.Password.Reveal(), r.node.UUID).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "sushy: ok")
	require.Equal(t, []string{"boot cdrom persistent=true uefi", "power power on by virtual BMC", "power power off by virtual BMC"}, r.hands.take())
}
