package modules_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

func newLoader(t *testing.T, insert func(string) error) (*modules.Loader, *[]string) {
	x, err := modules.Open(testDir())
	require.NoError(t, err)
	var inserted []string
	return &modules.Loader{Index: x, Insert: func(path string) error {
		if err := insert(path); err != nil {
			return err
		}
		inserted = append(inserted, path)
		return nil
	}}, &inserted
}

func TestLoadInsertsEachOnceAndInOrder(t *testing.T) {
	l, inserted := newLoader(t, func(string) error { return nil })
	require.NoError(t, l.Load("fs-ext4"))
	require.NoError(t, l.Load("ext4"))
	require.NoError(t, l.Load("jbd2"))
	require.Equal(t, []string{"kernel/crypto/crc32c_generic.ko", "kernel/fs/mbcache.ko", "kernel/fs/jbd2/jbd2.ko", "kernel/fs/ext4/ext4.ko"}, *inserted)
	require.NoError(t, l.Load("virtio_ring"), "built in")
	require.ErrorContains(t, l.Load("floppy"), "none of that name")
}

func TestLoadFailures(t *testing.T) {
	l, inserted := newLoader(t, func(path string) error {
		if path == "kernel/fs/mbcache.ko" || path == "kernel/crypto/crc32c_generic.ko" || path == "kernel/b.ko" {
			return unix.ENOEXEC
		}
		return nil
	})
	err := l.Load("ext4")
	require.ErrorIs(t, err, unix.ENOEXEC)
	require.ErrorContains(t, err, "module ext4")
	require.ErrorContains(t, err, "mbcache")
	require.NotContains(t, *inserted, "kernel/fs/ext4/ext4.ko", "needs mbcache")
	require.NoError(t, l.Load("a"), "b is only a soft dependency")
}

func TestSkip(t *testing.T) {
	l, inserted := newLoader(t, func(string) error { return nil })
	l.Skip = []string{"net-failover"}
	require.ErrorContains(t, l.Load("virtio_net"), "not to load")
	require.Equal(t, []string{"kernel/net/failover.ko"}, *inserted)
}

// script is a list of what Events.Next answers.
type script []func() (string, error)

func (s *script) Next(context.Context, time.Duration) (string, error) {
	if len(*s) == 0 {
		return "", modules.ErrQuiet
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return next()
}

func comes(alias string) func() (string, error) {
	return func() (string, error) { return alias, nil }
}

func TestSettleFollowsNewDevices(t *testing.T) {
	sys := fstest.MapFS{
		"devices/pci0000:00/0000:00:01.0/modalias": {Data: []byte("virtio:d00000001v00001AF4\n")},
		"devices/pci0000:00/0000:00:02.0/modalias": {Data: []byte("\n")},
		"devices/pci0000:00/0000:00:03.0/modalias": {Data: []byte("pci:nothing for this")},
		"devices/pci0000:00/modalias/is/a/folder":  {Data: []byte("x")},
		"devices/virtual/input/input1/modalias":    {Data: []byte("fs-ext4")},
	}
	l, _ := newLoader(t, func(path string) error {
		if path == "kernel/drivers/nvme/host/nvme.ko.xz" {
			return unix.ENODEV
		}
		return nil
	})
	events := script{
		comes("pci:v1d2sv3sd4bc01sc08i02"),
		comes("pci:v1d2sv3sd4bc01sc08i02"),
		func() (string, error) {
			sys["devices/acpi/modalias"] = &fstest.MapFile{Data: []byte("acpi:PNP0C0C:")}
			return "", modules.ErrLost
		},
		comes("b"),
	}
	r, err := l.Settle(context.Background(), sys, &events, time.Second)
	require.NoError(t, err)
	require.True(t, r.Settled)
	require.Equal(t, []string{"failover", "net_failover", "virtio_net", "nvme_core", "button", "a", "b"}, r.Loaded)
	require.Len(t, r.Failed, 1)
	require.ErrorIs(t, r.Failed["nvme"], unix.ENODEV)
}

func TestSettleEnds(t *testing.T) {
	l, _ := newLoader(t, func(string) error { return nil })
	sys := fstest.MapFS{"devices/x": {}}
	broken := errors.New("broken")
	_, err := l.Settle(context.Background(), sys, &script{func() (string, error) { return "", broken }}, 0)
	require.ErrorIs(t, err, broken)

	r, err := l.Settle(context.Background(), sys, endless{}, 0)
	require.NoError(t, err)
	require.False(t, r.Settled)

	_, err = l.Settle(context.Background(), fstest.MapFS{}, &script{}, 0)
	require.ErrorIs(t, err, fs.ErrNotExist, "not a sysfs")
}

// endless is a device that comes again and again.
type endless struct{}

func (endless) Next(context.Context, time.Duration) (string, error) { return "pci:flap", nil }

func TestModaliasesOfThisMachine(t *testing.T) {
	list, err := modules.Modaliases(os.DirFS("/sys"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no sysfs here")
	}
	require.NoError(t, err)
	require.NotContains(t, list, "")
	require.IsIncreasing(t, append([]string{""}, list...))
}

func TestKernelInsertReportsErrors(t *testing.T) {
	insert := modules.Kernel(t.TempDir())
	require.ErrorIs(t, insert("gone.ko"), fs.ErrNotExist)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/bad.ko", []byte("not a module"), 0o600))
	require.Error(t, modules.Kernel(dir)("bad.ko"))
}
