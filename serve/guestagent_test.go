//go:build cgo && libvirt_dlopen

package serve_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// The network of the guest that boots from it, and of the service.
const (
	bootSubnet  = "198.51.100.0/24"
	bootAddress = "198.51.100.1/24"
	// onlyAddress is the only one that there is, so that the guest's is known beforehand.
	onlyAddress = "198.51.100.100"
)

// TestGuestByAgent takes a guest the way of any server: it boots the ramdisk from the network, and the agent writes its disk.
// Then it is rescued, somebody logs in to the ramdisk on its console, and it boots its disk again. What it sends under a
// false address gets nowhere.
func TestGuestByAgent(t *testing.T) {
	d, data := libvirttest.Start(t), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "images"), 0o700))
	image := filepath.Join(data, "images", "hello.raw")
	disk := libvirttest.Hello()
	copy(disk[446:], []byte{0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 0xff, 7}) // a partition, which the agent looks for
	require.NoError(t, os.WriteFile(image, disk, 0o600))
	cfg := devConfig(data)
	cfg.Drivers, cfg.Boot.Listen, cfg.Boot.Ramdisk = []string{"fake-hardware", "libvirt"}, "", ramdiskFolder(t)
	cfg.Conduct.KernelParams = "console=ttyS0"
	cfg.Networks = []ingot.Network{{
		Name: "guests", Interface: d.Plug(t, bootAddress), Subnet: netip.MustParsePrefix(bootSubnet), DHCP: ingot.DHCPFull,
		PoolStart: netip.MustParseAddr(onlyAddress), PoolEnd: netip.MustParseAddr(onlyAddress),
	}}
	c := caller{t, runWith(t, cfg)}
	c.makeHost("h", d)
	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "deploy_interface": "direct", "automated_clean": false,
		"properties": {"cpus": 1, "memory_mb": 512, "local_gb": 5}}`) // the agent takes no disk of less than 4 GiB
	id := c.uuid("g")
	c.do(201, "POST", "ports", `{"node_uuid": "`+id+`", "address": "52:54:00:00:00:61", "extra": {"fixed_ips": ["`+onlyAddress+`"]}}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}} {
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("g", map[string]any{"provision_state": verb[1]})
	}
	sum := sha256.Sum256(disk)
	c.do(200, "PATCH", "nodes/g", `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_checksum": "`+hex.EncodeToString(sum[:])+`"}}]`)
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "active"}`)
	c.within(4*time.Minute, "g", map[string]any{"provision_state": "active", "power_state": "power on"})
	console := filepath.Join(d.Dir, "pool", id+".console.log")
	require.Eventually(t, func() bool { return greetings(console) == 1 }, time.Minute, 50*time.Millisecond, "the image runs")

	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "rescue", "rescue_password": "let me in"}`)
	c.within(4*time.Minute, "g", map[string]any{"provision_state": "rescue", "power_state": "power on"})
	person := c.seat("g")
	person.logsIn("let me in")
	person.sendsFalsely()
	require.NoError(t, person.socket.Close(websocket.StatusNormalClosure, ""))
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "unrescue"}`)
	c.until("g", map[string]any{"provision_state": "active", "power_state": "power on"})
	require.Eventually(t, func() bool { return greetings(console) == 2 }, time.Minute, 50*time.Millisecond, "the image runs again")
}

// seat is somebody at a guest's console.
type seat struct {
	caller
	ctx    context.Context
	socket *websocket.Conn
	said   string // what was not looked at yet
}

// seat takes a place at a guest's console, for two minutes.
func (c caller) seat(name string) *seat {
	c.Helper()
	c.do(202, "PUT", "nodes/"+name+"/states/console", `{"enabled": true}`)
	c.until(name, map[string]any{"console_enabled": true})
	ctx, cancel := context.WithTimeout(c.Context(), 2*time.Minute)
	c.Cleanup(cancel)
	return &seat{caller: c, ctx: ctx, socket: c.sit("")}
}

// answers types a line, and waits for what is to come after it.
func (s *seat) answers(line, after string) {
	s.Helper()
	require.NoError(s, s.socket.Write(s.ctx, websocket.MessageBinary, []byte(line+"\n")))
	for !strings.Contains(s.said, after) {
		_, more, err := s.socket.Read(s.ctx)
		require.NoError(s, err, "%q after %q: %q", after, line, s.said)
		s.said += string(more)
	}
	_, s.said, _ = strings.Cut(s.said, after)
}

// logsIn logs in on a rescued guest's console, and asks what there is: its own disk, which nothing has touched.
func (s *seat) logsIn(password string) {
	s.Helper()
	s.answers("rescue", "Password: ") // the prompt before was said to nobody
	s.answers("wrong", "Login incorrect\r\n\r\nrescue login: ")
	s.answers("rescue", "Password: ")
	s.answers(password, "# ")
	s.answers("echo $((6*7)) is the answer; dd if=/dev/vda bs=512 count=1 2>/dev/null | grep -c 'hello from the [i]mage'", "42 is the answer\r\n1")
}

// sendsFalsely has the guest ask for its neighbour under its own addresses, and under those of others, which get nowhere.
func (s *seat) sendsFalsely() {
	s.Helper()
	const net, mac = "ip route replace " + bootSubnet + " dev eth0 src ", "ip link set eth0 address "
	for _, row := range []struct{ what, how, comes string }{
		{"own", "true", "heard 42 own"},
		{"ip", "ip addr add 198.51.100.77/24 dev eth0; " + net + "198.51.100.77", "lost 42 ip"},
		{"own ip", net + onlyAddress, "heard 42 own ip"},
		{"mac", mac + "52:54:00:00:00:99; ip neigh flush dev eth0", "lost 42 mac"},
		{"own mac", mac + "52:54:00:00:00:61", "heard 42 own mac"},
	} {
		s.answers(row.how+"; ping -c 1 -W 3 198.51.100.1 >/dev/null && w=heard || w=lost; echo $w $((6*7)) "+row.what, row.comes+"\r\n")
	}
}

// ramdiskFolder builds the agent, and the ramdisk around it.
func ramdiskFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(t.TempDir(), "agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "../deploy-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	_, err = ramdisk.Build(t.Context(), ramdisk.Options{CacheDir: cacheFolder(t), OutDir: dir, AgentPath: program, Shell: "/bin/busybox", Set: ramdisk.SetVirtual, Kernel: ramdisk.KernelCloud})
	require.NoError(t, err)
	return dir
}
