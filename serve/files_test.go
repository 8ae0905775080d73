package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// conducting is a conductor of the name that has files on its host: an image, and a ramdisk.
func conducting(t *testing.T, url, name string, image []byte) serve.Config {
	t.Helper()
	cfg := shared(t, url, name, "conductor")
	cfg.Boot.URL = "http://boot.example"
	for path, data := range map[string][]byte{"images/disk.raw": image, "ramdisk/vmlinuz": []byte("a kernel"), "ramdisk/initramfs.zst": []byte("an initramfs")} {
		path = filepath.Join(cfg.Data, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	return cfg
}

// fetched gets a path of the boot listener; span is a range, or "".
func fetched(t *testing.T, app *serve.App, path, span string) (status int, tag string, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(path, "{boot}", "http://"+serve.BootAddress(app), 1), nil)
	require.NoError(t, err)
	if span != "" {
		request.Header.Set("Range", span)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header.Get("ETag"), body
}

// TestFilesOutliveTheirConductor: what one conductor prepared is served by a boot service of another host, from that
// conductor, from its source when that is dead, and from its own cache in the end; a file that is on one host alone as long
// as a conductor with it lives.
func TestFilesOutliveTheirConductor(t *testing.T) {
	url := storetest.PostgresConfig(t).URL
	image := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	sum := sha256.Sum256(image)
	var asked atomic.Int64
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image))
	}))
	defer source.Close()
	boot := runWith(t, shared(t, url, "boot", "pxe"))
	cfg := conducting(t, url, "work", image)
	work, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	stop := running(t, work)
	require.Eventually(t, func() bool { return work.Conductor.Pulse.Ready() == nil }, waiting, tick)
	prepared := func(from ingot.ImageSource) ingot.ImageReady {
		from.Checksum, from.DiskFormat = hex.EncodeToString(sum[:]), "raw"
		var ready ingot.ImageReady
		require.Eventually(t, func() (done bool) {
			ready, err = serve.PrepareImage(t.Context(), work, from)
			return err == nil
		}, waiting, tick)
		return ready
	}
	remote := prepared(ingot.ImageSource{URL: source.URL + "/disk.raw?password=secret", Download: "local"})
	require.NotContains(t, remote.URL, "secret")
	file := prepared(ingot.ImageSource{URL: "file://" + filepath.Join(cfg.Data, "images", "disk.raw")})
	node := booting(t, work)

	for name, ready := range map[string]ingot.ImageReady{"through the cache": remote, "a file": file} {
		status, tag, body := fetched(t, boot, ready.URL, "")
		require.Equal(t, http.StatusOK, status, name)
		require.True(t, bytes.Equal(image, body), name)
		require.NotEmpty(t, tag, name)
		status, again, body := fetched(t, boot, ready.URL, "bytes=16-20")
		require.Equal(t, http.StatusPartialContent, status, name)
		require.Equal(t, "01234", string(body), name)
		require.Equal(t, tag, again, "whoever answers, an agent that resumes has the same file")
	}
	for name, want := range map[string]string{"vmlinuz": "a kernel", "initramfs": "an initramfs", "config-drive": "a config drive"} {
		status, _, body := fetched(t, boot, "{boot}/boot/file/"+node.Boot.Token+"/"+name, "")
		require.Equal(t, http.StatusOK, status, name)
		require.Equal(t, want, string(body))
	}
	stop()

	status, _, body := fetched(t, boot, "{boot}/boot/file/"+node.Boot.Token+"/config-drive", "")
	require.Equal(t, http.StatusOK, status, "it is a row")
	require.Equal(t, "a config drive", string(body))
	status, _, _ = fetched(t, boot, file.URL, "")
	require.Equal(t, http.StatusNotFound, status, "it was on that host alone")
	late := runWith(t, shared(t, url, "late", "pxe")) // which has never heard of the image
	status, _, body = fetched(t, late, remote.URL, "bytes=0-3")
	require.Equal(t, http.StatusPartialContent, status)
	require.Equal(t, "0123", string(body))
	require.Eventually(t, func() bool {
		before := asked.Load()
		fetched(t, late, remote.URL, "bytes=0-3")
		return asked.Load() == before
	}, waiting, tick, "it has the image in its own cache")
	source.Close()
	status, _, body = fetched(t, late, remote.URL, "")
	require.Equal(t, http.StatusOK, status)
	require.True(t, bytes.Equal(image, body))
	another := runWith(t, conducting(t, url, "again", image))
	require.Eventually(t, func() bool { return another.Conductor.Pulse.Ready() == nil }, waiting, tick)
	status, _, body = fetched(t, boot, "{boot}/boot/file/"+node.Boot.Token+"/vmlinuz", "")
	require.Equal(t, http.StatusOK, status, "another conductor has a ramdisk too")
	require.Equal(t, "a kernel", string(body))
}

// booting is a node that an operation boots, with a config drive.
func booting(t *testing.T, app *serve.App) ingot.Node {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	node := ingot.Node{Driver: "fake-hardware", ProvisionState: ingot.Deploying}
	require.NoError(t, app.Store.CreateNode(ctx, &node, nil))
	changed, err := app.Store.ChangeNode(ctx, ingot.NodeChange{UUID: node.UUID, Change: func(n *ingot.Node) error {
		n.Boot = ingot.BootTarget{Action: ingot.BootKernel, Purpose: "deploy", Token: n.UUID + ".random"}
		return nil
	}})
	require.NoError(t, err)
	require.NoError(t, app.Store.PutBlob(ctx, "config-drive/"+node.UUID, "text/plain", []byte("a config drive"), time.Now().Add(time.Hour)))
	return changed
}
