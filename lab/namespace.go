package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// bridgeName is the rack's switch, inside its namespace.
const bridgeName = "br0"

// namespaceFile is where ip-netns(8) keeps a namespace's name.
func namespaceFile(name string) string { return filepath.Join("/run/netns", name) }

// namespaceExists says whether there is a namespace of that name.
func namespaceExists(name string) bool {
	_, err := os.Lstat(namespaceFile(name))
	return err == nil
}

// makeNamespace makes a namespace with a bridge that has the address, a tap for each machine, and for each process of the
// service beside the first a port with one of the next addresses.
func makeNamespace(ctx context.Context, name string, address netip.Prefix, taps, beside int) error {
	if err := runTool(ctx, nil, "ip", "netns", "add", name); err != nil {
		return err
	}
	var batch strings.Builder
	fmt.Fprintf(&batch, "link set lo up\nlink add %s type bridge\naddr add %s dev %s\nlink set %s up\n", bridgeName, address, bridgeName, bridgeName)
	for i := range taps {
		fmt.Fprintf(&batch, "tuntap add dev %s mode tap\nlink set %s master %s up\n", tapName(i), tapName(i), bridgeName)
	}
	for i := range beside {
		port, at := portName(i+1), netip.PrefixFrom(address.Addr().Next(), address.Bits())
		for range i {
			at = netip.PrefixFrom(at.Addr().Next(), at.Bits())
		}
		fmt.Fprintf(&batch, "link add %s type veth peer name %s-end\nlink set %s-end master %s up\naddr add %s dev %s\nlink set %s up\n", port, port, port, bridgeName, at, port, port)
	}
	if err := runTool(ctx, []byte(batch.String()), "ip", "-netns", name, "-batch", "-"); err != nil || beside == 0 {
		return err
	}
	return inNamespace(name, func() error { return separate(beside) })
}

// separate has each of several ports on one network answer for its own address alone, as ports of several hosts do: by
// itself the kernel answers ARP for any of its addresses on any port, and drops what comes in on another port than the one
// it would answer through (ip-sysctl: arp_ignore, rp_filter).
func separate(ports int) error {
	settings := map[string]string{"all/arp_ignore": "1", "all/rp_filter": "0", bridgeName + "/rp_filter": "0"}
	for i := range ports {
		settings[portName(i+1)+"/rp_filter"] = "0"
	}
	for setting, value := range settings {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+setting, []byte(value), 0o644); err != nil {
			return fmt.Errorf("cannot separate the ports of the rack's network: %w", err)
		}
	}
	return nil
}

// portName is the bridge's port of a process of the service; the first has the bridge itself.
func portName(number int) string { return "port" + strconv.Itoa(number) }

func tapName(i int) string { return "tap" + strconv.Itoa(i) }

// deleteNamespace removes a namespace with all that is in it; one that is gone is no error.
func deleteNamespace(ctx context.Context, name string) error {
	if !namespaceExists(name) {
		return nil
	}
	return runTool(ctx, nil, "ip", "netns", "delete", name)
}

// namespacePIDs are the processes that live in a namespace.
func namespacePIDs(ctx context.Context, name string) ([]int, error) {
	if !namespaceExists(name) {
		return nil, nil
	}
	out, err := exec.CommandContext(ctx, "ip", "netns", "pids", name).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes in namespace %s: %w", name, err)
	}
	var pids []int
	for _, word := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// inNamespace runs do on a thread that is in the namespace, so that the sockets it opens belong there.
func inNamespace(name string, do func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("cannot find this thread's namespace: %w", err)
	}
	defer home.Close()
	there, err := os.Open(namespaceFile(name))
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("cannot enter namespace %s: %w", name, err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("cannot enter namespace %s: %w", name, err)
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		// The thread stays locked, and ends with this goroutine.
		return errors.Join(err, fmt.Errorf("cannot leave namespace %s: %w", name, back))
	}
	runtime.UnlockOSThread()
	return err
}

// runTool runs a program that has to work; its words come with the error.
func runTool(ctx context.Context, stdin []byte, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot run %s: install it (make prerequisites)", name)
	}
	if err != nil {
		return fmt.Errorf("cannot run %s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
