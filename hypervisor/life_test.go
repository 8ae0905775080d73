//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// eventually asks until the work that goes on behind is done.
func eventually(t *testing.T, what string, do func(context.Context) error) {
	t.Helper()
	var err error
	soon(t, what, func() bool {
		err = do(t.Context())
		return ingot.CodeOf(err) != ingot.Unavailable
	})
	require.NoError(t, err, what)
}

// A guest that runs is kept with its memory and comes back; while it has snapshots its shape stays; what was done under a
// key is found under it.
func TestSnapshotsOfAGuest(t *testing.T) {
	_, _, n, m := booted(t)
	ctx := t.Context()
	snaps, ok := ingot.As[ingot.Snapshots](m)
	require.True(t, ok)
	resizer, ok := ingot.As[ingot.GuestResizer](m)
	require.True(t, ok)
	for range 2 {
		eventually(t, "it is kept", func(ctx context.Context) error { return snaps.CreateSnapshot(ctx, "before", "op/1") })
	}
	err := snaps.CreateSnapshot(ctx, "before", "op/2")
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "has a snapshot named before already")
	all, err := snaps.Snapshots(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, ingot.PowerOn, all[0].Power)
	require.True(t, all[0].Current)
	require.False(t, all[0].CreatedAt.IsZero())

	err = resizer.GrowDisk(ctx, 2)
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "delete them first")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	for range 2 {
		eventually(t, "it is back", func(ctx context.Context) error { return snaps.RevertSnapshot(ctx, "before", "op/3") })
	}
	power, err := m.PowerState(ctx)
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOn, power, "it goes on where it was")
	serial, _ := ingot.As[ingot.SerialConsole](m)
	console, err := serial.OpenConsole(ctx, false)
	require.NoError(t, err)
	_, err = console.Write([]byte("alive"))
	require.NoError(t, err)
	hears(t, console, "alive")
	require.NoError(t, console.Close())
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	eventually(t, "it is done already", func(ctx context.Context) error { return snaps.RevertSnapshot(ctx, "before", "op/3") })
	power, err = m.PowerState(ctx)
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOff, power, "a repeat does nothing")

	err = snaps.RevertSnapshot(ctx, "never", "op/4")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "it has: before")
	eventually(t, "it is gone", func(ctx context.Context) error { return snaps.DeleteSnapshot(ctx, "before") })
	require.Equal(t, ingot.NotFound, ingot.CodeOf(snaps.DeleteSnapshot(ctx, "before")))

	require.NoError(t, resizer.GrowDisk(ctx, 2), "off")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.NoError(t, resizer.GrowDisk(ctx, 3), "on")
	require.ErrorContains(t, resizer.GrowDisk(ctx, 2), "do not shrink")
	n.Properties["local_gb"], n.Properties["memory_mb"] = 3.0, 96.0
	restart, err := resizer.ReshapeGuest(ctx, nil)
	require.NoError(t, err)
	require.True(t, restart, "the machine that runs has 64 MiB")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	restart, err = resizer.ReshapeGuest(ctx, nil)
	require.NoError(t, err)
	require.False(t, restart)

	eventually(t, "kept again", func(ctx context.Context) error { return snaps.CreateSnapshot(ctx, "again", "op/5") })
	maker, _ := ingot.As[ingot.GuestMaker](m)
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	require.NoError(t, maker.BlankDisk(ctx))
	all, err = snaps.Snapshots(ctx)
	require.NoError(t, err)
	require.Empty(t, all, "they were in the disk that is gone")
}

// Disks come and go; one that the guest does not let go of is not said to be gone.
func TestVendorMethods(t *testing.T) {
	_, host, n, m := booted(t)
	ctx := t.Context()
	vendor, ok := ingot.As[ingot.Vendor](m)
	require.True(t, ok)
	makeVolume(t, host.URI, "data")
	call := func(method string, args map[string]any) (any, error) {
		require.NoError(t, vendor.CheckVendor(method, args))
		return vendor.CallVendor(ctx, method, args)
	}
	for range 2 {
		answer, err := call("attach_disk", map[string]any{"volume": "data"})
		require.NoError(t, err)
		require.Equal(t, map[string]any{"target": "vdb"}, answer)
	}
	_, err := call("attach_disk", map[string]any{"volume": "nothing"})
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	_, err = call("attach_disk", map[string]any{"volume": "data", "pool": "nowhere"})
	require.ErrorContains(t, err, `no pool "nowhere"`)

	_, err = call("detach_disk", map[string]any{"volume": "data"}) // a boot sector lets go of nothing
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "still plugged in")
	require.Contains(t, domainText(t, host.URI, n.UUID), "volume='data'")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	for range 2 {
		_, err = call("detach_disk", map[string]any{"volume": "data"})
		require.NoError(t, err, "a guest that is off has no say")
	}
	require.NotContains(t, domainText(t, host.URI, n.UUID), "volume='data'")

	_, err = call("pause", nil)
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	for _, method := range []string{"pause", "pause", "resume", "resume"} {
		_, err = call(method, nil)
		require.NoError(t, err)
		require.Equal(t, method == "pause", paused(t, host.URI, n.UUID))
	}
	_, err = call("guest_agent", map[string]any{"command": "guest-ping"})
	require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "no QEMU guest agent answers")
}

// A disk that was plugged in stays through every definition of the guest, beside its config drive, until it is let go of; what
// is on it stays in any case.
func TestPluggedDisksStay(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	resizer, _ := ingot.As[ingot.GuestResizer](m)
	releaser, ok := ingot.As[ingot.DiskReleaser](m)
	require.True(t, ok)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	data := filepath.Join(d.Dir, "pool", "data")
	for _, name := range []string{"data", "logs"} {
		makeVolume(t, host.URI, name)
		_, err := m.(ingot.Vendor).CallVendor(ctx, "attach_disk", map[string]any{"volume": name})
		require.NoError(t, err)
	}
	written := append([]byte("an instance's"), make([]byte, 1<<20)...)
	require.NoError(t, os.WriteFile(data, written, 0o600))
	has := func() {
		t.Helper()
		text := domainText(t, host.URI, n.UUID)
		for name, target := range map[string]string{"data": "vdb", "logs": "vdc", n.UUID + ".config.iso": "vdz"} {
			require.Regexp(t, "volume='"+name+"'/>\\s*<target dev='"+target+"' bus='virtio'/>", text)
		}
	}
	require.NoError(t, maker.ConfigDrive(ctx, make([]byte, 4096)))
	has()
	n.Properties["memory_mb"] = 96.0
	_, err := resizer.ReshapeGuest(ctx, []ingot.Port{{Address: "52:54:00:00:00:19"}})
	require.NoError(t, err)
	has()
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	n.Properties["memory_mb"] = 128.0
	restart, err := resizer.ReshapeGuest(ctx, nil)
	require.NoError(t, err)
	require.True(t, restart)
	has()
	require.NoError(t, maker.DefineGuest(ctx, nil), "as a rebuild does")
	has()
	_, err = releaser.ReleaseDisks(ctx)
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(err), "it is on: %v", err)
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn), "it starts with all of them")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	require.NoError(t, maker.BlankDisk(ctx))
	has()
	for _, names := range [][]string{{"data", "logs"}, nil} {
		released, err := releaser.ReleaseDisks(ctx)
		require.NoError(t, err)
		require.Equal(t, names, released)
	}
	require.NotRegexp(t, "volume='(data|logs)'", domainText(t, host.URI, n.UUID))
	require.Contains(t, domainText(t, host.URI, n.UUID), n.UUID+".config.iso")
	require.NoError(t, maker.RemoveGuest(ctx))
	left, err := os.ReadFile(data)
	require.NoError(t, err)
	require.Equal(t, written, left)
}

// withDomain asks libvirt itself.
func withDomain(t *testing.T, uri, id string, ask func(*libvirt.Connect, *libvirt.Domain)) {
	t.Helper()
	conn, err := libvirt.NewConnect(uri)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // a test's
	d, err := conn.LookupDomainByUUIDString(id)
	require.NoError(t, err)
	defer d.Free() //nolint:errcheck // a test's
	ask(conn, d)
}

func domainText(t *testing.T, uri, id string) (text string) {
	t.Helper()
	withDomain(t, uri, id, func(_ *libvirt.Connect, d *libvirt.Domain) {
		var err error
		text, err = d.GetXMLDesc(libvirt.DOMAIN_XML_INACTIVE)
		require.NoError(t, err)
	})
	return text
}

func paused(t *testing.T, uri, id string) (is bool) {
	t.Helper()
	withDomain(t, uri, id, func(_ *libvirt.Connect, d *libvirt.Domain) {
		state, _, err := d.GetState()
		require.NoError(t, err)
		is = state == libvirt.DOMAIN_PAUSED
	})
	return is
}

func makeVolume(t *testing.T, uri, name string) {
	t.Helper()
	conn, err := libvirt.NewConnect(uri)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // a test's
	pool, err := conn.LookupStoragePoolByName("default")
	require.NoError(t, err)
	defer pool.Free() //nolint:errcheck // a test's
	vol, err := pool.StorageVolCreateXML("<volume><name>"+name+"</name><capacity unit='MiB'>4</capacity><target><format type='raw'/></target></volume>", 0)
	require.NoError(t, err)
	require.NoError(t, vol.Free())
}

// A domain that was there before its node is switched and let go of, and nothing else.
func TestAdoptedDomain(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	d.Write(t, "pool/foreign.raw", string(libvirttest.Hello()))
	n, m, maker := machineOn(t, hosts, host)
	conn, err := libvirt.NewConnect(d.URI())
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // a test's
	text := `<domain type='qemu'><name>theirs</name><uuid>` + n.UUID + `</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>
		<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='` + filepath.Join(d.Dir, "pool/foreign.raw") + `'/><target dev='vda' bus='virtio'/></disk></devices></domain>`
	theirs, err := conn.DomainDefineXML(text)
	require.NoError(t, err)
	require.NoError(t, theirs.Free())
	before := domainText(t, d.URI(), n.UUID)

	require.NoError(t, maker.DefineGuest(ctx, nil))
	plugger, _ := ingot.As[ingot.PortPlugger](m)
	require.NoError(t, plugger.PlugPorts(ctx, []ingot.Port{{Address: "52:54:00:00:00:01"}}))
	require.Equal(t, before, domainText(t, d.URI(), n.UUID))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.ErrorContains(t, maker.BlankDisk(ctx), "was adopted")
	resizer, _ := ingot.As[ingot.GuestResizer](m)
	require.ErrorContains(t, resizer.GrowDisk(ctx, 9), "was adopted")
	n.Properties["memory_mb"] = 32.0
	err = maker.DefineGuest(ctx, nil)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "64 MiB of memory, and its node claims 1 and 32")

	require.NoError(t, maker.RemoveGuest(ctx))
	power, err := m.PowerState(ctx)
	require.NoError(t, err, "it is let go of, and goes on")
	require.Equal(t, ingot.PowerOn, power)
	require.FileExists(t, filepath.Join(d.Dir, "pool/foreign.raw"))
}
