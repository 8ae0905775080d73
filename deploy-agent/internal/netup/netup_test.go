package netup_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/netup"
)

// inside tells the test binary that it runs in a network namespace of its own.
const inside = "INGOT_TEST_NETNS"

// TestDHCP runs the tests below in a namespace with dnsmasq as the DHCP server.
func TestDHCP(t *testing.T) {
	if os.Getenv(inside) != "" {
		t.Run("two networks", twoNetworks)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	for _, name := range []string{"dnsmasq", "nsenter", "ip"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestDHCP$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// elsewhere is another network namespace, kept by a sleeping process, for the servers: a host does not route to itself.
func elsewhere(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "120")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	start(t, cmd)
	return cmd
}

func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// wire makes a veth pair: the server's end elsewhere with an address and dnsmasq on it, the client's end down, as the
// kernel leaves a card.
func wire(t *testing.T, there *exec.Cmd, name, mac, subnet string, options ...string) {
	t.Helper()
	hw, err := net.ParseMAC(mac)
	require.NoError(t, err)
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, HardwareAddr: hw}, PeerName: "s" + name}
	require.NoError(t, netlink.LinkAdd(pair))
	server, err := netlink.LinkByName("s" + name)
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetNsPid(server, there.Process.Pid))
	in := []string{"-t", strconv.Itoa(there.Process.Pid), "-n"}
	for _, line := range []string{"ip addr add " + subnet + ".1/24 dev s" + name, "ip link set s" + name + " up"} {
		out, err := exec.Command("nsenter", append(in, strings.Fields(line)...)...).CombinedOutput()
		require.NoError(t, err, "%s: %s", line, out)
	}
	args := append([]string{
		"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=s" + name, "--bind-interfaces", "--except-interface=lo",
		"--dhcp-authoritative", "--no-ping", "--dhcp-leasefile=" + filepath.Join(t.TempDir(), "leases"), "--pid-file=", "--user=root",
		"--dhcp-range=" + subnet + ".100," + subnet + ".110,120s",
	}, options...)
	cmd := exec.Command("nsenter", append(in, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start(t, cmd)
}

func twoNetworks(t *testing.T) {
	there := elsewhere(t)
	wire(t, there, "other", "52:54:00:00:00:02", "10.98.0", "--dhcp-option=option:dns-server,10.98.0.53")
	wire(t, there, "boot", "52:54:00:00:00:01", "10.97.0", "--dhcp-option=option:dns-server,10.97.0.53", "--dhcp-option=option:mtu,1400",
		"--dhcp-option=option:classless-static-route,0.0.0.0/0,10.97.0.1,192.0.2.0/24,10.97.0.9", "--domain=rack.test")
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	n := &netup.Network{
		Clock: clock.Real{}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), BootMAC: "52:54:00:00:00:01", Resolv: resolv,
	}
	ctx, stop := context.WithTimeout(context.Background(), 40*time.Second)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	require.NoError(t, n.Wait(ctx))

	boot, err := netlink.LinkByName("boot")
	require.NoError(t, err)
	require.Equal(t, 1400, boot.Attrs().MTU)
	addrs, err := netlink.AddrList(boot, netlink.FAMILY_V4)
	require.NoError(t, err)
	require.Len(t, addrs, 1)
	require.Regexp(t, `^10\.97\.0\.1..?/24$`, addrs[0].IPNet.String())
	routes, err := netlink.RouteGet(net.ParseIP("198.51.100.1"))
	require.NoError(t, err)
	require.Equal(t, "10.97.0.1", routes[0].Gw.String(), "the boot network is preferred")
	routes, err = netlink.RouteGet(net.ParseIP("192.0.2.1"))
	require.NoError(t, err)
	require.Equal(t, "10.97.0.9", routes[0].Gw.String())

	other, err := netlink.LinkByName("other")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		addrs, err := netlink.AddrList(other, netlink.FAMILY_V4)
		return err == nil && len(addrs) == 1
	}, 20*time.Second, 10*time.Millisecond, "all interfaces with a carrier get an address")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(resolv)
		return err == nil && string(text) == "search rack.test\nnameserver 10.97.0.53\n"
	}, 20*time.Second, 10*time.Millisecond)
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
}
