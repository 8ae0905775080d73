package disk_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
	"github.com/ingot-metal/ingot/images/format"
)

// cutting breaks the connection after some bytes of each answer to a request for more than a table.
func cutting(path string, every int64) func(int, http.ResponseWriter, *http.Request) bool {
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		f, err := os.Open(path)
		if err != nil {
			return false
		}
		defer f.Close()
		st, _ := f.Stat()
		from := int64(0)
		if span := strings.TrimPrefix(r.Header.Get("Range"), "bytes="); span != "" {
			first, last, _ := strings.Cut(span, "-")
			if last != "" {
				return false
			}
			from, _ = strconv.ParseInt(first, 10, 64)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, st.Size()-1, st.Size()))
		}
		if from+every >= st.Size() {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(st.Size()-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		_, _ = io.Copy(w, io.NewSectionReader(f, from, every))
		panic(http.ErrAbortHandler)
	}
}

func TestBrokenConnectionsAreContinued(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	qcow := convert(t, raw, "-c")
	for name, path := range map[string]string{"raw": raw, "qcow2": qcow} {
		t.Run(name, func(t *testing.T) {
			st, err := os.Stat(path)
			require.NoError(t, err)
			s := &server{path: path, tag: func() string { return `"v1"` }, fault: cutting(path, st.Size()/7)}
			target := newDisk(t, 20*mib)
			w := writer()
			w.Attempts = 2
			res, err := w.Write(t.Context(), source(t, s.start(t), path, name), open(t, target))
			require.NoError(t, err)
			equalUpTo(t, raw, target, 20*mib)
			require.GreaterOrEqual(t, res.Reconnects, 6)
		})
	}
}

func TestBrokenConnectionWithoutRanges(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	cut := cutting(raw, 5*mib)
	s := &server{path: raw, noRanges: true, fault: func(n int, w http.ResponseWriter, r *http.Request) bool {
		return n < 2 && cut(n, w, &http.Request{Header: http.Header{}})
	}}
	target := newDisk(t, 20*mib)
	res, err := writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, target))
	require.NoError(t, err)
	require.Equal(t, 2, res.Reconnects)
	equalUpTo(t, raw, target, 20*mib)
}

func TestUnknownLength(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	s := &server{path: raw, noLength: true}
	target := newDisk(t, 20*mib)
	_, err := writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, target))
	require.NoError(t, err)
	equalUpTo(t, raw, target, 20*mib)

	_, err = writer().Write(t.Context(), source(t, s.start(t), raw, "raw"), open(t, newDisk(t, 10*mib)))
	require.ErrorIs(t, err, disk.ErrTooLarge)
}

// answer is a fault that answers every request from the from-th on with a status.
func answer(status, from int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n >= from {
			w.WriteHeader(status)
		}
		return n >= from
	}
}

// silent is a fault that sends some bytes and then nothing until the client goes away.
func silent(w http.ResponseWriter, r *http.Request, path string, n int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	st, _ := f.Stat()
	w.Header().Set("Content-Length", fmt.Sprint(st.Size()))
	_, _ = io.CopyN(w, f, n)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
	return true
}

// TestFailures holds each way to fail against its error, and against what the disk looks like afterwards: as before when
// nothing was to be written yet, and unable to boot otherwise.
func TestFailures(t *testing.T) {
	raw := rawImage(t, 20*mib, true)
	qcow := convert(t, raw)
	backed := filepath.Join(t.TempDir(), "backed.qcow2")
	run(t, "qemu-img", "create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", backed)
	vhd := filepath.Join(t.TempDir(), "fixed.vhd")
	run(t, "qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed", raw, vhd)
	half := filepath.Join(t.TempDir(), "half")
	whole, err := os.ReadFile(qcow)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(half, whole[:len(whole)/2], 0o600))
	zst := raw + ".zst"
	run(t, "zstd", "-q", "-k", raw)
	zst2, err := os.ReadFile(zst)
	require.NoError(t, err)
	shortZst := filepath.Join(t.TempDir(), "short.zst")
	require.NoError(t, os.WriteFile(shortZst, zst2[:len(zst2)/2], 0o600))
	longWindow := filepath.Join(t.TempDir(), "long.zst")
	run(t, "zstd", "-q", "--ultra", "-20", "--long=27", "--no-content-size", raw, "-o", longWindow)
	bigDict := filepath.Join(t.TempDir(), "big.xz")
	require.NoError(t, os.WriteFile(bigDict, []byte(run(t, "sh", "-c", "xz -9 -c < "+raw)), 0o600))

	wrong := strings.Repeat("0", 64)
	rows := []struct {
		name, path, format string
		want               error
		text               string
		size               int64
		srv                func(s *server)
		src                func(s *disk.Source)
		touched            bool
	}{
		{name: "404", path: raw + ".gone", format: "raw", want: disk.ErrNotFound, text: "404"},
		{name: "404 qcow2", path: raw + ".gone", format: "qcow2", want: disk.ErrNotFound, text: "404"},
		{name: "403", path: raw, format: "raw", want: disk.ErrHTTP, text: "403", srv: func(s *server) { s.fault = answer(403, 0) }},
		{name: "500 for ever", path: raw, format: "raw", want: disk.ErrHTTP, text: "500", srv: func(s *server) { s.fault = answer(500, 0) }},
		{name: "gone midway", path: raw, format: "raw", want: disk.ErrNotFound, touched: true, srv: func(s *server) {
			s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				return answer(404, 1)(n, w, r) || cutting(raw, 5*mib)(n, w, r)
			}
		}},
		{
			name: "checksum raw", path: raw, format: "raw", want: disk.ErrChecksum, text: wrong, touched: true,
			src: func(s *disk.Source) { s.Checksum = wrong },
		},
		{
			name: "checksum qcow2", path: qcow, format: "qcow2", want: disk.ErrChecksum, text: wrong, touched: true,
			src: func(s *disk.Source) { s.Checksum = wrong },
		},
		{
			name: "checksum zstd", path: zst, format: "raw", want: disk.ErrChecksum, text: wrong, touched: true,
			src: func(s *disk.Source) { s.Checksum = wrong },
		},
		{name: "qcow2 declared raw", path: qcow, format: "raw", want: format.ErrMismatch, text: "declare qcow2"},
		{name: "raw declared qcow2", path: raw, format: "qcow2", want: format.ErrMismatch, text: "content is raw"},
		{
			name: "zstd declared not", path: zst, format: "raw", want: format.ErrMismatch, text: "content is zstd",
			src: func(s *disk.Source) { s.Compression = "none" },
		},
		{name: "backing file", path: backed, format: "qcow2", want: format.ErrUnsafe, text: "backing file"},
		{name: "fixed VHD declared raw", path: vhd, format: "raw", want: format.ErrMismatch, text: "footer of a vhd", touched: true, size: 30 * mib},
		{name: "raw too large", path: raw, format: "raw", want: disk.ErrTooLarge, size: 10 * mib},
		{name: "qcow2 too large", path: qcow, format: "qcow2", want: disk.ErrTooLarge, size: 10 * mib},
		{name: "zstd too large", path: zst, format: "raw", want: disk.ErrTooLarge, size: 10 * mib, touched: true},
		{name: "half a qcow2", path: half, format: "qcow2", want: disk.ErrDecode, touched: true},
		{name: "half a zstd", path: shortZst, format: "raw", want: disk.ErrDecode, touched: true},
		{name: "zstd window", path: longWindow, format: "raw", want: disk.ErrDecode, text: "without --long"},
		{name: "xz dictionary", path: bigDict, format: "raw", want: disk.ErrDecode, text: "xz -6"},
		{name: "qcow2 without ranges", path: qcow, format: "qcow2", want: disk.ErrNoRanges, srv: func(s *server) { s.noRanges = true }},
		{name: "cut off every time", path: raw, format: "raw", want: disk.ErrTruncated, touched: true, srv: func(s *server) {
			s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n > 0 {
					panic(http.ErrAbortHandler)
				}
				return cutting(raw, 5*mib)(n, w, r)
			}
		}},
		{name: "changed midway", path: raw, format: "raw", want: disk.ErrChanged, touched: true, srv: func(s *server) {
			version := 0
			s.tag = func() string { version++; return fmt.Sprintf(`"v%d"`, version) }
			s.fault = cutting(raw, 5*mib)
		}},
		{name: "stalled at once", path: raw, format: "raw", want: disk.ErrStalled, srv: func(s *server) {
			s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}},
		{name: "stalled midway", path: raw, format: "raw", want: disk.ErrStalled, touched: true, srv: func(s *server) {
			s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n > 0 {
					<-r.Context().Done()
					return true
				}
				return silent(w, r, raw, 5*mib)
			}
		}},
		{name: "not http", path: raw, format: "raw", want: disk.ErrSource, src: func(s *disk.Source) { s.URL = "file:///etc/passwd" }},
		{name: "no checksum", path: raw, format: "raw", want: disk.ErrSource, src: func(s *disk.Source) { s.Checksum = "" }},
		{name: "md5", path: raw, format: "raw", want: disk.ErrSource, text: "MD5", src: func(s *disk.Source) { s.Checksum = strings.Repeat("0", 32) }},
		{name: "vmdk", path: raw, format: "vmdk", want: disk.ErrSource},
		{name: "gzip in qcow2", path: qcow, format: "qcow2", want: disk.ErrSource, src: func(s *disk.Source) { s.Compression = "gzip" }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := &server{path: row.path}
			if row.srv != nil {
				row.srv(s)
			}
			src := disk.Source{URL: s.start(t), Format: row.format, Checksum: wrong}
			if _, err := os.Stat(row.path); err == nil {
				src.Checksum = sha(t, row.path)
			}
			if row.src != nil {
				row.src(&src)
			}
			if row.size == 0 {
				row.size = 20 * mib
			}
			target := newDisk(t, row.size)
			before := sha(t, target)
			w := writer()
			w.StallTimeout = 300 * time.Millisecond
			w.Attempts = 3
			_, err := w.Write(t.Context(), src, open(t, target))
			require.ErrorIs(t, err, row.want)
			require.ErrorContains(t, err, row.text)
			if row.touched {
				require.True(t, blankEnds(t, target), "the disk could boot")
			} else {
				require.Equal(t, before, sha(t, target), "the disk was touched")
			}
		})
	}
}

func TestCancelledInTheMiddle(t *testing.T) {
	raw := rawImage(t, 20*mib, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &server{path: raw, fault: func(_ int, w http.ResponseWriter, r *http.Request) bool {
		time.AfterFunc(100*time.Millisecond, cancel)
		return silent(w, r, raw, 5*mib)
	}}
	target := newDisk(t, 20*mib)
	_, err := writer().Write(ctx, source(t, s.start(t), raw, "raw"), open(t, target))
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, blankEnds(t, target))
}

// TestTablesThatChange serves other tables to the requests for ranges than in the file as a whole.
func TestTablesThatChange(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	path := convert(t, raw)
	other := filepath.Join(t.TempDir(), "other.qcow2")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	l2 := b[4*64<<10:] // where qemu-img puts the first L2 table of such an image
	for i := 0; i < 64<<10; i += 8 {
		l2[i+7] |= 1 // reads as zeros
	}
	require.NoError(t, os.WriteFile(other, b, 0o600))
	s := &server{path: path, fault: func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "" {
			return false
		}
		f, _ := os.Open(other)
		defer f.Close()
		http.ServeContent(w, r, "", time.Unix(1700000000, 0), f)
		return true
	}}
	target := newDisk(t, 20*mib)
	_, err = writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
	require.ErrorIs(t, err, disk.ErrChanged)
	require.True(t, blankEnds(t, target))
}

// TestDamagedCluster tells an image that is damaged as published from a file that is not the declared one.
func TestDamagedCluster(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "image.raw")
	require.NoError(t, os.WriteFile(raw, []byte(hex.EncodeToString(noise(10*mib, 7))), 0o600))
	path := convert(t, raw, "-c", "-o", "compression_type=zstd")
	good := sha(t, path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	st, err := f.Stat()
	require.NoError(t, err)
	junk := noise(64<<10, 77)
	_, err = f.WriteAt(junk, st.Size()/2)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	s := &server{path: path}
	src := source(t, s.start(t), path, "qcow2")
	_, err = writer().Write(t.Context(), src, open(t, newDisk(t, 20*mib)))
	require.ErrorIs(t, err, disk.ErrDecode)
	require.NotErrorIs(t, err, disk.ErrChecksum)
	src.Checksum = good
	_, err = writer().Write(t.Context(), src, open(t, newDisk(t, 20*mib)))
	require.ErrorIs(t, err, disk.ErrChecksum)
}

// liar is a disk that loses or changes what was written at one place.
type liar struct {
	*disk.Device
	at int64
}

func (l *liar) ReadAt(p []byte, off int64) (int, error) {
	n, err := l.Device.ReadAt(p, off)
	if off <= l.at && l.at < off+int64(n) {
		p[l.at-off] ^= 0x10
	}
	return n, err
}

func TestReadBackNoticesALyingDisk(t *testing.T) {
	raw := rawImage(t, 20*mib, false)
	qcow := convert(t, raw, "-c")
	for name, path := range map[string]string{"raw": raw, "qcow2": qcow} {
		for _, at := range []int64{5, 4*mib + 77, 15 * mib, 19*mib + 5} { // the first megabyte, data, zeros, the last
			t.Run(fmt.Sprint(name, " ", at), func(t *testing.T) {
				s := &server{path: path}
				target := newDisk(t, 20*mib)
				_, err := writer().Write(t.Context(), source(t, s.start(t), path, name), &liar{open(t, target), at})
				require.ErrorIs(t, err, disk.ErrReadBack)
				var m *disk.MismatchError
				require.True(t, errors.As(err, &m))
				require.True(t, m.Offset <= at && at < m.Offset+m.Length, "%d is not in %+v", at, m)
				require.True(t, blankEnds(t, target))
			})
		}
	}
}
