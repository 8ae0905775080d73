package disk_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// copied writes a disk's copy out as a file of the other size, and gives what was sent of it.
func copied(t *testing.T, path string, size int64, without bool) (out string, bytesSent int64) {
	t.Helper()
	device, err := disk.Open(path)
	require.NoError(t, err)
	defer device.Close() //nolint:errcheck // only read
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	c, err := disk.CopyOf(device, size, without)
	require.NoError(t, err)
	out = filepath.Join(t.TempDir(), "copy")
	f, err := os.Create(out)
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // its errors are not what is tested
	require.NoError(t, f.Truncate(size))
	next := int64(0)
	require.NoError(t, c.Each(t.Context(), 256<<10, func(at int64, p []byte) error {
		require.GreaterOrEqual(t, at, next)
		next, bytesSent = at+int64(len(p)), bytesSent+int64(len(p))
		_, err := f.WriteAt(p, at)
		return err
	}))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after), "the disk itself is only read")
	return out, bytesSent
}

// same compares bytes of two files.
func same(t *testing.T, one, other string, from, to int64) {
	t.Helper()
	a, err := os.ReadFile(one)
	require.NoError(t, err)
	b, err := os.ReadFile(other)
	require.NoError(t, err)
	require.True(t, bytes.Equal(a[from:to], b[from:to]), "the bytes %d to %d differ", from, to)
}

// TestCopyOfGPT: on a smaller and on a larger disk the table is right at both ends, what is in the partitions is there, and
// the config drive is gone where it was to be left out.
func TestCopyOfGPT(t *testing.T) {
	path := rawImage(t, 32*mib, true)
	require.NoError(t, os.Truncate(path, 200*mib))
	device, err := disk.Open(path)
	require.NoError(t, err)
	part, err := disk.AddConfigDrive(context.Background(), device, drive(t, 1000))
	require.NoError(t, err)
	require.NoError(t, device.Close())
	require.Equal(t, 4, part.Number)

	for _, size := range []int64{40 * mib, 300 * mib} {
		out, sent := copied(t, path, size, true)
		require.Less(t, sent, int64(12*mib), "zeros are not sent")
		require.Contains(t, run(t, "sgdisk", "-v", out), "No problems found")
		require.NotContains(t, run(t, "sgdisk", "-p", out), "config-2")
		same(t, path, out, 1*mib, 31*mib)
	}
	out, _ := copied(t, path, 250*mib, false)
	require.Contains(t, run(t, "sgdisk", "-v", out), "No problems found")
	require.Contains(t, run(t, "sgdisk", "-p", out), "config-2")
	same(t, path, out, part.Start, part.Start+part.Size)
}

// TestCopyOfMBR: the same with the older table, which is at one end only.
func TestCopyOfMBR(t *testing.T) {
	path := sfdisk(t, 200*mib, `2048,16M,83,*\n`)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(noise(3*mib, 7), 5*mib)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	device, err := disk.Open(path)
	require.NoError(t, err)
	_, err = disk.AddConfigDrive(context.Background(), device, drive(t, 1000))
	require.NoError(t, err)
	require.NoError(t, device.Close())
	out, _ := copied(t, path, 20*mib, true)
	same(t, path, out, 1*mib, 17*mib)
	same(t, path, out, 0, 446)
	left, err := disk.Open(out)
	require.NoError(t, err)
	defer left.Close() //nolint:errcheck // only read
	table, err := disk.ReadTable(left)
	require.NoError(t, err)
	require.Len(t, table.Partitions, 1)
}

// TestCopyThatCannotBe: what does not fit, or of which nobody knows how much is in use, is refused before a byte is given.
func TestCopyThatCannotBe(t *testing.T) {
	path := rawImage(t, 32*mib, true)
	device, err := disk.Open(path)
	require.NoError(t, err)
	defer device.Close() //nolint:errcheck // only read
	_, err = disk.CopyOf(device, 20*mib, true)
	require.ErrorIs(t, err, disk.ErrTooLarge)
	require.ErrorContains(t, err, "its last partition ends at")
	end := int64(32*mib - 34*512) // where the last partition may end at most
	_, err = disk.CopyOf(device, end, true)
	require.ErrorIs(t, err, disk.ErrTooLarge, "the backup table has no room")
	blank, err := disk.Open(sparse(t, 32*mib))
	require.NoError(t, err)
	defer blank.Close() //nolint:errcheck // only read
	_, err = disk.CopyOf(blank, 32*mib, true)
	require.ErrorIs(t, err, disk.ErrNoTable)
}
