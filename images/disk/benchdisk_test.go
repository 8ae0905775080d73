package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// BenchmarkWriteToDisk writes the same qcow2 to the same disk, the one that holds TMPDIR, as the agent and as `qemu-img
// convert` do: a compressed one of a distribution's files, as distributions publish theirs, and one of noise that is not
// compressed, where nothing is left to do but to copy. BenchmarkWrite compares what they cost where nothing has to wait for
// a disk; this is what a machine sees. The agent fetches and hashes what qemu-img finds in a local file.
func BenchmarkWriteToDisk(b *testing.B) {
	const data = 1 << 30
	for _, form := range []struct {
		name    string
		fill    func(b *testing.B, f *os.File, size int64)
		options []string
	}{
		{"published", fillWithFiles, []string{"-c"}},
		{"noise", fillWithNoise, nil},
	} {
		b.Run(form.name, func(b *testing.B) {
			raw := filepath.Join(b.TempDir(), "image.raw")
			f, err := os.Create(raw)
			require.NoError(b, err)
			form.fill(b, f, data)
			require.NoError(b, f.Close())
			image := convert(b, raw, form.options...)
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
		})
	}
}

func fillWithNoise(b *testing.B, f *os.File, size int64) {
	b.Helper()
	for i := range size / mib {
		_, err := f.WriteAt(noise(mib, uint64(i)), i*mib)
		require.NoError(b, err)
	}
}

// fillWithFiles fills an image with what /usr has, file after file, and again from the first if that is less.
func fillWithFiles(b *testing.B, f *os.File, size int64) {
	b.Helper()
	var at int64
	full := errors.New("full")
	for at < size {
		before := at
		err := filepath.WalkDir("/usr", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return nil // not ours to judge: another file will do
			}
			from, err := os.Open(path)
			if err != nil {
				return nil
			}
			defer from.Close()
			n, err := io.Copy(io.NewOffsetWriter(f, at), io.LimitReader(from, size-at))
			if at += (n + 4095) / 4096 * 4096; err == nil && at >= size { // as file systems lay them out
				err = full
			}
			return err
		})
		if err != nil {
			require.ErrorIs(b, err, full)
		}
		require.Greater(b, at, before, "/usr has no files")
	}
	require.NoError(b, f.Truncate(size))
}
