package pxe_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// host is another network namespace, with an interface on the rack's bridge.
type host struct {
	pid string
	nic string
}

// newHost makes a namespace, held by a process, with the interface nic on bridge. It goes with the test.
func newHost(t *testing.T, bridge, nic, mac string) *host {
	t.Helper()
	needProgram(t, "ip", "nsenter", "sleep")
	holder := exec.Command("sleep", "600")
	holder.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		holder.Process.Kill()
		holder.Wait()
	})
	h := &host{pid: strconv.Itoa(holder.Process.Pid), nic: nic}
	h.join(t, bridge, nic, mac)
	return h
}

// join gives the host one more interface, on bridge.
func (h *host) join(t *testing.T, bridge, nic, mac string) {
	t.Helper()
	port := "p" + h.pid + nic
	if len(port) > 15 {
		port = port[len(port)-15:]
	}
	run(t, "ip", "link", "add", port, "type", "veth", "peer", "name", nic, "address", mac, "netns", h.pid)
	run(t, "ip", "link", "set", port, "master", bridge, "up")
	h.run(t, "ip", "link", "set", nic, "up")
}

// in is the command line that runs a program on the host.
func (h *host) in(name string, args ...string) []string {
	return append([]string{"-t", h.pid, "-n", name}, args...)
}

// run is a command on the host that has to work.
func (h *host) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return run(t, "nsenter", h.in(name, args...)...)
}

// start runs a program on the host until the test ends.
func (h *host) start(t *testing.T, out io.Writer, name string, args ...string) *exec.Cmd {
	t.Helper()
	return start(t, out, "nsenter", h.in(name, args...)...)
}

// dial opens a UDP socket on the host. The socket stays there while the thread that made it comes back.
func (h *host) dial(t *testing.T, to string) net.Conn {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := os.Open("/proc/" + h.pid + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", to)
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		t.Fatal(back)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
