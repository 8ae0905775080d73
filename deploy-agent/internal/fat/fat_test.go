package fat_test

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/fat"
)

// volume makes a FAT file system with mkfs.vfat and mtools.
func volume(t testing.TB, bits int, size int64) []byte {
	t.Helper()
	for _, name := range []string{"mkfs.vfat", "mcopy", "mmd"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	dir := t.TempDir()
	image := filepath.Join(dir, "fat")
	require.NoError(t, os.WriteFile(image, nil, 0o644))
	require.NoError(t, os.Truncate(image, size))
	run := func(name string, args ...string) {
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
	run("mkfs.vfat", "-F", strconv.Itoa(bits), "-n", "ESP", image)
	run("mmd", "-i", image, "::/EFI", "::/EFI/a long directory name", "::/EFI/gone")
	for name, content := range files() {
		file := filepath.Join(dir, "content")
		require.NoError(t, os.WriteFile(file, content, 0o644))
		run("mcopy", "-i", image, file, "::"+name)
	}
	run("mdel", "-i", image, "::/EFI/deleted.txt")
	run("mrd", "-i", image, "::/EFI/gone")
	b, err := os.ReadFile(image)
	require.NoError(t, err)
	return b
}

func files() map[string][]byte {
	return map[string][]byte{
		"/README.TXT":      []byte("short"),
		"/EFI/deleted.txt": []byte("gone"),
		"/EFI/a long directory name/Größe und Straße.efi": bytes.Repeat([]byte("0123456789abcdef"), 5000),
		"/EFI/lower.efi":    {},
		"/Exactly Thirteen": []byte("x"),
	}
}

// read gives all files by path.
func read(t testing.TB, b []byte) (map[string][]byte, error) {
	t.Helper()
	fs, err := fat.Open(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	dirs := 0
	root, err := fs.Root()
	if err != nil {
		return nil, err
	}
	var walk func(dir string, entries []fat.Entry, depth int) error
	walk = func(dir string, entries []fat.Entry, depth int) error {
		for _, e := range entries {
			at := path.Join(dir, e.Name)
			if len(out) > 1000 || depth > 4 {
				return nil
			}
			if !e.Dir {
				content, err := fs.Read(e)
				if err != nil {
					return err
				}
				out[at] = content
				continue
			}
			if dirs++; dirs > 50 {
				return nil
			}
			inner, err := fs.List(e)
			if err != nil {
				return err
			}
			if err := walk(at, inner, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return out, walk("/", root, 0)
}

func TestReadsWhatMtoolsWrote(t *testing.T) {
	for bits, size := range map[int]int64{12: 2 << 20, 16: 20 << 20, 32: 40 << 20} {
		t.Run(strconv.Itoa(bits), func(t *testing.T) {
			got, err := read(t, volume(t, bits, size))
			require.NoError(t, err)
			want := files()
			delete(want, "/EFI/deleted.txt")
			require.Len(t, got, len(want))
			for name, content := range want {
				require.True(t, bytes.Equal(content, got[name]), "%s: %d bytes of %d", name, len(got[name]), len(content))
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	_, err := fat.Open(bytes.NewReader(make([]byte, 4096)))
	require.ErrorIs(t, err, fat.ErrNotFAT)
	_, err = fat.Open(bytes.NewReader(make([]byte, 10)))
	require.Error(t, err)
}

func TestChainThatNeverEnds(t *testing.T) {
	b := volume(t, 12, 2<<20)
	fs, err := fat.Open(bytes.NewReader(b))
	require.NoError(t, err)
	root, err := fs.Root()
	require.NoError(t, err)
	sector, reserved := int(b[11])|int(b[12])<<8, int(b[14])|int(b[15])<<8
	for i := 3; i < 300; i += 3 { // every cluster is followed by cluster 2
		at := reserved*sector + i
		b[at], b[at+1], b[at+2] = 0x02, 0x20, 0x00
	}
	for _, e := range root {
		if e.Dir {
			_, err := fs.List(e)
			require.NoError(t, err, "it ends at the limit")
		}
	}
}

// Any bytes give files or an error, in bounded time and memory.
func FuzzVolume(f *testing.F) {
	if _, err := exec.LookPath("mkfs.vfat"); err == nil {
		f.Add(volume(f, 12, 256<<10)[:64<<10])
	}
	f.Add(make([]byte, 512))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = read(t, b)
	})
}
