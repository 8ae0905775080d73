package serve_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// smallDisk mounts a file system of a few megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts a file system that is small enough to fill")
	}
	dir, err := os.MkdirTemp("", "ingot-small-") // not t.TempDir, which only root enters
	require.NoError(t, err)
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0755", megabytes)))
	t.Cleanup(func() {
		require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH))
		require.NoError(t, os.Remove(dir))
	})
	return dir
}

// fill takes all the room that a file system has left, and gives it back when the function that it gives is called.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "fill")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer f.Close()
	for block := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	return func() { require.NoError(t, os.Remove(path)) }
}

// TestTheDatabasesDiskIsFull fills the disk in the middle of deploys: who wants to write is told to come again, what is
// there can be read, nothing is done to machines, and all goes on by itself when there is room again.
func TestTheDatabasesDiskIsFull(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T) (cfg serve.Config, disk string, worse, better func()){
		"sqlite": func(t *testing.T) (serve.Config, string, func(), func()) {
			disk := smallDisk(t, 24)
			return devConfig(filepath.Join(disk, "data")), disk, func() {}, func() {}
		},
		"postgres": func(t *testing.T) (serve.Config, string, func(), func()) {
			disk := smallDisk(t, 192)
			t.Setenv("TMPDIR", disk)
			server := storetest.NewServer(t)
			t.Setenv("TMPDIR", t.TempDir())
			// A server that finds no room for its log ends itself, and whatever supervises it starts it again.
			return shared(t, server.URL, "a"), disk, func() { switchLog(t, server.URL) }, server.StartEnded
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, disk, worse, better := begin(t)
			cfg.Fake.Boot.Earliest, cfg.Fake.Command.Earliest, cfg.API.AnswerTimeout = 500*time.Millisecond, time.Second, 5*time.Second
			app := runWith(t, cfg)
			require.Eventually(t, func() bool { status, _, _ := ask(t, app, "/healthz"); return status == http.StatusOK }, waiting, tick)
			nodes := deploying(t, app, 8)
			empty := fill(t, disk)
			require.Eventually(t, func() bool { return refusesNode(t, app) }, waiting, tick, "a new node finds no room")
			worse()
			status, _, _ := ask(t, app, "/livez")
			require.Equal(t, http.StatusOK, status)
			require.Eventually(t, func() bool {
				status, retry, _ := ask(t, app, "/healthz")
				return status == http.StatusServiceUnavailable && retry != ""
			}, waiting, tick)
			require.Eventually(t, func() bool {
				before := claims(t, app)
				time.Sleep(time.Second)
				return claims(t, app) == before
			}, waiting, tick, "it stops acting")
			empty()
			better()
			began := time.Now()
			require.Eventually(t, func() bool { status, _, _ := ask(t, app, "/healthz"); return status == http.StatusOK }, time.Minute, tick, "it goes on by itself")
			t.Logf("ready %v after there was room again", time.Since(began).Round(time.Millisecond))
			deployed(t, app, nodes)
			require.False(t, refusesNode(t, app))
		})
	}
}

// switchLog has PostgreSQL begin another file of its log, which a full disk makes fail.
func switchLog(t *testing.T, url string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.Background()) //nolint:errcheck // the server is gone
	_, err = c.Exec(t.Context(), "SELECT pg_switch_wal()")
	t.Logf("PostgreSQL's log: %v", err)
	_, err = c.Exec(t.Context(), "CREATE TABLE more (x TEXT)")
	require.Error(t, err)
}

// refusesNode asks for a new node, and says whether it was told to come again; it leaves no doubt about either answer.
func refusesNode(t *testing.T, app *serve.App) bool {
	t.Helper()
	body := fmt.Sprintf(`{"driver": "fake-hardware", "extra": {"large": %q}}`, strings.Repeat(fmt.Sprint(time.Now().UnixNano()), 200))
	response, err := http.Post("http://"+app.APIAddress()+"/v1/nodes", "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable {
		require.NotEmpty(t, response.Header.Get("Retry-After"))
		return true
	}
	require.Equal(t, http.StatusCreated, response.StatusCode)
	return false
}

// claims is the figure of the operations that the conductor claimed.
func claims(t *testing.T, app *serve.App) string {
	t.Helper()
	_, _, figures := ask(t, app, "/metrics")
	_, rest, found := strings.Cut(figures, "\ningot_claims_total ")
	if !found {
		require.NoError(t, errors.New("no figure ingot_claims_total"))
	}
	count, _, _ := strings.Cut(rest, "\n")
	return count
}
