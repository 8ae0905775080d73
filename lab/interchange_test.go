//go:build cgo && libvirt_dlopen

package lab_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/lab"
)

// TestGuestToMetal logs in to a guest of a real libvirtd and leaves a marker file, takes it to a server of the rack with one
// command, and logs in there: the same address, the same host name, the same file.
func TestGuestToMetal(t *testing.T) {
	if os.Getenv("INGOT_E2E") == "" {
		t.Skip("takes minutes: make e2e")
	}
	needRack(t, "ssh", "baremetal", "mmdebstrap", "libvirtd", cli)
	image, d := labImage(t, false), libvirttest.Start(t)
	bios := lab.NodeSpec{Firmware: ingot.ModeBIOS}
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Accel: lab.ProbeKVM(), Nodes: []lab.NodeSpec{bios, bios},
		Ingot: &lab.Service{Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, false), Images: []string{image.Dir}, Guests: true},
	})
	d.Join(t, "ingot-"+r.Name, "br0")
	b, api := newBaremetal(t, r), &client.Client{BaseURL: r.APIURL()}
	enrol(t, b, r, "ipmi")
	b.do("node", "set", "node-0", "--no-automated-clean", "--resource-class", "metal", "--property", "capabilities=boot_mode:bios")
	b.do("node", "provide", "node-0", "--wait", "60")
	host := computeHostAt(t, b, r, api, d)

	const mac = "52:54:01:00:00:03"
	guest := makeGuest(t, r, host, mac)
	b.do("node", "manage", guest, "--wait", "120")
	b.do("node", "provide", guest, "--wait", "300")
	b.deploy(r, guest, image.QCow2)
	address := ""
	said := logIn(t, r, func() (err error) { address, err = lab.Lease(t.Context(), api, mac); return err }, &address, "echo here I was > marker; sync; hostname")
	require.Equal(t, hostName, strings.TrimSpace(said))

	cmd := exec.CommandContext(t.Context(), cli, "node", "to-metal", guest, "--to", "node-0", "--wait=15m")
	cmd.Env, cmd.Stderr = append(os.Environ(), "INGOT_API="+r.APIURL()), t.Output()
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "from the guest's stop to the metal's start")
	began := time.Now()
	said = logIn(t, r, func() error { return nil }, &address, "hostname; cat marker; systemd-detect-virt")
	t.Logf("%s%s: %s after that", out, strings.ReplaceAll(strings.TrimSpace(said), "\n", ", "), time.Since(began).Round(time.Second))
	require.Equal(t, hostName+"\nhere I was\n", said[:len(hostName)+len("\nhere I was\n")])
	spec, err := r.Spec("node-0")
	require.NoError(t, err)
	now, err := lab.Lease(t.Context(), api, spec.MAC)
	require.NoError(t, err)
	require.Equal(t, address, now, "the address came along")
}

// computeHostAt has the rack's second node stand for a compute host, at whose address the libvirtd is; it gives its UUID.
func computeHostAt(t *testing.T, b *baremetal, r *lab.Rack, api *client.Client, d *libvirttest.Daemon) string {
	t.Helper()
	info, err := r.DriverInfo("node-1", "ipmi")
	require.NoError(t, err)
	n, err := api.CreateNode(t.Context(), map[string]any{"name": "node-1", "driver": "ipmi", "driver_info": info})
	require.NoError(t, err)
	b.do("node", "manage", "node-1", "--wait", "60")
	b.do("node", "power", "on", "node-1", "--power-timeout", "60")
	b.do("node", "adopt", "node-1", "--wait", "60")
	at := api.Resource("nodes", "node-1", "hypervisor")
	require.NoError(t, at.Put(t.Context(), map[string]any{
		"type": "libvirt", "uri": d.URI(), "pools": []any{map[string]any{"name": "default"}}, "networks": []any{map[string]any{"physical_network": "rack", "bridge": "br0"}},
	}))
	require.Eventually(t, func() bool {
		h, err := at.Document(t.Context(), nil)
		return err == nil && h["state"] == "up"
	}, time.Minute, time.Second)
	return n.UUID
}

// logIn runs a command at an address as soon as it can.
func logIn(t *testing.T, r *lab.Rack, find func() error, address *string, command string) (said string) {
	t.Helper()
	require.Eventually(t, func() bool {
		err := find()
		if err == nil {
			said, err = r.ExecuteAt(t.Context(), *address, command)
		}
		return err == nil
	}, 8*time.Minute, time.Second)
	return said
}
