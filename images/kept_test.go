package images_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images"
)

// beside is another process of the service.
type beside struct{ at string }

func (b beside) Get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	if b.at == "" {
		return nil, errors.New("nobody is there")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.at+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header = header
	return http.DefaultClient.Do(request)
}

// TestImagesThatAreNotHere: a process whose cache has no room for an image passes it through, from another that has it, or
// from its source; the ranges and the tag are the same whoever answers.
func TestImagesThatAreNotHere(t *testing.T) {
	first, root := newService(t)
	sum := randomFile(t, filepath.Join(root, "disk.raw"), 100_000)
	data, err := os.ReadFile(filepath.Join(root, "disk.raw"))
	require.NoError(t, err)
	source := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer source.Close()
	first.Cache = &images.Cache{Dir: t.TempDir(), Max: 1 << 20}
	var ready ingot.ImageReady
	require.Eventually(t, func() bool {
		ready, err = first.Prepare(t.Context(), ingot.ImageSource{URL: source.URL + "/disk.raw", Checksum: sum, Download: "local"})
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	has := httptest.NewServer(first.Here())
	defer has.Close()

	late, _ := newService(t)
	late.Cache = &images.Cache{Dir: t.TempDir(), Max: 1} // no room
	server := httptest.NewServer(late.Handler())
	defer server.Close()
	url := strings.Replace(ready.URL, "{boot}", server.URL, 1)
	same := func(why string) {
		t.Helper()
		require.Equal(t, data[99_990:], fetch(t, url, "bytes=99990-", http.StatusPartialContent), why)
		require.Equal(t, data, fetch(t, url, "", http.StatusOK), why)
	}
	same("from the source")
	source.Close()
	fetch(t, url, "", http.StatusServiceUnavailable)
	late.Elsewhere = beside{has.URL}
	same("from another process")
	late.Elsewhere = beside{}
	fetch(t, url, "", http.StatusServiceUnavailable)
	empty := httptest.NewServer(late.Here())
	defer empty.Close()
	fetch(t, strings.Replace(ready.URL, "{boot}", empty.URL, 1), "", http.StatusNotFound)
}
