package images_test

import (
	"bytes"
	"io"
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

// TestCopiesOfDisks: one counts when it was kept, agents fetch it with its checksum under a signed URL, and nothing of a disk
// is left when it is dropped.
func TestCopiesOfDisks(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := &images.Service{Secrets: [][]byte{[]byte("secret")}, Copies: filepath.Join(dir, "copies"), Now: func() time.Time { return now }}
	_, err := s.KeptDisk(t.Context(), "op")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	disk := append(bytes.Repeat([]byte("marker "), 1000), make([]byte, 8<<20)...)

	begun, err := s.NewDisk("op", "raw")
	require.NoError(t, err)
	_, err = begun.Write(disk[:100])
	require.NoError(t, err)
	_, err = s.KeptDisk(t.Context(), "op")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "half a copy is none")
	begun.Drop()

	kept, err := s.NewDisk("op", "raw")
	require.NoError(t, err)
	_, err = io.CopyBuffer(struct{ io.Writer }{kept}, bytes.NewReader(disk), make([]byte, 256<<10))
	require.NoError(t, err)
	require.NoError(t, kept.Keep())
	ready, err := s.KeptDisk(t.Context(), "op")
	require.NoError(t, err)
	require.Equal(t, []any{"raw", "sha256", sha256Of(disk), int64(len(disk)), int64(len(disk))}, []any{ready.DiskFormat, ready.ChecksumAlgo, ready.Checksum, ready.Size, ready.VirtualSize})

	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	answer, err := http.Get(strings.ReplaceAll(ready.URL, "{boot}", server.URL))
	require.NoError(t, err)
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.True(t, bytes.Equal(disk, got))

	require.NoError(t, s.DropDisk("op"))
	require.NoError(t, s.DropDisk("op"))
	left, err := os.ReadDir(s.Copies)
	require.NoError(t, err)
	require.Empty(t, left)
	for _, key := range []string{"", "../x", "*"} {
		_, err := s.NewDisk(key, "raw")
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	}
}

// TestACopyIsWhatItsHostSays: a guest that writes the head of another format on its raw disk does not choose how it is read.
func TestACopyIsWhatItsHostSays(t *testing.T) {
	s := &images.Service{Secrets: [][]byte{[]byte("secret")}, Copies: t.TempDir()}
	kept, err := s.NewDisk("op", "raw")
	require.NoError(t, err)
	_, err = kept.Write(append([]byte("QFI\xfb\x00\x00\x00\x03"), make([]byte, 1<<16)...))
	require.NoError(t, err)
	require.NoError(t, kept.Keep())
	_, err = s.KeptDisk(t.Context(), "op")
	require.True(t, ingot.IsFatal(err), "%v", err)
}

// TestOldCopiesGo: what a process that ended left behind is gone after a week.
func TestOldCopiesGo(t *testing.T) {
	now := time.Now()
	s := &images.Service{Secrets: [][]byte{[]byte("secret")}, Copies: t.TempDir(), Now: func() time.Time { return now }}
	_, err := s.NewDisk("left", "raw")
	require.NoError(t, err)
	now = now.Add(8 * 24 * time.Hour)
	kept, err := s.NewDisk("new", "raw")
	require.NoError(t, err)
	defer kept.Drop()
	files, err := os.ReadDir(s.Copies)
	require.NoError(t, err)
	require.Len(t, files, 1)
}
