package disk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/lima-vm/go-qcow2reader/image/qcow2"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// wire answers requests without a network.
type wire func(r *http.Request) (*http.Response, error)

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// holding serves b with ranges.
func holding(b []byte) wire {
	return func(r *http.Request) (*http.Response, error) {
		w := &recorder{header: http.Header{}}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
		return &http.Response{
			StatusCode: w.code, Header: w.header, Body: io.NopCloser(&w.body), Request: r, ContentLength: int64(w.body.Len()),
		}, nil
	}
}

type recorder struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(code int)        { w.code = code }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// tinyQCOW2 is an image of a megabyte in which the header, an L1 and an L2 table and some data are clusters of 4 KiB;
// qemu-img accepts it, and every mutation of its tables is within reach of the fuzzer.
func tinyQCOW2() []byte {
	b := make([]byte, 7*4096)
	be := binary.BigEndian
	copy(b, "QFI\xfb")
	be.PutUint32(b[4:], 3)
	be.PutUint32(b[20:], 12)
	be.PutUint64(b[24:], mib)
	be.PutUint32(b[36:], 1)
	be.PutUint64(b[40:], 4096)
	be.PutUint64(b[48:], 6*4096) // the reference counts, all zero: nobody who only reads cares
	be.PutUint32(b[56:], 1)
	be.PutUint32(b[96:], 4)
	be.PutUint32(b[100:], 104)
	be.PutUint64(b[4096:], 1<<63|2*4096)
	be.PutUint64(b[2*4096:], 1<<63|3*4096)
	be.PutUint64(b[2*4096+8*7:], 1)
	be.PutUint64(b[2*4096+8*9:], 1<<63|4*4096)
	// A stored deflate block of 100 bytes would be too short for a cluster; the fuzzer finds what it does.
	be.PutUint64(b[2*4096+8*11:], 1<<62|5*4096+10)
	copy(b[3*4096:], noise(2*4096, 1))
	return b
}

// FuzzQCOW2 converts hostile images, and holds what is accepted against another reader.
func FuzzQCOW2(f *testing.F) {
	good := tinyQCOW2()
	binary.BigEndian.PutUint64(good[2*4096+8*11:], 0)
	f.Add(good)
	f.Add(tinyQCOW2())
	f.Add([]byte("QFI\xfb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := make(memory, 4*mib)
		copy(m, "an old boot sector")
		src := disk.Source{
			URL: "http://image.test/", Format: "qcow2", Unverified: true, Client: &http.Client{Transport: holding(b)},
		}
		res, err := writer().Write(context.Background(), src, m)
		if err != nil {
			if !bytes.HasPrefix(m, []byte("an old boot sector")) && !blank(m[:mib]) {
				t.Fatalf("half an image was left by: %v", err)
			}
			return
		}
		img, err := qcow2.Open(bytes.NewReader(b), nil)
		if err != nil || img.Readable() != nil {
			return
		}
		want := make([]byte, res.ImageSize)
		if _, err := io.ReadFull(io.NewSectionReader(img, 0, res.ImageSize), want); err != nil {
			return
		}
		if !bytes.Equal(want, m[:res.ImageSize]) && !res.MovedGPT {
			t.Fatal("the other reader sees another disk")
		}
	})
}

// TestTinyQCOW2 makes sure that the fuzzer's seed is what qemu-img thinks it is.
func TestTinyQCOW2(t *testing.T) {
	path := t.TempDir() + "/tiny.qcow2"
	b := tinyQCOW2()
	binary.BigEndian.PutUint64(b[2*4096+8*11:], 0)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	run(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, path+".raw")
	s := &server{path: path}
	target := newDisk(t, 4*mib)
	_, err := writer().Write(t.Context(), source(t, s.start(t), path, "qcow2"), open(t, target))
	require.NoError(t, err)
	equalUpTo(t, path+".raw", target, mib)
}

// FuzzAnswers lets a hostile server answer.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "", `"a"`, int64(10), []byte("image data"), false)
	f.Add(206, "bytes 0-9/10", "", int64(10), []byte("image data"), true)
	f.Add(206, "bytes 0-0/*", "", int64(-1), []byte("i"), true)
	f.Add(206, "bytes 5-/99999999999999999999", "", int64(3), []byte("abc"), true)
	f.Add(416, "bytes */0", "", int64(0), []byte{}, false)
	f.Fuzz(func(t *testing.T, code int, span, tag string, length int64, body []byte, qcow bool) {
		if code < 200 || code > 599 || (code >= 300 && code < 400) {
			return
		}
		n := 0
		client := &http.Client{Transport: wire(func(r *http.Request) (*http.Response, error) {
			if n++; n > 100 {
				return nil, errors.New("too many requests")
			}
			h := http.Header{}
			h.Set("Content-Range", span)
			h.Set("ETag", tag)
			return &http.Response{
				StatusCode: code, Status: strconv.Itoa(code), Header: h, Body: io.NopCloser(bytes.NewReader(body)),
				ContentLength: max(length, -1), Request: r,
			}, nil
		})}
		src := disk.Source{URL: "http://image.test/", Format: "raw", Unverified: true, Client: client}
		if qcow {
			src.Format = "qcow2"
		}
		m := make(memory, 3*mib)
		if _, err := writer().Write(context.Background(), src, m); err == nil && n > 100 {
			t.Fatal("endless requests")
		}
		if n > 100 {
			t.Fatalf("%d requests for one image", n)
		}
	})
}
