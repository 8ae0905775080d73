//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// withSmallPool is a daemon with a pool "small", in a folder of a size as mount has it.
func withSmallPool(t *testing.T, size string) (d *libvirttest.Daemon, folder string) {
	t.Helper()
	folder = t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", folder, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(folder, unix.MNT_DETACH)) })
	d = libvirttest.Start(t)
	d.AddPool(t, "small", folder)
	return d, folder
}

// TestAFullPool: a guest for whose writes its host has no room stands still and says why, which the host knows too; with
// room, it goes on, and nothing of what it wrote is lost to it.
func TestAFullPool(t *testing.T) {
	d, folder := withSmallPool(t, "12m")
	host := on(d)
	host.Pools = []ingot.StoragePool{{Name: "small"}}
	hosts, n, m := bootedAs(t, host, libvirttest.Writing())
	watcher, ok := ingot.As[ingot.DiskWatcher](m)
	require.True(t, ok)
	trouble := func() (said string) {
		said, err := watcher.DiskTrouble(t.Context())
		require.NoError(t, err)
		return said
	}
	soon(t, "it stands still", func() bool { return trouble() != "" })
	require.Regexp(t, "^its host has no room left for what it writes to disk [a-z]+: make room in the storage pool", trouble())
	power, err := m.PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOn, power)
	facts, err := hosts.Probe(t.Context(), host, []string{n.UUID})
	require.NoError(t, err)
	require.Equal(t, []string{n.UUID}, facts.Stalled)

	resume := func() {
		vendor, ok := ingot.As[ingot.Vendor](m)
		require.True(t, ok)
		_, err := vendor.CallVendor(t.Context(), "resume", nil)
		require.NoError(t, err)
	}
	resume()
	soon(t, "there is no more room than before", func() bool { return trouble() != "" })
	require.NoError(t, unix.Mount("tmpfs", folder, "tmpfs", unix.MS_REMOUNT, "size=64m"))
	resume()
	logged(t, m, "all is written")
	require.Empty(t, trouble())
	facts, err = hosts.Probe(t.Context(), host, []string{n.UUID})
	require.NoError(t, err)
	require.Empty(t, facts.Stalled)
}
