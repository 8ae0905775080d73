package lab_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// deployment is one way for a server to come to its operating system.
type deployment struct {
	name    string
	spec    lab.NodeSpec
	format  string // qcow2 or raw
	driver  string
	generic bool // its hardware needs the kernel of real machines
}

// deployments are those that every run of the tests goes through; with INGOT_E2E=all, all.
func deployments() []deployment {
	bios, uefi := lab.NodeSpec{Firmware: ingot.ModeBIOS}, lab.NodeSpec{Firmware: ingot.ModeUEFI}
	list := []deployment{
		{name: "BIOS, qcow2", spec: bios, format: "qcow2", driver: "ipmi"},
		{name: "UEFI, raw", spec: uefi, format: "raw", driver: "ipmi"},
	}
	if os.Getenv("INGOT_E2E") != "all" {
		return list
	}
	old, new := bios, uefi
	old.NIC, old.Disk = lab.NICE1000e, lab.DiskAHCI
	new.NIC, new.Disk = lab.NICE1000e, lab.DiskNVMe
	return append(list,
		deployment{name: "BIOS, raw", spec: bios, format: "raw", driver: "ipmi"},
		deployment{name: "UEFI, qcow2, Redfish", spec: uefi, format: "qcow2", driver: "redfish"},
		deployment{name: "BIOS, e1000e, AHCI", spec: old, format: "qcow2", driver: "ipmi", generic: true},
		deployment{name: "UEFI, e1000e, NVMe", spec: new, format: "qcow2", driver: "ipmi", generic: true},
	)
}

// TestEndToEnd takes servers from the rack to their own disk with Debian's client of Ironic, and logs in.
func TestEndToEnd(t *testing.T) {
	needRack(t, "ssh", "baremetal", "mmdebstrap")
	for _, d := range deployments() {
		t.Run(d.name, func(t *testing.T) {
			image := labImage(t, d.generic)
			r := runs(t, &lab.Rack{
				Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{d.spec}, Accel: lab.ProbeKVM(),
				Ingot: &lab.Service{Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, d.generic), Images: []string{image.Dir}},
			})
			b := newBaremetal(t, r)
			enrol(t, b, r, d.driver)
			b.do("node", "inspect", "node-0", "--wait", "600")
			b.do("node", "provide", "node-0", "--wait", "600")
			requireInspected(t, b, d.spec)
			deploy(t, b, r, image.file(d.format))
			requireInstance(t, r)
			requireOneWrite(t, r)
			requireImageOnDisk(t, r, image.Raw)
		})
	}
}

// baremetal is Debian's command line client of Ironic, pointed at a rack's service.
type baremetal struct {
	t    *testing.T
	url  string
	home string // it remembers the versions of servers there
}

// newBaremetal waits for the service; when the test fails, it shows what is known of the node.
func newBaremetal(t *testing.T, r *lab.Rack) *baremetal {
	t.Helper()
	api := &client.Client{BaseURL: r.APIURL()}
	t.Cleanup(func() {
		if t.Failed() {
			r.Report(t.Context(), t.Output(), api, "node-0")
		}
	})
	require.Eventually(t, func() bool { return api.Ready(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
	return &baremetal{t: t, url: r.APIURL(), home: t.TempDir()}
}

// do runs a command that has to work, and gives what it prints.
func (b *baremetal) do(args ...string) []byte {
	b.t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(b.t.Context(), "baremetal", append([]string{"--os-auth-type", "none", "--os-endpoint", b.url}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+b.home, "PYTHONWARNINGS=ignore")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(b.t, err, "baremetal %s: %s", strings.Join(args, " "), said.String())
	b.t.Logf("%5.1f s  baremetal %s", time.Since(began).Seconds(), strings.Join(args[:min(3, len(args))], " "))
	return out
}

// node shows the node.
func (b *baremetal) node() map[string]any {
	b.t.Helper()
	var shown map[string]any
	require.NoError(b.t, json.Unmarshal(b.do("node", "show", "node-0", "-f", "json"), &shown))
	return shown
}

// enrol makes the node and its port, and has its BMC verified.
func enrol(t *testing.T, b *baremetal, r *lab.Rack, driver string) {
	t.Helper()
	spec, err := r.Spec("node-0")
	require.NoError(t, err)
	info, err := r.DriverInfo("node-0", driver)
	require.NoError(t, err)
	args := []string{"node", "create", "--name", "node-0", "--driver", driver, "-f", "json"}
	for key, value := range info {
		args = append(args, "--driver-info", key+"="+textOf(t, value))
	}
	var made map[string]any
	require.NoError(t, json.Unmarshal(b.do(args...), &made))
	b.do("port", "create", spec.MAC, "--node", made["uuid"].(string))
	b.do("node", "manage", "node-0", "--wait", "60")
}

// textOf is a value of driver_info as the client's command line takes it.
func textOf(t *testing.T, value any) string {
	t.Helper()
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// requireInspected looks at what inspection found out.
func requireInspected(t *testing.T, b *baremetal, spec lab.NodeSpec) {
	t.Helper()
	shown := b.node()
	require.Equal(t, "available", shown["provision_state"])
	found := shown["properties"].(map[string]any)
	require.Equal(t, "x86_64", found["cpu_arch"])
	require.Equal(t, "1", found["cpus"])
	require.Equal(t, "4", found["local_gb"], "5 GiB less one")
	require.Contains(t, found["capabilities"], "boot_mode:"+string(spec.Firmware))
}

// hostName is one that only a config drive can give.
const hostName = "out-of-the-rack"

// deploy puts an image on the node's disk, with a config drive, and waits until the node is active.
func deploy(t *testing.T, b *baremetal, r *lab.Rack, path string) {
	t.Helper()
	key, err := r.PublicKey()
	require.NoError(t, err)
	drive, err := json.Marshal(map[string]any{"meta_data": map[string]any{
		"uuid": "instance-of-" + r.Name, "hostname": hostName, "public_keys": map[string]string{"lab": strings.TrimSpace(key)},
	}})
	require.NoError(t, err)
	sum, err := lab.Checksum(path)
	require.NoError(t, err)
	b.do("node", "set", "node-0", "--instance-info", "image_source=file://"+path,
		"--instance-info", "image_os_hash_algo=sha512", "--instance-info", "image_os_hash_value="+sum)
	b.do("node", "deploy", "node-0", "--config-drive", string(drive), "--wait", "900")
	require.Equal(t, "active", b.node()["provision_state"])
}

// requireInstance logs in: the key and the host name came from the config drive, and the system from the disk.
func requireInstance(t *testing.T, r *lab.Rack) {
	t.Helper()
	var said string
	require.Eventually(t, func() bool {
		var err error
		said, err = r.Execute(t.Context(), "node-0", "hostname; findmnt -no FSTYPE /; uname -s")
		return err == nil
	}, 5*time.Minute, time.Second)
	require.Equal(t, []string{hostName, "ext4", "Linux"}, strings.Fields(said))
}

// imageWrites finds the agent's own words about what it was told to write.
var imageWrites = regexp.MustCompile(`msg="command started" command=standby\.prepare_image`)

// requireOneWrite reads the BMC's journal and what the agents said: three ramdisks and the disk were booted, and one
// agent was told once to write.
func requireOneWrite(t *testing.T, r *lab.Rack) {
	t.Helper()
	journal, err := r.Journal("node-0")
	require.NoError(t, err)
	var booted []string
	for _, e := range journal.Find(vbmc.ProtocolMachine, vbmc.VerbStart) {
		device, _, _ := strings.Cut(e.Argument, " ")
		booted = append(booted, device)
	}
	require.Equal(t, []string{"pxe", "pxe", "pxe", "disk"}, booted, "inspect, clean, deploy, and the instance")
	logs, err := r.SerialLogs("node-0")
	require.NoError(t, err)
	writes := 0
	for _, file := range logs {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		writes += len(imageWrites.FindAll(text, -1))
	}
	require.Equal(t, 1, writes)
}

// requireImageOnDisk compares what an instance does not change: the boot code, the loader's partitions. Between them
// lies the partition table, which the agent has fitted to the disk.
func requireImageOnDisk(t *testing.T, r *lab.Rack, raw string) {
	t.Helper()
	disk, err := r.Disk("node-0")
	require.NoError(t, err)
	for _, part := range []struct{ from, to int64 }{{0, 440}, {1 << 20, 18 << 20}} {
		require.Equal(t, readPart(t, raw, part.from, part.to), readPart(t, disk, part.from, part.to), "bytes from %d", part.from)
	}
}

// readPart gives a digest of a part of a file, so that a difference does not print megabytes.
func readPart(t *testing.T, name string, from, to int64) string {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, from, to-from))
	require.NoError(t, err)
	require.Len(t, data, int(to-from))
	require.NotEqual(t, make([]byte, len(data)), data, "an empty part shows nothing")
	return digest(data)
}
