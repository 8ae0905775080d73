//go:build cgo && libvirt_dlopen

package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/lab/sim"
	"github.com/ingot-metal/ingot/lab/vbmc"
	"github.com/ingot-metal/ingot/serve"
)

// TestGuestToMetal: the metal is taken, so an allocation gets a guest and is told why; when the metal is free again the
// guest's instance goes there, with what it wrote to its disk. libvirtd, QEMU, the BMC's protocol and the agent are real;
// the metal's disk is a file.
func TestGuestToMetal(t *testing.T) {
	c := newCrossing(t, "127.78.0.1:6180")

	first := c.allocated("first", `{"name": "first", "resource_class": "small"}`)
	require.Equal(t, c.uuid("m"), first.Node)
	second := c.allocated("second", `{"name": "second", "resource_class": "small", "extra": {"placement": {"fallback": "virtual"}}}`)
	require.Equal(t, "virtual", second.Extra.Placement.Result.Kind)
	require.Contains(t, second.Extra.Placement.Result.Reason, "no available nodes match the resource class small")
	guest := second.Node

	c.do(200, "PATCH", "nodes/"+guest, c.info)
	c.do(202, "PUT", "nodes/"+guest+"/states/provision", `{"target": "active"}`)
	c.until(guest, map[string]any{"provision_state": "active", "power_state": "power on"})
	c.mark(guest, filepath.Join(c.d.Dir, "pool", guest+".qcow2"))
	want := filepath.Join(t.TempDir(), "guest.raw")
	c.do(409, "PUT", "nodes/"+guest+"/states/provision", toMetal)
	c.do(204, "DELETE", "allocations/first", "")
	tool(t, "qemu-img", "convert", "-U", "-O", "raw", filepath.Join(c.d.Dir, "pool", guest+".qcow2"), want)
	c.do(202, "PUT", "nodes/"+guest+"/states/provision", toMetal)
	c.runs("m", guest)
	c.until("m", map[string]any{"provision_state": "active", "power_state": "power on", "instance_uuid": second.UUID, "allocation_uuid": second.UUID})
	require.Equal(t, c.uuid("m"), c.allocated("second", "").Node)
	require.Eventually(t, func() bool {
		_, err := c.app.Store.Node(t.Context(), guest)
		return ingot.CodeOf(err) == ingot.NotFound
	}, time.Minute, 50*time.Millisecond, "the guest goes away")
	require.Equal(t, "disk", c.machine.Boots()[len(c.machine.Boots())-1].What)
	requireDisk(t, want, c.machine.Disk())
	left, err := filepath.Glob(filepath.Join(c.data, "copies", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	said := c.do(200, "GET", "nodes/m/history?detail=true", "")
	require.Contains(t, said, "from the guest's stop to the metal's start")
	t.Log(said)
}

// crossing is a host, a server, and an image for either; see newCrossing.
type crossing struct {
	caller
	d          *libvirttest.Daemon
	data, info string // the service's folder; the instance_info of the image, as a patch
	machine    *sim.Machine
}

// newCrossing starts a service with the compute host h, the server m of class small, and a flavor that does for that class.
func newCrossing(t *testing.T, listen string) crossing {
	t.Helper()
	x := crossing{d: libvirttest.Start(t), data: t.TempDir()}
	require.NoError(t, os.MkdirAll(filepath.Join(x.data, "images"), 0o700))
	image, hello := filepath.Join(x.data, "images", "hello.raw"), partitioned(libvirttest.Hello())
	require.NoError(t, os.WriteFile(image, hello, 0o600))
	sum := sha256.Sum256(hello)
	x.info = `[{"op": "add", "path": "/instance_info/image_source", "value": "file://` + image + `"}, {"op": "add", "path": "/instance_info/image_checksum", "value": "` + hex.EncodeToString(sum[:]) + `"}]`
	cfg := devConfig(x.data)
	cfg.Drivers, cfg.Boot.Listen = []string{"fake-hardware", "ipmi", "libvirt"}, listen
	cfg.Conduct.PowerTimeout = 3 * time.Second // the guest knows no ACPI, and is stopped then
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	app.Conductor.Ramdisk = map[string]string{"vmlinuz": "/dev/null", "initramfs": "/dev/null"}
	t.Cleanup(running(t, app))
	x.caller = caller{t, app}
	x.makeHost("h", x.d)
	x.machine = x.metal("m", "http://"+listen)
	x.do(201, "POST", "flavors", `{"resource_class": "virtual", "resources": {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}, "fallback_for": ["small"]}`)
	return x
}

// partitioned is an image with one partition in its table: agents write no disk without.
func partitioned(image []byte) []byte {
	image = bytes.Clone(image)
	copy(image[446:], []byte{0x80, 0, 0, 0, 0x83, 0, 0, 0, 64, 0, 0, 0, 0, 16, 0, 0}) // MBR: Linux, 2 MiB from sector 64
	return image
}

const toMetal = `{"target": "service", "service_steps": [{"interface": "management", "step": "to_metal", "args": {"resource_class": "small"}}]}`

// allocation is what the API shows of one.
type allocation struct {
	UUID, State string
	Node        string `json:"node_uuid"`
	Error       string `json:"last_error"`
	Extra       struct {
		Placement struct{ Result struct{ Kind, Reason string } }
	}
}

// allocated asks for an allocation, if body is not "", and gives it when it has a node.
func (c caller) allocated(name, body string) (a allocation) {
	c.Helper()
	if body != "" {
		c.do(201, "POST", "allocations", body)
	}
	require.Eventually(c, func() bool {
		require.NoError(c, json.Unmarshal([]byte(c.do(200, "GET", "allocations/"+name, "")), &a))
		require.NotEqual(c, "error", a.State, a.Error)
		return a.State == "active"
	}, time.Minute, 20*time.Millisecond)
	return a
}

// metal enrols a server with a file for a disk, whose ramdisk runs the real agent.
func (c caller) metal(name, boot string) *sim.Machine {
	c.Helper()
	agent := filepath.Join(c.TempDir(), "deploy-agent")
	build := exec.Command("go", "build", "-o", agent, "../deploy-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(c, err, "%s", out)
	m := &sim.Machine{Dir: c.TempDir(), MAC: "52:54:00:00:00:41", BootURL: boot, Agent: agent}
	require.NoError(c, m.Prepare(2<<30))
	bmc := &vbmc.Server{Machine: m, IPMIListen: "127.0.0.1:0", Username: "admin", Password: "secret", Journal: &vbmc.Log{}}
	require.NoError(c, bmc.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bmc.Run(ctx) }()
	c.Cleanup(func() { m.Cut(); cancel(); <-ended })
	host, port, err := net.SplitHostPort(bmc.IPMIAddr())
	require.NoError(c, err)
	n := ingot.Node{
		Name: name, Driver: "ipmi", ResourceClass: "small", ProvisionState: ingot.Available, PowerState: ingot.PowerOff,
		DriverInfo: map[string]any{"ipmi_address": host, "ipmi_port": port, "ipmi_username": "admin", "ipmi_password": ingot.Secret("secret")},
		Properties: map[string]any{"capabilities": "boot_mode:bios", "root_device": map[string]any{"size": "> 0"}},
		Interfaces: ingot.Interfaces{Boot: "ipxe", Deploy: "direct", Inspect: "agent", Power: "ipmitool", Management: "ipmitool"},
	}
	require.NoError(c, c.app.Store.CreateNode(c.Context(), &n, []ingot.Port{{Address: m.MAC, PXEEnabled: true}}))
	return m
}

// runs waits until a node runs what a guest ran: the agent goes over the whole disk twice.
func (c caller) runs(node, guest string) {
	c.Helper()
	said := ""
	require.Eventually(c, func() bool {
		if op, err := c.app.Store.LiveOperation(c.Context(), guest, ingot.LaneProvision); err == nil {
			if now := op.Position + ": " + op.Note; now != said {
				said = now
				c.Log(time.Now().Format("05.0"), now)
			}
		}
		if left, err := c.app.Store.Node(c.Context(), guest); err == nil && left.LastError != "" {
			said = left.LastError
			return true
		}
		n, err := c.app.Store.Node(c.Context(), node)
		return err == nil && n.ProvisionState == ingot.Active && n.PowerState == ingot.PowerOn
	}, 3*time.Minute, 50*time.Millisecond)
	n, err := c.app.Store.Node(c.Context(), node)
	require.NoError(c, err)
	require.Equal(c, ingot.Active, n.ProvisionState, said)
}

// mark writes a marker to the disk of a guest, which runs before and afterwards.
func (c caller) mark(guest, disk string) {
	c.Helper()
	power := func(target string) {
		c.do(202, "PUT", "nodes/"+guest+"/states/power", `{"target": "`+target+`"}`)
		c.until(guest, map[string]any{"power_state": target, "target_power_state": nil})
	}
	power("power off")
	tool(c.T, "qemu-io", "-c", "write -P 0x5a 100M 64k", "-c", "write -P 0xa5 1023M 4k", disk)
	power("power on")
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s (.ci/prerequisites)", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(args, " "), out)
}

// requireDisk compares every byte of the guest's disk with what is on the metal's.
func requireDisk(t *testing.T, guest, metal string) {
	t.Helper()
	a, err := os.Open(guest)
	require.NoError(t, err)
	defer a.Close() //nolint:errcheck // only read
	b, err := os.Open(metal)
	require.NoError(t, err)
	defer b.Close() //nolint:errcheck // only read
	one, other := make([]byte, 1<<20), make([]byte, 1<<20)
	marked := false
	for at := int64(0); ; at += int64(len(one)) {
		n, err := io.ReadFull(a, one)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		_, err = io.ReadFull(b, other[:n])
		require.NoError(t, err)
		require.True(t, bytes.Equal(one[:n], other[:n]), "the disks differ within the MiB at %d", at)
		marked = marked || bytes.Contains(other[:n], bytes.Repeat([]byte{0x5a}, 64<<10))
	}
	require.True(t, marked, "the marker is there")
}
