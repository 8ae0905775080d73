package disk_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

func TestQCOW2AgainstQemuImg(t *testing.T) {
	const size = 37*mib + 512*3
	raw := rawImage(t, size, false)
	for name, args := range map[string][]string{
		"plain":              nil,
		"zlib":               {"-c"},
		"zstd":               {"-c", "-o", "compression_type=zstd"},
		"version 2":          {"-c", "-o", "compat=0.10"},
		"clusters of 512":    {"-o", "cluster_size=512"},
		"clusters of 4k":     {"-c", "-o", "cluster_size=4k"},
		"clusters of 2M":     {"-o", "cluster_size=2M"},
		"zlib in 2M":         {"-c", "-o", "cluster_size=2M"},
		"zstd in 2M":         {"-c", "-o", "cluster_size=2M,compression_type=zstd"},
		"subclusters":        {"-o", "extended_l2=on,cluster_size=64k"},
		"zlib, subclusters":  {"-c", "-o", "extended_l2=on,cluster_size=128k"},
		"all allocated":      {"-S", "0"},
		"preallocated":       {"-o", "preallocation=metadata"},
		"preallocated whole": {"-o", "preallocation=falloc"},
	} {
		t.Run(name, func(t *testing.T) {
			path := convert(t, raw, args...)
			s := &server{path: path}
			target := newDisk(t, 48*mib)
			res, err := writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
			require.NoError(t, err)
			require.EqualValues(t, size, res.ImageSize)
			require.True(t, res.ReadBack)
			equalUpTo(t, raw, target, size)
			st, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, st.Size(), res.FileSize)
			// One download; the tables, read before it, come on top.
			_, sent := s.counts()
			require.Less(t, sent, st.Size()+st.Size()/10+2*mib)
		})
	}
}

func TestQCOW2WrittenOutOfOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", path, "64M")
	args := []string{}
	for i := range 200 {
		at := (i*7919 + 13) % 1000 * 64
		args = append(args, "-c", "write -q -P "+string(rune('1'+i%9))+" "+itoa(at)+"k "+itoa(4+i%90)+"k")
	}
	args = append(args, "-c", "write -q -z 1M 3M", "-c", "discard -q 20M 5M")
	run(t, "qemu-io", append(args, path)...)
	raw := filepath.Join(t.TempDir(), "image.raw")
	run(t, "qemu-img", "convert", "-O", "raw", path, raw)
	for _, extents := range []int{0, 7, 60} { // in one part, and in many
		s := &server{path: path}
		target := newDisk(t, 64*mib)
		w := writer()
		disk.SetExtents(w, extents)
		_, err := w.Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
		require.NoError(t, err)
		equalUpTo(t, raw, target, 64*mib)
	}
}

// TestQCOW2InParts makes the list of extents so small that the tables are read many times.
func TestQCOW2InParts(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	for name, args := range map[string][]string{"plain": {"-o", "cluster_size=4k"}, "zlib": {"-c"}, "subclusters": {"-o", "extended_l2=on"}} {
		t.Run(name, func(t *testing.T) {
			path := convert(t, raw, args...)
			s := &server{path: path}
			target := newDisk(t, 20*mib)
			w := writer()
			disk.SetExtents(w, 3)
			_, err := w.Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
			require.NoError(t, err)
			equalUpTo(t, raw, target, 20*mib)
			requests, _ := s.counts()
			require.Greater(t, requests, 5)
		})
	}
}

func TestProgress(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	path := convert(t, raw, "-c")
	st, err := os.Stat(path)
	require.NoError(t, err)
	for _, format := range []string{"raw", "qcow2"} {
		image := map[string]string{"raw": raw, "qcow2": path}[format]
		s := &server{path: image}
		var all []disk.Progress
		w := writer()
		w.ProgressEvery = 1
		now := time.Unix(0, 0)
		w.Now = func() time.Time { now = now.Add(time.Second); return now }
		w.Progress = func(p disk.Progress) { all = append(all, p) }
		_, err = w.Write(t.Context(), source(t, s.start(t), image, format), open(t, newDisk(t, 24*mib)))
		require.NoError(t, err)
		last := map[string]disk.Progress{}
		phases := []string{}
		for i, p := range all {
			if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
				phases = append(phases, p.Phase)
			}
			if i > 0 && all[i-1].Phase == p.Phase {
				require.GreaterOrEqual(t, p.Done, all[i-1].Done)
				require.Equal(t, p.Done > 0, p.Rate > 0)
			}
			last[p.Phase] = p
		}
		require.Equal(t, []string{disk.PhaseWrite, disk.PhaseVerify, disk.PhaseFinish}, phases)
		for name, p := range last {
			require.Equal(t, p.Total, p.Done, "%s %s", format, name)
			require.Equal(t, p.DownloadTotal, p.Downloaded)
		}
		require.EqualValues(t, 20*mib, last[disk.PhaseWrite].Total)
		if format == "qcow2" {
			require.Equal(t, st.Size(), last[disk.PhaseWrite].DownloadTotal)
		}
	}
}

// TestPartitionBeyondTheDisk has an image whose table names more than the disk: nothing may boot from it.
func TestPartitionBeyondTheDisk(t *testing.T) {
	raw := rawImage(t, 40*mib, true)
	require.NoError(t, os.Truncate(raw, 30*mib))
	s := &server{path: raw}
	target := newDisk(t, 30*mib)
	_, err := writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, target))
	require.ErrorContains(t, err, "partition")
	require.True(t, blankEnds(t, target))
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestRaw(t *testing.T) {
	raw := rawImage(t, 37*mib+512*3, false)
	const size = 37*mib + 512*3
	for name, compress := range map[string][]string{
		"raw":  nil,
		"gzip": {"gzip", "-k"},
		"xz":   {"xz", "-k"},
		"zstd": {"zstd", "-q", "-19", "-k"},
	} {
		t.Run(name, func(t *testing.T) {
			path := raw
			if compress != nil {
				run(t, compress[0], append(compress[1:], raw)...)
				path = raw + map[string]string{"gzip": ".gz", "xz": ".xz", "zstd": ".zst"}[name]
			}
			s := &server{path: path}
			target := newDisk(t, 48*mib)
			res, err := writer().Write(t.Context(), source(t, s.start(t), path, "raw"), open(t, target))
			require.NoError(t, err)
			require.EqualValues(t, size, res.ImageSize)
			equalUpTo(t, raw, target, size)
			requests, _ := s.counts()
			require.Equal(t, 1, requests)
			require.Equal(t, sha(t, path), res.Checksum)
		})
	}
}

func TestRawOfOddSizes(t *testing.T) {
	for _, size := range []int64{1, 511, 4096, mib - 1, mib, mib + 1, 2*mib - 512, 3 * mib} {
		raw := filepath.Join(t.TempDir(), "image.raw")
		require.NoError(t, os.WriteFile(raw, noise(int(size), 9), 0o600))
		for _, disks := range []int64{size, 2 * mib, 3*mib + 512, 5 * mib} {
			if disks < size {
				continue
			}
			target := newDisk(t, disks)
			s := &server{path: raw}
			_, err := writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, target))
			require.NoError(t, err, "%d bytes on a disk of %d", size, disks)
			equalUpTo(t, raw, target, size)
		}
	}
}

// TestLargerDisk compares with what sgdisk -e makes of the same image on a disk of the same size.
func TestLargerDisk(t *testing.T) {
	raw := rawImage(t, 40*mib, true)
	path := convert(t, raw, "-c")
	want := filepath.Join(t.TempDir(), "want")
	run(t, "qemu-img", "convert", "-O", "raw", path, want)
	require.NoError(t, os.Truncate(want, 70*mib+512))
	run(t, "sgdisk", "-e", want)

	s := &server{path: path}
	target := newDisk(t, 70*mib+512)
	res, err := writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
	require.NoError(t, err)
	require.True(t, res.MovedGPT)
	require.Contains(t, run(t, "sgdisk", "-v", target), "No problems found")
	equalUpTo(t, want, target, 40*mib)
	a, err := os.ReadFile(want)
	require.NoError(t, err)
	b, err := os.ReadFile(target)
	require.NoError(t, err)
	require.True(t, bytes.Equal(a[len(a)-33*512:], b[len(b)-33*512:]), "the backup GPT differs from sgdisk's")

	again, err := disk.RelocateGPT(open(t, target))
	require.NoError(t, err)
	require.False(t, again, "a second call has nothing to do")
}

func TestSameSizeDisk(t *testing.T) {
	raw := rawImage(t, 40*mib, true)
	s := &server{path: raw}
	target := newDisk(t, 40*mib)
	res, err := writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, target))
	require.NoError(t, err)
	require.False(t, res.MovedGPT)
	equalUpTo(t, raw, target, 40*mib)
}

// TestPlainFile writes to a target that has none of the further abilities.
func TestPlainFile(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	path := convert(t, raw)
	target := newDisk(t, 30*mib)
	f, err := os.OpenFile(target, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	s := &server{path: path}
	_, err = writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), f)
	require.NoError(t, err)
	equalUpTo(t, raw, target, 20*mib)
}

// kernelReads tells whether this kernel reads GPTs at all, which one built for guests may not.
func kernelReads(dev, third string) bool {
	if _, err := os.Stat(third); err == nil {
		return true
	}
	_ = exec.Command("blockdev", "--rereadpt", dev).Run()
	_, err := os.Stat(third)
	return err == nil
}

func openError(path string) error {
	d, err := disk.Open(path)
	if err == nil {
		d.Close()
	}
	return err
}

func TestLoopDevice(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a loop device needs root")
	}
	raw := rawImage(t, 40*mib, true)
	path := convert(t, raw, "-c", "-o", "compression_type=zstd")
	target := filepath.Join(t.TempDir(), "disk") // on a real file system
	run(t, "cp", newDisk(t, 64*mib), target)
	out, err := exec.Command("losetup", "--find", "--show", "--partscan", target).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device to be had here: %s", out)
	}
	dev := string(out[:len(out)-1])
	defer func() { require.NoError(t, exec.Command("losetup", "-d", dev).Run()) }()
	d, err := disk.Open(dev)
	require.NoError(t, err)
	defer d.Close()
	s := &server{path: path}
	_, err = writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), d)
	require.NoError(t, err)
	require.NoError(t, d.RereadPartitions(t.Context(), nil))
	if third := filepath.Join("/sys/block", filepath.Base(dev), filepath.Base(dev)+"p3"); kernelReads(dev, third) {
		require.DirExists(t, third)
	}
	require.ErrorContains(t, openError(dev), "in use", "a claimed disk cannot be claimed again")
	run(t, "sync")
	require.Contains(t, run(t, "sgdisk", "-v", dev), "No problems found")
	// The image's own GPT differs from the disk's in the sectors that were moved.
	b, err := os.ReadFile(target)
	require.NoError(t, err)
	want, err := os.ReadFile(raw)
	require.NoError(t, err)
	require.Equal(t, want[mib:39*mib], b[mib:39*mib])
}
