//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestImportDisk: a guest's disk is what was brought, with nothing below it and as large as the guest's is to be; once it is
// there it is left alone, and what came otherwise than it was is no disk.
func TestImportDisk(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	importer, ok := ingot.As[ingot.GuestImporter](m)
	require.True(t, ok)
	bytesOf := append(bytes.Clone(libvirttest.Hello()), make([]byte, 200<<20)...) // with holes in it and at its end
	copy(bytesOf[100<<20+12345:], strings.Repeat("marker ", 100000))
	sum := sha256.Sum256(bytesOf)
	opened := 0
	image := ingot.GuestImage{
		ImageReady: ingot.ImageReady{DiskFormat: "raw", Size: int64(len(bytesOf)), VirtualSize: int64(len(bytesOf)), Checksum: hex.EncodeToString(sum[:]), ChecksumAlgo: "sha256"},
		Open:       func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(bytesOf)), nil },
	}
	bring := func(key string, image ingot.GuestImage, openErr error) (err error) {
		t.Helper()
		soon(t, "it is brought", func() bool {
			err = importer.ImportDisk(ctx, key, func() (ingot.GuestImage, error) { opened++; return image, openErr })
			var e *ingot.Error
			return err == nil || !errors.As(err, &e) || e.After == 0
		})
		return err
	}
	require.Error(t, bring("early", image, nil), "there is no domain")
	require.NoError(t, maker.DefineGuest(ctx, nil))
	require.Equal(t, ingot.NotFound, ingot.CodeOf(bring("gone", image, ingot.Errorf(ingot.NotFound, "no copy"))))
	wrong := image
	wrong.Checksum = strings.Repeat("0", 64)
	require.ErrorContains(t, bring("wrong", wrong, nil), "the copy of the disk has sha256")
	large := image
	large.VirtualSize = 2 << 30
	require.ErrorContains(t, bring("large", large, nil), "properties local_gb of guest")

	require.NoError(t, bring("key", image, nil))
	before := opened
	require.NoError(t, bring("key", image, nil))
	require.Equal(t, before, opened, "it is there")
	pool := filepath.Join(d.Dir, "pool")
	require.NotContains(t, tool(t, "qemu-img", "info", filepath.Join(pool, n.UUID+".qcow2")), "backing file")
	raw := filepath.Join(t.TempDir(), "raw")
	tool(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", filepath.Join(pool, n.UUID+".qcow2"), raw)
	got, err := os.ReadFile(raw)
	require.NoError(t, err)
	require.Len(t, got, 1<<30)
	require.True(t, bytes.Equal(bytesOf, got[:len(bytesOf)]))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.ErrorContains(t, bring("another", image, nil), "the disk of a guest that is on cannot be replaced")
	require.NoError(t, bring("key", image, nil))
	for _, name := range []string{"*.coming", "base-*"} {
		left, err := filepath.Glob(filepath.Join(pool, name))
		require.NoError(t, err)
		require.Empty(t, left)
	}
}
