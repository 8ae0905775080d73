package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// BenchmarkWriteToDisk writes the same qcow2 to the same disk, the one that holds TMPDIR, as the agent and as `qemu-img
// convert` do. BenchmarkWrite compares what they cost where nothing has to wait for a disk; this is what a machine sees.
// The agent fetches and hashes what qemu-img finds in a local file.
func BenchmarkWriteToDisk(b *testing.B) {
	const data = 1 << 30
	dir := b.TempDir()
	raw := filepath.Join(dir, "image.raw")
	f, err := os.Create(raw)
	require.NoError(b, err)
	for i := range int64(data / mib) {
		_, err := f.WriteAt(noise(mib, uint64(i)), i*mib)
		require.NoError(b, err)
	}
	require.NoError(b, f.Close())
	image := convert(b, raw)
	src := source(b, serveElsewhere(b, filepath.Dir(image))+filepath.Base(image), image, "qcow2")
	// The raw file is the disk from here on: as large as the image, every block of it allocated.
	command := "qemu-img convert -n -W -f qcow2 -O raw " + image + " " + raw + " && sync " + raw
	b.Run("ingot", func(b *testing.B) {
		b.SetBytes(data)
		w := disk.Writer{SkipReadBack: true}
		for b.Loop() {
			_, err := w.Write(b.Context(), src, open(b, raw))
			require.NoError(b, err)
		}
	})
	b.Run("qemu-img", func(b *testing.B) {
		b.SetBytes(data)
		for b.Loop() {
			run(b, "sh", "-c", command)
		}
	})
}
