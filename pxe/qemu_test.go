package pxe_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// rack is a bridge with the boot service on it, in the namespace that the tests run in.
type rack struct {
	server  *pxe.Server
	decider *decider
	leases  *leases
	log     *lines
	hits    *lines // HTTP requests
	bridge  string
	dir     string
	detour  chan string // script that the next request for one gets in place of the boot service's
}

const rackUUID = "4c4c4544-0051-3510-8052-b4c04f4d3132"

// testNetwork is the rack's network.
func testNetwork(bridge string) ingot.Network {
	return ingot.Network{
		Name: "lab", Interface: bridge, Subnet: netip.MustParsePrefix("10.77.0.0/24"),
		PoolStart: netip.MustParseAddr("10.77.0.100"), PoolEnd: netip.MustParseAddr("10.77.0.200"), DHCP: ingot.DHCPFull,
	}
}

// newRack makes a bridge and serves network on it, after change has had its say; all ends with the test.
func newRack(t *testing.T, specs map[string]ingot.BootSpec, change func(*pxe.Server)) *rack {
	t.Helper()
	needRoot(t)
	r := &rack{decider: newDecider(specs), leases: newLeases(), log: &lines{}, hits: &lines{}, bridge: "br0", dir: t.TempDir(), detour: make(chan string, 1)}
	run(t, "ip", "link", "add", r.bridge, "type", "bridge")
	t.Cleanup(func() { run(t, "ip", "link", "del", r.bridge) })
	run(t, "ip", "addr", "add", "10.77.0.1/24", "dev", r.bridge)
	run(t, "ip", "link", "set", r.bridge, "up")
	r.server = &pxe.Server{
		Networks: []ingot.Network{testNetwork(r.bridge)}, Decider: r.decider, Leases: r.leases, HTTPPort: 8088,
		Files:  files{"vmlinuz": bytes.Repeat([]byte("k"), 100_000), "initrd": bytes.Repeat([]byte("i"), 300_000)},
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(r.server)
	}
	r.serve(t)
	return r
}

// serve runs the boot service and an HTTP server for its handler.
func (r *rack) serve(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.server.Run(ctx) }()
	listener, err := net.Listen("tcp", "10.77.0.1:8088")
	if err != nil {
		t.Fatal(err)
	}
	handler := r.server.Handler()
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprintln(r.hits, req.Method, req.URL)
		if req.URL.Path == pxe.ScriptPath {
			select {
			case detour := <-r.detour:
				io.WriteString(w, detour)
				return
			default:
			}
		}
		handler.ServeHTTP(w, req)
	})}
	go web.Serve(listener)
	t.Cleanup(func() {
		web.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s\nhttp:\n%s\nevidence:\n%s", r.log, r.hits, strings.Join(r.decider.evidence(), "\n"))
		}
	})
	waitFor(t, 10*time.Second, "the boot service", func() bool { return strings.Contains(r.log.String(), "serving network") })
}

// evidence is what the boot service did for the test's machine.
func (r *rack) evidence() []string {
	all := r.decider.evidence()
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], "lab "+testMAC+" ")
	}
	return all
}

// waitFor asks until the answer is yes.
func waitFor(t *testing.T, most time.Duration, what string, yes func() bool) {
	t.Helper()
	end := time.Now().Add(most)
	for !yes() {
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", most, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// machine is a virtual server that boots from its network card.
type machine struct {
	mac     string
	uefi    bool
	nic     string // device and its options; "" is virtio-net-pci
	disk    string // raw image, second in boot order
	extra   []string
	capture string // name of the capture file
}

// boot starts a machine and gives its console's text; it is killed with the test.
func (r *rack) boot(t *testing.T, m machine) *lines {
	t.Helper()
	needProgram(t, "qemu-system-x86_64", "ip")
	run(t, "ip", "tuntap", "add", "dev", "tap0", "mode", "tap")
	t.Cleanup(func() { run(t, "ip", "link", "del", "tap0") })
	run(t, "ip", "link", "set", "tap0", "master", r.bridge, "up")
	if m.nic == "" {
		m.nic = "virtio-net-pci"
	}
	args := []string{
		"-M", "q35,graphics=off", "-accel", "tcg,thread=multi", "-cpu", "qemu64", "-m", "512", "-nodefaults", "-no-user-config",
		"-display", "none", "-serial", "stdio", "-no-reboot", "-uuid", rackUUID,
		"-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no", "-device", m.nic + ",netdev=n0,mac=" + m.mac + ",bootindex=1",
	}
	if m.uefi {
		vars := filepath.Join(r.dir, "vars.fd")
		run(t, "cp", "/usr/share/OVMF/OVMF_VARS_4M.fd", vars)
		args = append(args, "-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
			"-drive", "if=pflash,format=raw,unit=1,file="+vars)
	}
	if m.disk != "" {
		args = append(args, "-drive", "if=none,id=d0,format=raw,file="+m.disk, "-device", "virtio-blk-pci,drive=d0,bootindex=2")
	}
	if *keep != "" {
		start(t, io.Discard, "tcpdump", "-i", r.bridge, "-U", "--immediate-mode", "-w", filepath.Join(*keep, m.capture+".pcap"), "udp port 67 or udp port 4011 or udp dst port 69 or icmp6")
	}
	console := &lines{}
	start(t, console, "qemu-system-x86_64", append(args, m.extra...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("console:\n%s", console)
		}
	})
	return console
}

// start runs a program until the test ends.
func start(t *testing.T, out io.Writer, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also when the tests are killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}
