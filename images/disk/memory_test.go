package disk_test

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// peak runs f and returns the most bytes that live and dead objects took on the heap together meanwhile.
func peak(f func()) uint64 {
	stop, done := make(chan struct{}), make(chan uint64)
	runtime.GC()
	go func() {
		var top uint64
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			top = max(top, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-stop:
				done <- top
				return
			}
		}
	}()
	f()
	close(stop)
	return <-done
}

// TestMemoryStaysBounded writes large images of each kind; the HTTP server runs in the same process and is counted too.
func TestMemoryStaysBounded(t *testing.T) {
	if testing.Short() || racing {
		t.Skip("reads and writes several gigabytes, most of them zeros")
	}
	const size = 2 << 30
	raw := filepath.Join(t.TempDir(), "image.raw")
	f, err := os.Create(raw)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	for at := int64(0); at < size; at += 64 * mib {
		_, err := f.WriteAt(noise(mib, uint64(at>>26)), at)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("The quick brown fox jumps over the lazy dog."), at+30*mib+5)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	for name, args := range map[string][]string{
		"qcow2 zlib":        {"-c"},
		"qcow2 zstd in 2M":  {"-c", "-o", "compression_type=zstd,cluster_size=2M"},
		"qcow2 subclusters": {"-o", "extended_l2=on,cluster_size=2M"},
	} {
		t.Run(name, func(t *testing.T) { bounded(t, convert(t, raw, args...), "qcow2", size) })
	}
	short := filepath.Join(t.TempDir(), "short.raw")
	run(t, "dd", "if="+raw, "of="+short, "bs=1M", "count=150", "conv=sparse", "status=none")
	for suffix, tool := range map[string][]string{".zst": {"zstd", "-q", "-12", "--zstd=wlog=23"}, ".xz": {"xz", "-6", "-k"}} {
		t.Run("raw"+suffix, func(t *testing.T) {
			run(t, tool[0], append(tool[1:], short)...)
			bounded(t, short+suffix, "raw", size)
		})
	}
}

func bounded(t *testing.T, path, format string, size int64) {
	t.Helper()
	target := sparse(t, size)
	dev := open(t, target)
	s := &server{path: path}
	src := source(t, s.start(t), path, format)
	w := &disk.Writer{Workers: 4}
	var err error
	top := peak(func() { _, err = w.Write(t.Context(), src, dev) })
	require.NoError(t, err)
	t.Logf("peak heap %d MiB", top/mib)
	require.Less(t, top, uint64(48*mib))
}
