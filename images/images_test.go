package images_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images"
)

func newService(t *testing.T) (*images.Service, string) {
	t.Helper()
	root := t.TempDir()
	return &images.Service{Roots: []string{root}, Secrets: [][]byte{[]byte("test")}, Log: slog.New(slog.DiscardHandler)}, root
}

func randomFile(t *testing.T, path string, size int) string {
	t.Helper()
	data := make([]byte, size)
	random := rand.NewChaCha8([32]byte{1})
	_, err := random.Read(data)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return sha256Of(data)
}

func sha256Of(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func qemuImg(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed (package qemu-utils)")
	}
	out, err := exec.Command("qemu-img", args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestFileIsServedWithRangesUnderItsSignature(t *testing.T) {
	service, root := newService(t)
	path := filepath.Join(root, "disk.raw")
	sum := randomFile(t, path, 100_000)
	ready, err := service.Prepare(t.Context(), ingot.ImageSource{URL: "file://" + path, Checksum: sum, DiskFormat: "raw"})
	require.NoError(t, err)
	require.Equal(t, "sha256", ready.ChecksumAlgo)
	require.EqualValues(t, 100_000, ready.Size)

	server := httptest.NewServer(service.Handler())
	defer server.Close()
	url := strings.Replace(ready.URL, "{boot}", server.URL, 1)
	require.Equal(t, sum, sha256Of(fetch(t, url, "", http.StatusOK)))
	require.Len(t, fetch(t, url, "bytes=99990-", http.StatusPartialContent), 10)

	tampered := strings.Replace(url, "/images/", "/images/L2V0Yy9wYXNzd2Q", 1)
	fetch(t, tampered, "", http.StatusNotFound)
	service.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	fetch(t, url, "", http.StatusNotFound)
}

func fetch(t *testing.T, url, span string, want int) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if span != "" {
		request.Header.Set("Range", span)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, want, response.StatusCode)
	return data
}

// TestURLsOutliveTheirSecret: while the secret is being changed, processes sign with either and serve both.
func TestURLsOutliveTheirSecret(t *testing.T) {
	old, root := newService(t)
	path := filepath.Join(root, "disk.raw")
	ready, err := old.Prepare(t.Context(), ingot.ImageSource{URL: "file://" + path, Checksum: randomFile(t, path, 1000), DiskFormat: "raw"})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		secrets []string
		status  int
	}{
		"the new one is second": {[]string{"test", "new"}, http.StatusOK}, "the new one is first": {[]string{"new", "test"}, http.StatusOK}, "the old one is gone": {[]string{"new"}, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			other := &images.Service{Roots: old.Roots, Log: old.Log}
			for _, secret := range c.secrets {
				other.Secrets = append(other.Secrets, []byte(secret))
			}
			server := httptest.NewServer(other.Handler())
			defer server.Close()
			fetch(t, strings.Replace(ready.URL, "{boot}", server.URL, 1), "", c.status)
		})
	}
}

func TestRefusals(t *testing.T) {
	service, root := newService(t)
	disk := filepath.Join(root, "disk.raw")
	sum := randomFile(t, disk, 4096)
	outside := filepath.Join(t.TempDir(), "secret")
	randomFile(t, outside, 4096)
	link := filepath.Join(root, "link")
	require.NoError(t, os.Symlink(outside, link))
	backed, plain, vmdk := filepath.Join(root, "backed.qcow2"), filepath.Join(root, "plain.qcow2"), filepath.Join(root, "disk.vmdk")
	qemuImg(t, "create", "-q", "-f", "qcow2", plain, "1M")
	qemuImg(t, "create", "-q", "-f", "qcow2", "-b", disk, "-F", "raw", backed)
	qemuImg(t, "create", "-q", "-f", "vmdk", vmdk, "1M")
	sums := filepath.Join(root, "SHA256SUMS")
	require.NoError(t, os.WriteFile(sums, []byte("ab  other\ncd  more\n"), 0o644))
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()

	cases := map[string]struct {
		source ingot.ImageSource
		says   string
	}{
		"outside of the folders": {ingot.ImageSource{URL: "file://" + outside, Checksum: sum}, "outside of the allowed folders"},
		"a link out of them":     {ingot.ImageSource{URL: "file://" + link, Checksum: sum}, "outside of the allowed folders"},
		"missing file":           {ingot.ImageSource{URL: "file://" + root + "/none", Checksum: sum}, "no such file"},
		"a folder":               {ingot.ImageSource{URL: "file://" + root, Checksum: sum}, "not a regular file"},
		"another scheme":         {ingot.ImageSource{URL: "ftp://host/disk", Checksum: sum}, "not a file://, http:// or https:// URL"},
		"MD5":                    {ingot.ImageSource{URL: "file://" + disk, Checksum: sum[:32]}, "MD5 proves nothing"},
		"checksum of nothing":    {ingot.ImageSource{URL: "file://" + disk, Checksum: "zz"}, "neither hex nor a URL"},
		"algorithm and length":   {ingot.ImageSource{URL: "file://" + disk, Checksum: sum, ChecksumAlgo: "sha512"}, "image_os_hash_algo says sha512"},
		"no line for the image":  {ingot.ImageSource{URL: "file://" + disk, Checksum: "file://" + sums}, "has no line for disk.raw"},
		"raw that is qcow2":      {ingot.ImageSource{URL: "file://" + plain, Checksum: sum, DiskFormat: "raw"}, "qcow2"},
		"qcow2 that is raw":      {ingot.ImageSource{URL: "file://" + disk, Checksum: sum, DiskFormat: "qcow2"}, "raw"},
		"backing file":           {ingot.ImageSource{URL: "file://" + backed, Checksum: sum, DiskFormat: "qcow2"}, "backing file"},
		"vmdk":                   {ingot.ImageSource{URL: "file://" + vmdk, Checksum: sum}, "vmdk"},
		"404":                    {ingot.ImageSource{URL: server.URL + "/disk.raw", Checksum: sum}, "404"},
		"local without a cache":  {ingot.ImageSource{URL: "file://" + disk, Checksum: "http://127.0.0.1:1/sums"}, "cannot read the checksum file"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := service.Prepare(t.Context(), c.source)
			require.ErrorContains(t, err, c.says)
			if !strings.Contains(c.source.Checksum, "127.0.0.1:1/") {
				require.True(t, ingot.IsFatal(err), "this stays as it is: %v", err)
			}
		})
	}
}

func TestChecksumFiles(t *testing.T) {
	service, root := newService(t)
	disk := filepath.Join(root, "disk.raw")
	sum := randomFile(t, disk, 4096)
	for name, text := range map[string]string{
		"coreutils": "00  other\n" + sum + "  disk.raw\n", "binary mark": "00 *other\n" + sum + " *disk.raw\n",
		"BSD": "SHA256 (other) = 00\nSHA256 (disk.raw) = " + sum + "\n", "alone": sum + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			sums := filepath.Join(root, "sums")
			require.NoError(t, os.WriteFile(sums, []byte(text), 0o644))
			ready, err := service.Prepare(t.Context(), ingot.ImageSource{URL: "file://" + disk, Checksum: "file://" + sums})
			require.NoError(t, err)
			require.Equal(t, sum, ready.Checksum)
		})
	}
}

func TestRemoteImageIsJudgedWhereItIs(t *testing.T) {
	service, root := newService(t)
	plain := filepath.Join(root, "plain.qcow2")
	qemuImg(t, "create", "-q", "-f", "qcow2", plain, "64M")
	data, err := os.ReadFile(plain)
	require.NoError(t, err)
	server := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer server.Close()
	url := server.URL + "/plain.qcow2"
	ready, err := service.Prepare(t.Context(), ingot.ImageSource{URL: url, Checksum: sha256Of(data), DiskFormat: "qcow2"})
	require.NoError(t, err)
	require.Equal(t, url, ready.URL)
	require.EqualValues(t, 64<<20, ready.VirtualSize)
	require.EqualValues(t, len(data), ready.Size)
}

// flaky serves one file, and breaks the connection in the middle of the first answer to a whole request.
type flaky struct {
	data  []byte
	gets  atomic.Int32
	broke atomic.Bool
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if span := r.Header.Get("Range"); span == "" || strings.HasSuffix(span, "-") {
		f.gets.Add(1)
	}
	if r.Header.Get("Range") == "" && f.broke.CompareAndSwap(false, true) {
		w.Header().Set("Content-Length", "300000")
		_, _ = w.Write(f.data[:100_000])
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Unix(1, 0), strings.NewReader(string(f.data)))
}

func TestCacheDownloadsOnceAndGoesOn(t *testing.T) {
	service, root := newService(t)
	sum := randomFile(t, filepath.Join(root, "disk.raw"), 300_000)
	data, err := os.ReadFile(filepath.Join(root, "disk.raw"))
	require.NoError(t, err)
	source := &flaky{data: data}
	server := httptest.NewServer(source)
	defer server.Close()
	service.Cache = &images.Cache{Dir: filepath.Join(t.TempDir(), "cache"), Max: 1 << 20}
	ask := ingot.ImageSource{URL: server.URL + "/disk.raw", Checksum: sum, DiskFormat: "raw", Download: "local"}

	ready := untilReady(t, service, ask)
	files := httptest.NewServer(service.Handler())
	defer files.Close()
	require.Equal(t, sum, sha256Of(fetch(t, strings.Replace(ready.URL, "{boot}", files.URL, 1), "", http.StatusOK)))
	downloads := source.gets.Load()
	untilReady(t, service, ask)
	require.EqualValues(t, 2, downloads, "one that broke, one for the rest")
	require.Equal(t, downloads, source.gets.Load(), "the second asking only reads the headers")
}

func untilReady(t *testing.T, service *images.Service, ask ingot.ImageSource) ingot.ImageReady {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		ready, err := service.Prepare(ctx, ask)
		if err == nil {
			return ready
		}
		require.False(t, ingot.IsFatal(err), "%v", err)
		require.NoError(t, ctx.Err(), "%v", err)
	}
}

func TestCacheRefusesWrongBytes(t *testing.T) {
	service, root := newService(t)
	randomFile(t, filepath.Join(root, "disk.raw"), 4096)
	server := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer server.Close()
	service.Cache = &images.Cache{Dir: filepath.Join(t.TempDir(), "cache"), Max: 1 << 20}
	ask := ingot.ImageSource{URL: server.URL + "/disk.raw", Checksum: sha256Of(nil), Download: "local"}
	require.Eventually(t, func() bool {
		_, err := service.Prepare(t.Context(), ask)
		return ingot.IsFatal(err) && strings.Contains(err.Error(), "not "+sha256Of(nil))
	}, 30*time.Second, 10*time.Millisecond)
	entries, err := os.ReadDir(service.Cache.Dir)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing wrong is kept")
}
