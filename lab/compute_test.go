//go:build cgo && libvirt_dlopen

package lab_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// cli is Ingot's own command line, as make builds it.
const cli = "../bin/ingot"

// TestComputeHost has a server of the rack imaged, enrolled as a compute host where a canary has shown that KVM works, and a
// KVM guest made there with ingot, deployed and driven with baremetal like any node, and logged in to.
func TestComputeHost(t *testing.T) {
	if os.Getenv("INGOT_E2E") == "" {
		t.Skip("takes a quarter of an hour: make e2e")
	}
	needRack(t, "ssh", "baremetal", "mmdebstrap", cli)
	image := labImage(t, false)
	compute := osimage.Options{CacheDir: cacheDir(t), Compute: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	require.NoError(t, osimage.Build(t.Context(), compute))
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Accel: lab.ProbeKVM(),
		Nodes: []lab.NodeSpec{{Firmware: ingot.ModeUEFI, DiskMiB: 6144, MemoryMiB: 3072, Nested: true}},
		Ingot: &lab.Service{
			Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, false), Images: []string{image.Dir, compute.Image().Dir}, Guests: true,
		},
	})
	b := newBaremetal(t, r)
	api := &client.Client{BaseURL: r.APIURL()}
	tour := &lab.Tour{
		Rack: r, API: api, Node: "node-0", Image: compute.Image().QCow2, View: &live.View{Out: t.Output()}, Patience: 20 * time.Minute, Compute: &lab.Compute{},
	}
	require.NoError(t, tour.Run(t.Context()))
	host, err := api.Node(t.Context(), "node-0")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		log, err := os.ReadFile(filepath.Join(r.Dir, "service.log"))
		require.NoError(t, err)
		return strings.Contains(string(log), "a compute host has phoned home")
	}, 2*time.Minute, time.Second)

	const mac = "52:54:01:00:00:02"
	guest := makeGuest(t, r, host.UUID, mac)
	b.do("node", "manage", guest, "--wait", "120")
	b.do("node", "provide", guest, "--wait", "300")
	b.deploy(r, guest, image.QCow2)
	requireGuest(t, r, api, mac)
	b.do("node", "power", "off", guest, "--power-timeout", "300")
	b.do("node", "power", "on", guest, "--power-timeout", "300")
	requireGuest(t, r, api, mac)
	b.do("node", "undeploy", guest, "--wait", "300")
	b.do("node", "delete", guest)
}

// makeGuest makes a guest's node and port with ingot, and gives the node's UUID.
func makeGuest(t *testing.T, r *lab.Rack, host, mac string) string {
	t.Helper()
	guest := ingotCLI(t, r, "node", "create", "name=guest-0", "driver=libvirt", "parent_node="+host, "properties/cpus=1", "properties/memory_mb=512", "properties/local_gb=1")
	ingotCLI(t, r, "port", "create", "node_uuid="+guest, "address="+mac)
	return guest
}

// ingotCLI runs a command of ingot, and gives what it prints.
func ingotCLI(t *testing.T, r *lab.Rack, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), cli, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "INGOT_API="+r.APIURL()), t.Output()
	out, err := cmd.Output()
	require.NoError(t, err, "ingot %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

// requireGuest logs in to the guest: its host name came from the config drive, and KVM runs it. Its files are written out,
// for its power is cut after that.
func requireGuest(t *testing.T, r *lab.Rack, api *client.Client, mac string) {
	t.Helper()
	said := logIn(t, r, func() (string, error) { return lab.Lease(t.Context(), api, mac) }, "hostname; systemd-detect-virt; sync")
	require.Equal(t, []string{hostName, "kvm"}, strings.Fields(said))
}

// logIn runs a command at an address as soon as it can.
func logIn(t *testing.T, r *lab.Rack, find func() (address string, err error), command string) (said string) {
	t.Helper()
	var err error
	if !assert.Eventually(t, func() bool {
		var address string
		if address, err = find(); err == nil {
			said, err = r.ExecuteAt(t.Context(), address, command)
		}
		return err == nil
	}, 10*time.Minute, time.Second) {
		t.Log("nobody logs in: ", err)
		require.FailNow(t, "the guest said", ingotCLI(t, r, "node", "console", "log", "guest-0"))
	}
	return said
}

// deploy puts an image and a config drive into a guest and waits until it is active.
func (b *baremetal) deploy(r *lab.Rack, node, path string) {
	b.t.Helper()
	key, err := r.PublicKey()
	require.NoError(b.t, err)
	drive, err := json.Marshal(map[string]any{"meta_data": map[string]any{
		"uuid": "guest-of-" + r.Name, "hostname": hostName, "public_keys": map[string]string{"lab": strings.TrimSpace(key)},
	}})
	require.NoError(b.t, err)
	sum, err := lab.Checksum(path)
	require.NoError(b.t, err)
	b.do("node", "set", node, "--instance-info", "image_source=file://"+path, "--instance-info", "image_os_hash_algo=sha512", "--instance-info", "image_os_hash_value="+sum)
	b.do("node", "deploy", node, "--config-drive", string(drive), "--wait", "900")
}
