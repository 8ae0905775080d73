//go:build cgo && libvirt_dlopen

package serve_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestGuest has a node made a compute host, and launches a guest there from an image: a real libvirtd, a real QEMU.
func TestGuest(t *testing.T) {
	d, data := libvirttest.Start(t), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "images"), 0o700))
	image := filepath.Join(data, "images", "hello.raw")
	require.NoError(t, os.WriteFile(image, libvirttest.Hello(), 0o600))
	cfg := devConfig(data)
	cfg.Drivers, cfg.GuestBMC.Listen = []string{"fake-hardware", "libvirt"}, "127.0.0.1"
	c := caller{t, runWith(t, cfg)}
	c.makeHost("h", d)

	c.do(409, "POST", "nodes", `{"name": "big", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "properties": {"cpus": 1, "memory_mb": 99999999, "local_gb": 1}}`)
	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "properties": {"cpus": 1, "memory_mb": 64, "local_gb": 1}}`)
	id := c.uuid("g")
	c.do(201, "POST", "ports", `{"node_uuid": "`+id+`", "address": "52:54:00:00:00:21"}`)
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "manage"}`)
	c.until("g", map[string]any{"provision_state": "manageable", "power_state": "power off", "boot_mode": "bios"})
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "provide"}`)
	c.until("g", map[string]any{"provision_state": "available"})

	sum := sha256.Sum256(libvirttest.Hello())
	c.do(200, "PATCH", "nodes/g", `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_checksum": "`+hex.EncodeToString(sum[:])+`"}}]`)
	c.do(400, "PUT", "nodes/g/states/provision", `{"target": "active", "configdrive": "http://x/y"}`)
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "active", "configdrive": {"meta_data": {"hostname": "g"}}}`)
	c.until("g", map[string]any{"provision_state": "active", "power_state": "power on"})
	console := filepath.Join(d.Dir, "pool", id+".console.log")
	require.Eventually(t, func() bool { return greetings(console) == 1 }, 30*time.Second, 50*time.Millisecond, "the image runs")
	require.FileExists(t, filepath.Join(d.Dir, "pool", id+".config.iso"))

	figures := get(t, c.app, "/metrics")
	require.Regexp(t, `ingot_guest_cpu_seconds_total\{node="`+id+`"\} (0\.\d*[1-9]|[1-9])`, figures)
	require.Contains(t, figures, `ingot_guest_memory_bytes{node="`+id+`"} 6.7108864e+07`)
	require.Regexp(t, `ingot_guest_disk_read_bytes_total\{node="`+id+`"\} [1-9]`, figures)
	require.Contains(t, figures, `ingot_guest_network_received_bytes_total{node="`+id+`"}`)

	for _, target := range []string{"power off", "power on"} {
		c.do(202, "PUT", "nodes/g/states/power", `{"target": "`+target+`"}`)
		c.until("g", map[string]any{"power_state": target, "target_power_state": nil})
	}
	require.Eventually(t, func() bool { return greetings(console) == 2 }, 30*time.Second, 50*time.Millisecond, "it ran again")
	c.hostsThatDoNotAnswer()
	c.drivesByIPMI("g")
	require.Eventually(t, func() bool { return greetings(console) == 3 }, 30*time.Second, 50*time.Millisecond, "and again")
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "rebuild"}`)
	c.until("g", map[string]any{"provision_state": "active", "power_state": "power on"})
	require.Eventually(t, func() bool { return greetings(console) == 4 }, 30*time.Second, 50*time.Millisecond, "from a new disk")

	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "deleted"}`)
	c.until("g", map[string]any{"provision_state": "available", "power_state": "power off"})
	require.NoFileExists(t, filepath.Join(d.Dir, "pool", id+".config.iso"))
	require.FileExists(t, filepath.Join(d.Dir, "pool", id+".qcow2"))
	c.do(204, "DELETE", "nodes/g", "")
	left, err := filepath.Glob(filepath.Join(d.Dir, "pool", id+".*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// drivesByIPMI gives a guest a virtual BMC, and has ipmitool switch it.
func (c caller) drivesByIPMI(name string) {
	c.Helper()
	if _, err := exec.LookPath("ipmitool"); err != nil {
		c.Skip("needs ipmitool (.ci/prerequisites)")
	}
	c.do(400, "PUT", "nodes/h/bmc", `{}`)
	c.do(400, "PUT", "nodes/"+name+"/bmc", `{"password": "short"}`)
	c.do(404, "GET", "nodes/"+name+"/bmc", "")
	var bmc struct{ Port int }
	require.NoError(c, json.Unmarshal([]byte(c.do(200, "PUT", "nodes/"+name+"/bmc", `{"username": "operator", "password": "let-me-in"}`)), &bmc))
	ipmitool := func(args ...string) (string, error) {
		line := append([]string{"-I", "lanplus", "-C", "17", "-H", "127.0.0.1", "-p", strconv.Itoa(bmc.Port), "-U", "operator", "-P", "let-me-in"}, args...)
		out, err := exec.Command("ipmitool", line...).CombinedOutput()
		return string(out), err
	}
	require.Eventually(c, func() bool {
		said, err := ipmitool("power", "status")
		return err == nil && strings.Contains(said, "is on")
	}, 20*time.Second, 100*time.Millisecond)
	for _, step := range [][]string{{"power", "off"}, {"chassis", "bootdev", "disk", "options=persistent"}, {"power", "on"}} {
		said, err := ipmitool(step...)
		require.NoError(c, err, said)
	}
	c.until(name, map[string]any{"power_state": "power on", "target_power_state": nil})
	require.Contains(c, c.do(200, "GET", "nodes/"+name+"/management/boot_device", ""), `"disk"`)
	require.NotContains(c, c.do(200, "GET", "nodes/"+name+"/bmc", ""), "let-me-in")
	c.do(204, "DELETE", "nodes/"+name+"/bmc", "")
}

// hostsThatDoNotAnswer: a wrong address is no error of the request. The row is kept, down, and says why.
func (c caller) hostsThatDoNotAnswer() {
	c.Helper()
	c.do(201, "POST", "nodes", `{"driver": "fake-hardware", "name": "wrong"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}} {
		c.do(202, "PUT", "nodes/wrong/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("wrong", map[string]any{"provision_state": verb[1]})
	}
	c.do(400, "PUT", "nodes/wrong/hypervisor", `{"type": "libvirt", "uri": "qemu+tcp://10.0.0.1/system"}`)
	for uri, why := range map[string]string{
		"qemu+unix:///system?socket=/nowhere/sock":                               "/nowhere/sock",
		"qemu+ssh://root@127.0.0.1:1/system?keyfile=/nowhere/key":                "/nowhere/key",
		"qemu+tls://127.0.0.1:1/system?pkipath=" + c.TempDir() + "/certificates": "certificates",
	} {
		c.do(202, "PUT", "nodes/wrong/hypervisor", `{"type": "libvirt", "uri": "`+uri+`", "pools": [{"name": "default"}]}`)
		state := ""
		require.Eventually(c, func() bool {
			state = c.do(200, "GET", "nodes/wrong/hypervisor", "")
			return strings.Contains(state, `"down"`) && strings.Contains(state, why)
		}, 30*time.Second, 50*time.Millisecond, "%s: %s", uri, lazy{&state})
	}
	c.do(204, "DELETE", "nodes/wrong/hypervisor", "")
}

// makeHost has a node become a compute host, and waits until it is up.
func (c caller) makeHost(name string, d *libvirttest.Daemon) {
	c.Helper()
	c.do(201, "POST", "nodes", `{"driver": "fake-hardware", "name": "`+name+`"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}} {
		c.do(202, "PUT", "nodes/"+name+"/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until(name, map[string]any{"provision_state": verb[1]})
	}
	c.do(202, "PUT", "nodes/"+name+"/hypervisor", `{"type": "libvirt", "uri": "`+d.URI()+`", "pools": [{"name": "default", "resource": "DISK_GB", "formats": ["qcow2"]}],
		"networks": [{"physical_network": "lab", "bridge": "br0"}]}`)
	state := ""
	require.Eventually(c, func() bool {
		state = c.do(200, "GET", "nodes/"+name+"/hypervisor", "")
		return strings.Contains(state, `"up"`)
	}, time.Minute, 50*time.Millisecond, "the host is up: %s", lazy{&state})
}

func (c caller) uuid(name string) string {
	c.Helper()
	var shown struct{ UUID string }
	require.NoError(c, json.Unmarshal([]byte(c.do(200, "GET", "nodes/"+name, "")), &shown))
	return shown.UUID
}

// greetings counts what the image said.
func greetings(console string) int {
	said, err := os.ReadFile(console)
	if err != nil {
		return 0
	}
	return strings.Count(string(said), "hello from the image")
}

// lazy is a text as it is when it is printed.
type lazy struct{ text *string }

func (l lazy) String() string { return *l.text }
