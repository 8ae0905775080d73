package disk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/images/disk"
)

const mib = 1 << 20

// run runs a tool of the system and returns its output, or skips where it is missing.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// noise is n bytes that neither compress nor repeat.
func noise(n int, seed uint64) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	b := make([]byte, n)
	rand.NewChaCha8(key).Read(b)
	return b
}

// rawImage makes a raw image of size bytes with islands of noise, text and zeros, partitioned when table is set.
func rawImage(t testing.TB, size int64, table bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.raw")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Truncate(size))
	put := func(b []byte, at int64) {
		if at < size {
			_, err := f.WriteAt(b[:min(int64(len(b)), size-at)], at)
			require.NoError(t, err)
		}
	}
	put([]byte(strings.Repeat("grub ", 80)), 0)
	put(noise(300<<10, 1), 1*mib+4096)
	put(noise(3*mib, 2), 4*mib)
	put([]byte(strings.Repeat("The quick brown fox. ", 200000)), 9*mib)
	put(noise(100, 3), 20*mib+12345)
	put(noise(5000, 4), size-2*mib)
	put(noise(700, 5), size-700-40*512)
	require.NoError(t, f.Close())
	if table {
		run(t, "sgdisk", "-n", "1:2048:8191", "-t", "1:ef02", "-n", "2:8192:+8M", "-n", "3:0:0", path)
	}
	return path
}

// convert makes another form of an image with qemu-img.
func convert(t testing.TB, raw string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.qcow2")
	run(t, "qemu-img", append(append([]string{"convert", "-f", "raw", "-O", "qcow2"}, args...), raw, out)...)
	return out
}

// scratch is a folder for disks: in memory where there is plenty of it, since these tests sync a lot.
func scratch(t testing.TB) string {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &st); err != nil || st.Bavail*uint64(st.Bsize) < 2<<30 {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "disk-test-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newDisk makes a file of size bytes full of an earlier owner's data, among it what would boot.
func newDisk(t testing.TB, size int64) string {
	t.Helper()
	path := filepath.Join(scratch(t), "disk")
	junk := bytes.Repeat([]byte("old data "), mib/9+1)[:mib]
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for at := int64(0); at < size; at += mib {
		_, err := f.Write(junk[:min(mib, size-at)])
		require.NoError(t, err)
	}
	return path
}

func open(t testing.TB, path string) *disk.Device {
	t.Helper()
	d, err := disk.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func sha(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	require.NoError(t, err)
	return hex.EncodeToString(h.Sum(nil))
}

// equalUpTo compares the first n bytes of two files.
func equalUpTo(t testing.TB, want, got string, n int64) {
	t.Helper()
	a, err := os.Open(want)
	require.NoError(t, err)
	defer a.Close()
	b, err := os.Open(got)
	require.NoError(t, err)
	defer b.Close()
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < n; at += int64(len(x)) {
		k := min(int64(len(x)), n-at)
		_, err := a.ReadAt(x[:k], at)
		require.NoError(t, err)
		_, err = b.ReadAt(y[:k], at)
		require.NoError(t, err)
		if !bytes.Equal(x[:k], y[:k]) {
			for i := range k {
				if x[i] != y[i] {
					require.FailNowf(t, "the disk differs from the image", "at offset %d: %#x, not %#x", at+i, y[i], x[i])
				}
			}
		}
	}
}

// blankEnds tells whether the disk cannot boot: both ends are zeros.
func blankEnds(t testing.TB, path string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return blank(b[:mib]) && blank(b[len(b)-64<<10:])
}

// blank tells whether b is all zeros.
func blank(b []byte) bool { return bytes.Equal(b, make([]byte, len(b))) }

// server serves one file, with faults.
type server struct {
	path     string
	noRanges bool
	noLength bool
	tag      func() string // the ETag, per request
	// fault may answer in place of the server; it is given how many requests came before and the range asked for.
	fault func(n int, w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	requests int
	sent     int64
}

func (s *server) start(t testing.TB) string {
	t.Helper()
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return ts.URL + "/image"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := s.requests
	s.requests++
	s.mu.Unlock()
	if s.tag != nil {
		w.Header().Set("ETag", s.tag())
	}
	if s.fault != nil && s.fault(n, w, r) {
		return
	}
	if s.noRanges {
		r.Header.Del("Range")
	}
	f, err := os.Open(s.path)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	cw := &counting{ResponseWriter: w, s: s}
	if s.noLength {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		_, _ = io.Copy(cw, f)
		return
	}
	http.ServeContent(cw, r, "", time.Unix(1700000000, 0), f)
}

// counts returns how many requests came and how many bytes were sent.
func (s *server) counts() (requests int, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.sent
}

// counting counts the bytes of bodies.
type counting struct {
	http.ResponseWriter
	s *server
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.s.mu.Lock()
	c.s.sent += int64(n)
	c.s.mu.Unlock()
	return n, err
}

// writer is a Writer whose pauses take no time.
func writer() *disk.Writer {
	return &disk.Writer{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, StallTimeout: 5 * time.Second}
}

func source(t testing.TB, url, path, format string) disk.Source {
	return disk.Source{URL: url, Format: format, Checksum: sha(t, path)}
}
