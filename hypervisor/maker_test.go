//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// imageOf is an image that counts how often it is read.
func imageOf(data []byte, opened *int) ingot.GuestImage {
	sum := sha256.Sum256(data)
	return ingot.GuestImage{
		ImageReady: ingot.ImageReady{DiskFormat: "raw", ChecksumAlgo: "sha256", Checksum: hex.EncodeToString(sum[:]), Size: int64(len(data)), VirtualSize: int64(len(data))},
		Open: func(context.Context) (io.ReadCloser, error) {
			*opened++
			return io.NopCloser(bytes.NewReader(data)), nil
		},
	}
}

// on is the settings of a compute host.
func on(d *libvirttest.Daemon) ingot.Hypervisor {
	return ingot.Hypervisor{
		NodeUUID: uuid.NewString(), Type: "libvirt", URI: d.URI(),
		Pools: []ingot.StoragePool{{Name: "default"}}, Networks: []ingot.GuestNetwork{{PhysicalNetwork: "lab", Bridge: "br0"}},
	}
}

// machineOn is a guest on the host.
func machineOn(t *testing.T, hosts *hypervisor.Hosts, h ingot.Hypervisor) (*ingot.Node, ingot.Machine, ingot.GuestMaker) {
	t.Helper()
	n := node(func(n *ingot.Node) {
		n.UUID, n.ParentNode = uuid.NewString(), h.NodeUUID
		n.Properties = map[string]any{"cpus": 1.0, "memory_mb": 64.0, "local_gb": 1.0}
	})
	m, err := hosts.Guest(n, func(context.Context, string) (ingot.Hypervisor, error) { return h, nil })
	require.NoError(t, err)
	maker, ok := ingot.As[ingot.GuestMaker](m)
	require.True(t, ok)
	return n, m, maker
}

// soon asks until the answer is yes.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 100*time.Millisecond, what)
}

// TestGuestInspected: what a guest is made of, before its disk is there and after.
func TestGuestInspected(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, []ingot.Port{{Address: "52:54:00:00:00:55", PhysicalNetwork: "lab"}}))
	able, ok := ingot.As[ingot.GuestInspector](m)
	require.True(t, ok)
	seen := func() ingot.Inventory {
		i, err := able.InspectGuest(ctx)
		require.NoError(t, err)
		return i
	}
	before, opened := seen(), 0
	require.Equal(t, 1, before.CPU.Count)
	require.Equal(t, 64, before.Memory.PhysicalMB)
	require.Equal(t, "bios", before.Boot.CurrentMode)
	require.Equal(t, "52:54:00:00:00:55", before.Interfaces[0].MAC)
	require.Len(t, before.Disks, 1)
	require.EqualValues(t, 1<<30, before.Disks[0].Size, "as large as it will be")
	image := imageOf(libvirttest.Hello(), &opened)
	soon(t, "the image is there", func() bool { return maker.ImageDisk(ctx, "first", image) == nil })
	resizer, _ := ingot.As[ingot.GuestResizer](m)
	require.NoError(t, resizer.GrowDisk(ctx, 2))
	require.EqualValues(t, 2<<30, seen().Disks[0].Size)
	require.Equal(t, n.UUID, seen().SystemVendor.Serial)
}

func TestGuestFromImage(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	opened := 0
	image := imageOf(libvirttest.Hello(), &opened)
	n, m, maker := machineOn(t, hosts, host)
	ports := []ingot.Port{{Address: "52:54:00:00:00:09"}}

	_, err := m.PowerState(ctx)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "%v", err)
	require.NoError(t, maker.DefineGuest(ctx, ports))
	require.NoError(t, maker.DefineGuest(ctx, ports))
	require.NoError(t, maker.ConfigDrive(ctx, make([]byte, 4096)))
	bring := func(maker ingot.GuestMaker, key string) {
		soon(t, "the image is there", func() bool {
			err := maker.ImageDisk(ctx, key, image)
			require.False(t, ingot.IsFatal(err), "%v", err)
			return err == nil
		})
	}
	bring(maker, "first")
	require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.NoError(t, maker.ImageDisk(ctx, "first", image), "it is the disk already")
	require.Equal(t, ingot.Unavailable, ingot.CodeOf(maker.ImageDisk(ctx, "second", image)), "it is on")
	console, ok := ingot.As[ingot.ConsoleLog](m)
	require.True(t, ok)
	soon(t, "the image boots", func() bool {
		said, err := console.ConsoleLog(ctx, 1<<16)
		return err == nil && bytes.Contains(said, []byte("hello from the image"))
	})

	other, _, otherMaker := machineOn(t, hosts, host)
	require.NoError(t, otherMaker.DefineGuest(ctx, nil))
	bring(otherMaker, "first")
	require.Equal(t, 1, opened, "the second guest needs no upload")

	facts, err := hosts.Probe(ctx, host, []string{n.UUID})
	require.NoError(t, err)
	require.Equal(t, []string{image.Checksum}, facts.CachedImages)
	require.Equal(t, other.UUID, facts.Unmanaged[0].UUID)
	require.Len(t, facts.Unmanaged, 1)
	require.Contains(t, facts.VirtTypes, "qemu")
	require.True(t, facts.UEFI)

	require.NoError(t, maker.RemoveGuest(ctx))
	require.NoError(t, maker.RemoveGuest(ctx), "it is gone already")
	require.NoError(t, otherMaker.RemoveGuest(ctx))
	left, err := filepath.Glob(filepath.Join(d.Dir, "pool", "[^i]*")) // but for the canary
	require.NoError(t, err)
	require.Len(t, left, 2, "the base and its mark: %v", left)
}

// What differs from its checksum never becomes a base; disks grow and never shrink.
func TestGuestDiskRefusals(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, _, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	opened := 0
	bad := imageOf(libvirttest.Hello(), &opened)
	bad.Checksum = "00" + bad.Checksum[2:]
	soon(t, "the upload is refused", func() bool {
		err := maker.ImageDisk(ctx, "x", bad)
		return ingot.CodeOf(err) == ingot.Invalid
	})
	left, err := filepath.Glob(filepath.Join(d.Dir, "pool", "base-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	big := imageOf(libvirttest.Hello(), &opened)
	big.VirtualSize = 2 << 30
	require.ErrorContains(t, maker.ImageDisk(ctx, "x", big), "local_gb")

	n.Properties["local_gb"] = 2.0
	require.NoError(t, maker.DefineGuest(ctx, nil), "it grows")
	n.Properties["local_gb"] = 1.0
	require.ErrorContains(t, maker.DefineGuest(ctx, nil), "disks do not shrink")
	require.NoError(t, maker.RemoveGuest(ctx))
}

// What libvirt would leave out, or meet only when the guest is started, is found when it is defined.
func TestDefinitionsAreValid(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	_, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE, Persistent: true}), "and with what is changed in it")
	host.Networks[0].Bridge = "br,0"
	_, _, maker = machineOn(t, hosts, host)
	err := maker.DefineGuest(ctx, []ingot.Port{{Address: "52:54:00:00:00:39"}})
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "schema")
}
