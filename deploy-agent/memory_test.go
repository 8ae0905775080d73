package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// noise writes an image: a start, then blocks that do not repeat.
func noise(w io.Writer, start []byte, blocks int) error {
	if _, err := w.Write(start); err != nil {
		return err
	}
	random := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 1<<20)
	for range blocks {
		_, _ = random.Read(block) // never fails
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// TestMemory writes an image that is six times larger than what the agent may use.
func TestMemory(t *testing.T) {
	const blocks, limit = 320, 64 << 10 // MiB; KiB
	start, _ := osImage(t)
	digest := sha256.New()
	require.NoError(t, noise(digest, start, blocks))
	c := startConductor(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(start)+blocks<<20))
		_ = noise(w, start, blocks)
	})
	mux.Handle("/", c.Config.Handler)
	c.Config.Handler = mux
	dir, _ := machine(t, 4<<30)
	a := c.launch(t, dir)
	got := a.call(t, "standby.prepare_image", map[string]any{"image_info": map[string]any{
		"id": "large", "urls": []string{c.URL + "/large"}, "checksum": hex.EncodeToString(digest.Sum(nil)), "disk_format": "raw",
	}}, true)
	require.Equal(t, "SUCCEEDED", got["command_status"], "%v", got)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.Process.Pid))
	require.NoError(t, err)
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, peak)
	kib, err := strconv.Atoi(string(peak[1]))
	require.NoError(t, err)
	t.Logf("peak resident memory: %d MiB", kib>>10)
	require.Less(t, kib, limit)
}
