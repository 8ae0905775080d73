package lab_test

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// cacheDir keeps what takes long to build, from one run of the tests to the next.
func cacheDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("INGOT_TEST_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		require.NoError(t, err, "set INGOT_TEST_CACHE")
		dir = filepath.Join(user, "ingot")
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return dir
}

// builtImage is the lab's operating system image.
type builtImage struct{ osimage.Image }

// file is the image in one of its formats.
func (i builtImage) file(format string) string {
	if format == "raw" {
		return i.Raw
	}
	return i.QCow2
}

// labImage builds the operating system image unless it is in the cache.
func labImage(t *testing.T, generic bool) builtImage {
	t.Helper()
	options := osimage.Options{CacheDir: cacheDir(t), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if generic {
		options.Kernel = osimage.KernelGeneric
	}
	require.NoError(t, osimage.Build(t.Context(), options))
	return builtImage{options.Image()}
}

// labRamdisk builds the agent, and the ramdisk around it unless it is in the cache; it gives the ramdisk's folder.
func labRamdisk(t *testing.T, generic bool) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "../deploy-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	agent, err := os.ReadFile(program)
	require.NoError(t, err)
	kernel := ramdisk.KernelCloud
	if generic {
		kernel = ramdisk.KernelGeneric
	}
	dir := filepath.Join(cacheDir(t), "ramdisk-"+string(kernel)+"-"+digest(agent)[:16])
	if _, err := os.Stat(filepath.Join(dir, ramdisk.KernelName)); err == nil { // it is written last
		return dir
	}
	_, err = ramdisk.Build(t.Context(), ramdisk.Options{CacheDir: cacheDir(t), OutDir: dir, Agent: agent, Set: ramdisk.SetVirtual, Kernel: kernel})
	require.NoError(t, err)
	return dir
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
