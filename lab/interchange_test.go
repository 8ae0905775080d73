//go:build cgo && libvirt_dlopen

package lab_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/lab"
)

// TestInterchange logs in to a guest of a real libvirtd and leaves a marker file, takes it to a server of the rack with one
// command, leaves another there, and takes it back to a guest with one more: each time the same address, host name and files.
func TestInterchange(t *testing.T) {
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
	_, err := api.Resource("flavors").Create(t.Context(), map[string]any{
		"resource_class": "small", "resources": map[string]any{"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 2}, "arch": "x86_64", "boot_mode": "bios",
	})
	require.NoError(t, err)

	const mac = "52:54:01:00:00:03"
	guest := makeGuest(t, r, host, mac)
	b.do("node", "manage", guest, "--wait", "120")
	b.do("node", "provide", guest, "--wait", "300")
	b.deploy(r, guest, image.QCow2)
	address := ""
	said := logIn(t, r, func() (_ string, err error) { address, err = lab.Lease(t.Context(), api, mac); return address, err }, "echo here I was > marker; sync; hostname")
	require.Equal(t, hostName, strings.TrimSpace(said))
	goesOn := func(out, command string) (said string) {
		began := time.Now()
		said = logIn(t, r, func() (string, error) { return address, nil }, command)
		t.Logf("%s; %s: %s after that", out, strings.ReplaceAll(strings.TrimSpace(said), "\n", ", "), time.Since(began).Round(time.Second))
		return said
	}

	out := ingotCLI(t, r, "node", "to-metal", "--wait=15m", guest, "--to", "node-0")
	require.Contains(t, out, "from the guest's stop to the metal's start")
	said = goesOn(out, "hostname; cat marker; echo and here >> marker; sync; systemd-detect-virt")
	require.Equal(t, hostName+"\nhere I was\n", said[:len(hostName)+len("\nhere I was\n")])
	spec, err := r.Spec("node-0")
	require.NoError(t, err)
	now, err := lab.Lease(t.Context(), api, spec.MAC)
	require.NoError(t, err)
	require.Equal(t, address, now, "the address came along")

	out = ingotCLI(t, r, "node", "to-guest", "--wait=15m", "guest-0", "--host", "node-1", "--flavor", "small") // the name had gone to the metal
	require.Contains(t, out, "from the metal's stop to the guest's start")
	said = goesOn(out, "hostname; cat marker; systemd-detect-virt")
	require.Equal(t, []string{hostName, "here", "I", "was", "and", "here", "qemu"}, strings.Fields(said))
	back, err := api.Node(t.Context(), "guest-0")
	require.NoError(t, err)
	require.NotEqual(t, guest, back.UUID, "it is another guest")
	require.Equal(t, ingot.GuestDriver, back.Driver)
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
