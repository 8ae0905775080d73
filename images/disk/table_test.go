package disk_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// drive makes a config drive of about n bytes with the tool that Ironic uses.
func drive(t testing.TB, n int) []byte {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tree/openstack/latest"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tree/openstack/latest/user_data"), noise(n, 8), 0o600))
	run(t, "xorriso", "-as", "mkisofs", "-quiet", "-o", filepath.Join(dir, "iso"), "-J", "-r", "-V", "config-2", filepath.Join(dir, "tree"))
	b, err := os.ReadFile(filepath.Join(dir, "iso"))
	require.NoError(t, err)
	return b
}

// sparse makes a disk of size zero bytes and runs a partitioning tool over it.
func sparse(t testing.TB, size int64, tool ...string) string {
	t.Helper()
	path := filepath.Join(scratch(t), "disk")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, size))
	if tool != nil {
		run(t, tool[0], append(tool[1:], path)...)
	}
	return path
}

// sfdisk partitions a disk with an MBR by a script.
func sfdisk(t testing.TB, size int64, script string) string {
	t.Helper()
	path := sparse(t, size)
	if _, err := exec.LookPath("sfdisk"); err != nil {
		t.Skip("sfdisk is not installed")
	}
	run(t, "sh", "-c", "printf '"+script+"' | sfdisk -q "+path)
	return path
}

func holds(t testing.TB, path string, p disk.Partition, iso []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(iso, b[p.Start:p.Start+int64(len(iso))]), "the partition does not hold the volume")
}

func TestConfigDriveOnGPT(t *testing.T) {
	iso := drive(t, 1000)
	path := sparse(t, 200*mib, "sgdisk", "-n", "1:2048:+100M", "-n", "3:0:+10M", "-c", "3:root")
	require.NoError(t, os.Truncate(path, 300*mib), "the disk is larger than its image")
	dev := open(t, path)
	p, err := disk.AddConfigDrive(t.Context(), dev, iso)
	require.NoError(t, err)
	require.Equal(t, 2, p.Number)
	require.Equal(t, "config-2", p.Name)
	require.EqualValues(t, 64*mib, p.Size)
	require.Zero(t, p.Start%mib)
	require.Greater(t, p.Start, int64(230*mib))
	holds(t, path, p, iso)
	require.Contains(t, run(t, "sgdisk", "-v", path), "No problems found")
	info := run(t, "sgdisk", "-i", "2", path)
	require.Contains(t, info, "'config-2'")
	require.Contains(t, info, "0FC63DAF-8483-4772-8E79-3D69D8477DE4")
	require.Contains(t, strings.ToLower(info), p.GUID)

	before := sha(t, path)
	again, err := disk.AddConfigDrive(t.Context(), dev, iso)
	require.NoError(t, err)
	require.Equal(t, p, again)
	require.Equal(t, before, sha(t, path), "a second call changes nothing")

	other := drive(t, 5000)
	again, err = disk.AddConfigDrive(t.Context(), dev, other)
	require.NoError(t, err)
	require.Equal(t, p, again, "a new drive goes to the same partition")
	holds(t, path, p, other)
}

func TestConfigDriveReusesALabelledVolume(t *testing.T) {
	iso := drive(t, 1000)
	path := sparse(t, 200*mib, "sgdisk", "-n", "1:2048:+10M", "-n", "2:0:+2M", "-n", "3:0:0")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(iso, 11*mib)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	p, err := disk.AddConfigDrive(t.Context(), open(t, path), drive(t, 2000))
	require.NoError(t, err)
	require.Equal(t, 2, p.Number)

	_, err = disk.AddConfigDrive(t.Context(), open(t, path), drive(t, 3*mib))
	require.ErrorIs(t, err, disk.ErrNoRoom)
	require.ErrorContains(t, err, "own config-2 partition")
}

func TestConfigDriveTakesLessWhenLessIsFree(t *testing.T) {
	iso := drive(t, 1000)
	path := sparse(t, 100*mib, "sgdisk", "-n", "1:2048:+96M")
	p, err := disk.AddConfigDrive(t.Context(), open(t, path), iso)
	require.NoError(t, err)
	require.EqualValues(t, mib, p.Size)
	require.Contains(t, run(t, "sgdisk", "-v", path), "No problems found")

	full := sparse(t, 100*mib, "sgdisk", "-n", "1:2048:0")
	before := sha(t, full)
	_, err = disk.AddConfigDrive(t.Context(), open(t, full), iso)
	require.ErrorIs(t, err, disk.ErrNoRoom)
	require.Equal(t, before, sha(t, full))
}

func TestConfigDriveOnMBR(t *testing.T) {
	iso := drive(t, 1000)
	path := sfdisk(t, 300*mib, `label: dos\n2048,100M,83,*\n`)
	dev := open(t, path)
	p, err := disk.AddConfigDrive(t.Context(), dev, iso)
	require.NoError(t, err)
	require.Equal(t, 2, p.Number)
	require.EqualValues(t, 236*mib, p.Start)
	holds(t, path, p, iso)
	require.Contains(t, run(t, "sfdisk", "-d", path), "start=      483328, size=      131072, type=c")
	run(t, "sfdisk", "--verify", path)

	before := sha(t, path)
	again, err := disk.AddConfigDrive(t.Context(), dev, iso)
	require.NoError(t, err)
	require.Equal(t, p, again)
	require.Equal(t, before, sha(t, path))
}

func TestConfigDriveOnAFullMBR(t *testing.T) {
	iso := drive(t, 1000)
	path := sfdisk(t, 300*mib, `label: dos\n,10M,83\n,10M,83\n,10M,83\n,50M,5\n,5M,83\n,6M,83\n`)
	table, err := disk.ReadTable(open(t, path))
	require.NoError(t, err)
	require.Len(t, table.Partitions, 6)
	require.Equal(t, 6, table.Partitions[5].Number)
	require.EqualValues(t, 6*mib, table.Partitions[5].Size)
	_, err = disk.AddConfigDrive(t.Context(), open(t, path), iso)
	require.ErrorIs(t, err, disk.ErrNoRoom)
	require.ErrorContains(t, err, "four primary")
}

func TestConfigDriveWithoutATable(t *testing.T) {
	iso := drive(t, 1000)
	_, err := disk.AddConfigDrive(t.Context(), open(t, sparse(t, 100*mib)), iso)
	require.ErrorIs(t, err, disk.ErrNoTable)
	_, err = disk.AddConfigDrive(t.Context(), open(t, sparse(t, 100*mib, "mkfs.vfat")), iso)
	require.ErrorIs(t, err, disk.ErrNoTable)
}

// big is a disk with sectors of 4096 bytes.
type big struct{ *disk.Device }

func (big) SectorSize() int { return 4096 }

func TestConfigDriveOnLargeSectors(t *testing.T) {
	_, err := disk.AddConfigDrive(t.Context(), big{open(t, sparse(t, 100*mib))}, drive(t, 1000))
	require.ErrorContains(t, err, "4096")
}

func TestBackupGPTIsUsed(t *testing.T) {
	path := sparse(t, 100*mib, "sgdisk", "-n", "1:2048:+20M", "-c", "1:data")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{1, 2, 3}, 600)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	table, err := disk.ReadTable(open(t, path))
	require.NoError(t, err)
	require.Len(t, table.Partitions, 1)
	require.Equal(t, "data", table.Partitions[0].Name)
	moved, err := disk.RelocateGPT(open(t, path))
	require.NoError(t, err)
	require.True(t, moved)
	require.Contains(t, run(t, "sgdisk", "-v", path), "No problems found")
}

// TestWipe makes what real tools find and asks them again afterwards.
func TestWipe(t *testing.T) {
	gpt := []string{"sgdisk", "-n", "1:2048:+30M", "-n", "2:0:+60M", "-n", "3:0:0"}
	parts := []int64{mib, 31 * mib, 91 * mib}
	for name, make := range map[string]func(t *testing.T) string{
		"gpt": func(t *testing.T) string { return sparse(t, 200*mib, gpt...) },
		"gpt with file systems": func(t *testing.T) string {
			path := sparse(t, 200*mib, gpt...)
			for i, fs := range []string{"mkfs.ext4 -q", "mkswap -q", "mkfs.vfat"} {
				image := sparse(t, 25*mib, strings.Fields(fs)...)
				run(t, "dd", "if="+image, "of="+path, "bs=1M", "conv=notrunc,sparse", "status=none", "seek="+itoa(int(parts[i]/mib)))
			}
			return path
		},
		"gpt whose start is gone": func(t *testing.T) string {
			path := sparse(t, 200*mib, gpt...)
			run(t, "dd", "if=/dev/zero", "of="+path, "bs=1M", "count=1", "conv=notrunc", "status=none")
			return path
		},
		"mbr with logical ones": func(t *testing.T) string {
			return sfdisk(t, 300*mib, `label: dos\n,10M,83\n,50M,5\n,5M,83\n,6M,83\n`)
		},
		"file system": func(t *testing.T) string { return sparse(t, 50*mib, "mkfs.ext4", "-q") },
		"iso": func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "disk")
			require.NoError(t, os.WriteFile(path, drive(t, 1000), 0o600))
			return path
		},
		"tiny":  func(t *testing.T) string { return newDisk(t, 512) },
		"blank": func(t *testing.T) string { return sparse(t, 10*mib) },
	} {
		t.Run(name, func(t *testing.T) {
			path := make(t)
			dev := open(t, path)
			require.NoError(t, disk.WipeMetadata(t.Context(), dev))
			require.Empty(t, run(t, "wipefs", path), "wipefs still finds something")
			require.NotContains(t, run(t, "sh", "-c", "sgdisk -p "+path+" 2>&1 || true"), "   1   ")
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, at := range parts {
				if at+6*mib < int64(len(b)) {
					require.True(t, blank(b[at:at+5*mib]), "a partition's start is left")
				}
			}
			before := sha(t, path)
			require.NoError(t, disk.WipeMetadata(t.Context(), dev))
			require.Equal(t, before, sha(t, path))
		})
	}
}

func TestWipeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := sparse(t, 20*mib, "sgdisk", "-n", "1:2048:0")
	before := sha(t, path)
	require.ErrorIs(t, disk.WipeMetadata(ctx, open(t, path)), context.Canceled)
	require.Equal(t, before, sha(t, path))
}

func TestOpenRefuses(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir(), "/dev/null"} {
		_, err := disk.Open(path)
		require.ErrorContains(t, err, "cannot open the disk", path)
	}
}

// memory is a disk in memory, for fuzzing.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, off)
}

func (m memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m)) {
		panic("written outside of the disk")
	}
	return copy(m[off:], p), nil
}

func (memory) Sync() error            { return nil }
func (m memory) Size() (int64, error) { return int64(len(m)), nil }

// FuzzTables lets every reader and editor of partition tables loose on a disk whose first and last sectors are given.
func FuzzTables(f *testing.F) {
	for _, path := range []string{
		sparse(f, 8*mib, "sgdisk", "-n", "1:2048:+2M"), sfdisk(f, 8*mib, `label: dos\n,1M,83\n,5M,5\n,1M,83\n,1M,83\n`),
	} {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b[:34*512], b[len(b)-33*512:])
	}
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		m := make(memory, 8*mib)
		copy(m, head)
		copy(m[max(0, len(m)-len(tail)):], tail)
		_, _ = disk.ReadTable(m)
		_, _ = disk.RelocateGPT(m)
		_, _ = disk.AddConfigDrive(context.Background(), m, []byte("volume"))
		if err := disk.WipeMetadata(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		if !blank(m[:mib]) {
			t.Fatal("the start was not wiped")
		}
	})
}
