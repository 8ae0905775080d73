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

// growingSys shows a disk once its controller's driver is there, as real buses do.
func TestSettleFollowsNewDevices(t *testing.T) {
	sys := fstest.MapFS{
		"devices/pci0000:00/0000:00:01.0/modalias":         {Data: []byte("virtio:d00000001v00001AF4\n")},
		"devices/pci0000:00/0000:00:02.0/modalias":         {Data: []byte("\n")},
		"devices/pci0000:00/0000:00:03.0/modalias":         {Data: []byte("pci:nothing for this")},
		"devices/pci0000:00/0000:00:01.0/uevent":           {Data: []byte("DRIVER=")},
		"devices/virtual/misc/not/a/modalias/but/a/folder": {Data: []byte("x")},
	}
	l, _ := newLoader(t, func(path string) error {
		switch path {
		case "kernel/net/virtio_net.ko":
			sys["devices/pci0000:00/0000:00:04.0/modalias"] = &fstest.MapFile{Data: []byte("pci:v1d2sv3sd4bc01sc08i02")}
		case "kernel/drivers/nvme/host/nvme.ko.xz":
			return unix.ENODEV
		}
		return nil
	})
	waits := 0
	wait := func(context.Context, time.Duration) error {
		if waits++; waits == 1 { // a device that shows up while nothing happens
			sys["devices/acpi/modalias"] = &fstest.MapFile{Data: []byte("acpi:PNP0C0C:")}
		}
		return nil
	}
	r, err := l.Settle(context.Background(), sys, 100*time.Millisecond, wait)
	require.NoError(t, err)
	require.True(t, r.Settled)
	require.Equal(t, []string{"failover", "net_failover", "virtio_net", "nvme_core", "button"}, r.Loaded)
	require.Len(t, r.Failed, 1)
	require.ErrorIs(t, r.Failed["nvme"], unix.ENODEV)
	require.Equal(t, 3, waits, "one before the late device, two for 100 ms of quiet")
}

func TestSettleEnds(t *testing.T) {
	l, _ := newLoader(t, func(string) error { return nil })
	stop := errors.New("stop")
	sys := fstest.MapFS{"devices/x": {}}
	_, err := l.Settle(context.Background(), sys, time.Hour, func(context.Context, time.Duration) error { return stop })
	require.ErrorIs(t, err, stop)

	r, err := l.Settle(context.Background(), sys, 1000*time.Hour, func(context.Context, time.Duration) error { return nil })
	require.NoError(t, err)
	require.False(t, r.Settled, "the limit of passes ends it")

	r, err = l.Settle(context.Background(), sys, 0, nil)
	require.NoError(t, err)
	require.True(t, r.Settled, "one look, no waiting")
	_, err = l.Settle(context.Background(), fstest.MapFS{}, 0, nil)
	require.ErrorIs(t, err, fs.ErrNotExist, "not a sysfs")
}

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
