//go:build cgo && libvirt_dlopen

package libvirttest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"libvirt.org/go/libvirt"
)

// Address is the daemon's on its bridge, by which linked ones reach it.
func (d *Daemon) Address() string { return d.addr }

// Link has two daemons reach each other, so that guests can move between them.
func Link(t testing.TB, a, b *Daemon) {
	t.Helper()
	one, two := "la"+a.addr[len(a.addr)-1:]+fmt.Sprint(a.cmd.Process.Pid%1000), "lb"+fmt.Sprint(b.cmd.Process.Pid%1000)
	for _, args := range [][]string{
		{"ip", "link", "add", one, "netns", a.inner(t), "type", "veth", "peer", "name", two, "netns", b.inner(t)},
		{"nsenter", "-t", a.inner(t), "-n", "ip", "link", "set", one, "up", "master", "br0"},
		{"nsenter", "-t", b.inner(t), "-n", "ip", "link", "set", two, "up", "master", "br0"},
	} {
		run(t, args...)
	}
}

// Join connects its bridge with one in a named network namespace: its guests are on that network.
func (d *Daemon) Join(t testing.TB, namespace, bridge string) {
	t.Helper()
	const one, two = "to-libvirtd", "to-network"
	run(t, "ip", "-netns", namespace, "link", "add", one, "type", "veth", "peer", "name", two, "netns", d.inner(t))
	run(t, "ip", "-netns", namespace, "link", "set", one, "up", "master", bridge)
	run(t, "nsenter", "-t", d.inner(t), "-n", "ip", "link", "set", two, "up", "master", "br0")
}

// Plug joins the daemon's bridge to an interface of this network, which it makes and gives an address.
func (d *Daemon) Plug(t testing.TB, address string) (name string) {
	t.Helper()
	process := d.inner(t)
	name = "ing" + process
	run(t, "ip", "link", "add", name, "type", "veth", "peer", "name", "up0", "netns", process)
	run(t, "nsenter", "-t", process, "-n", "ip", "link", "set", "up0", "up", "master", "br0")
	run(t, "ip", "addr", "add", address, "dev", name)
	run(t, "ip", "link", "set", name, "up")
	return name // which goes with its peer
}

func run(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
}

// AddNetwork gives it a virtual network (https://libvirt.org/formatnetwork.html).
func (d *Daemon) AddNetwork(t testing.TB, document string) {
	t.Helper()
	conn, err := libvirt.NewConnect(d.URI())
	require.NoError(t, err)
	network, err := conn.NetworkCreateXML(document)
	require.NoError(t, err)
	require.NoError(t, network.Free())
	_, err = conn.Close()
	require.NoError(t, err)
}

// Listen listens in the daemon's network, where its machines and its emulators can reach it.
func (d *Daemon) Listen(t testing.TB, address string) net.Listener {
	t.Helper()
	there, err := os.Open("/proc/" + d.inner(t) + "/ns/net")
	require.NoError(t, err)
	defer there.Close()
	var l net.Listener
	err = within(there, func() (err error) {
		l, err = net.Listen("tcp", address)
		return err
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() }) // whoever serves on it may have closed it
	return l
}

// Forward has connections to a port of this network's loopback, which it gives, go to an address in the daemon's.
func (d *Daemon) Forward(t testing.TB, address string) (port string) {
	t.Helper()
	there, err := os.Open("/proc/" + d.inner(t) + "/ns/net")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		defer there.Close()
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			var far net.Conn
			if err := within(there, func() (err error) {
				far, err = net.Dial("tcp", address)
				return err
			}); err != nil {
				_ = here.Close()
				continue
			}
			go join(here, far)
			go join(far, here)
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// join carries what comes on one connection to the other, and ends both.
func join(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = from.Close(), to.Close()
}

// within does something in another network. The thread comes back from there: one that is given up takes with it the
// processes that it has started (Pdeathsig).
func within(there *os.File, do func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	did := do()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		return err // and the thread stays locked, and goes with the test
	}
	runtime.UnlockOSThread()
	return did
}

// inner is the process number of the first one in the daemon's namespaces.
func (d *Daemon) inner(t testing.TB) string {
	t.Helper()
	first, err := exec.Command("pgrep", "-P", fmt.Sprint(d.cmd.Process.Pid)).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(first))
}
