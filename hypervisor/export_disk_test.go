//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// sink takes one copy of a disk.
type sink struct {
	bytes.Buffer
	format        string
	kept, dropped int
	full          bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.full {
		return 0, ingot.Fatal(errors.New("no room"))
	}
	return s.Buffer.Write(p)
}

func (s *sink) Keep() error { s.kept++; return nil }
func (s *sink) Drop()       { s.dropped++ }

// TestExportDisk: a guest's disk comes out whole and without its base, only while the guest is off, and nothing of the copying
// is left on its host.
func TestExportDisk(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	exporter, ok := ingot.As[ingot.GuestExporter](m)
	require.True(t, ok)
	require.Error(t, exporter.CanExport(ctx), "there is no domain")
	opened := 0
	image := imageOf(libvirttest.Hello(), &opened)
	require.NoError(t, maker.DefineGuest(ctx, nil))
	soon(t, "the image is there", func() bool { return maker.ImageDisk(ctx, "key", image) == nil })
	require.NoError(t, maker.ConfigDrive(ctx, make([]byte, 4096)))
	require.NoError(t, exporter.CanExport(ctx))
	disk := filepath.Join(d.Dir, "pool", n.UUID+".qcow2")
	tool(t, "qemu-io", "-c", "write -P 0x5a 500M 64k", disk)

	export := func(key string, into *sink) error {
		t.Helper()
		var err error
		soon(t, "it is copied", func() bool {
			err = exporter.ExportDisk(ctx, key, func(format string) (ingot.DiskCopy, error) { into.format = format; return into, nil })
			var e *ingot.Error
			return err == nil || !errors.As(err, &e) || e.After == 0
		})
		return err
	}
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	require.ErrorContains(t, export("on", &sink{}), "the disk of a guest that is on cannot be copied")
	require.NoError(t, m.SetPower(ctx, ingot.ActionOff))
	broken := &sink{full: true}
	require.ErrorContains(t, export("full", broken), "no room")
	require.Equal(t, []int{0, 1}, []int{broken.kept, broken.dropped})

	whole := &sink{}
	require.NoError(t, export("whole", whole))
	require.Equal(t, []any{"qcow2", 1, 0}, []any{whole.format, whole.kept, whole.dropped})
	left, err := filepath.Glob(filepath.Join(d.Dir, "pool", n.UUID+".*.moving"))
	require.NoError(t, err)
	require.Empty(t, left)

	alone := t.TempDir() // without its base
	require.NoError(t, os.WriteFile(filepath.Join(alone, "copy"), whole.Bytes(), 0o600))
	tool(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", filepath.Join(alone, "copy"), filepath.Join(alone, "raw"))
	f, err := os.Open(filepath.Join(alone, "raw"))
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, 1<<30, info.Size())
	head, mark := make([]byte, len(libvirttest.Hello())), make([]byte, 64<<10)
	_, err = io.ReadFull(f, head)
	require.NoError(t, err)
	require.Equal(t, libvirttest.Hello(), head)
	_, err = f.ReadAt(mark, 500<<20)
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte{0x5a}, 64<<10), mark)

	n.DriverInfo = map[string]any{"vtpm": true}
	sealed, err := hosts.Guest(n, func(context.Context, string) (ingot.Hypervisor, error) { return host, nil })
	require.NoError(t, err)
	exporter, _ = ingot.As[ingot.GuestExporter](sealed)
	require.ErrorContains(t, exporter.CanExport(ctx), "has a TPM")
}

// tool runs a program of QEMU's, and gives what it said.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s (.ci/prerequisites)", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}
