package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestStarts runs `ingot serve` where it must not start, beside a service on the same PostgreSQL: a sentence, an exit code,
// and nothing half started.
func TestStarts(t *testing.T) {
	first, newer := storetest.NewServer(t), storetest.NewServer(t)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	service := func(url string) serve.Config {
		return serve.Config{
			Data: t.TempDir(), Dev: true, Hostname: "first", API: serve.API{Listen: "127.0.0.1:0"}, Boot: serve.Boot{Listen: "127.0.0.1:0"},
			Database: serve.Database{URL: url, KeyFile: key},
		}
	}
	app, err := serve.New(t.Context(), service(newer.URL), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, app.Close())
	newer.Ask("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")

	app, err = serve.New(t.Context(), service(first.URL), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
	require.Eventually(t, func() bool { return healthy(app.APIAddress()) }, 20*time.Second, 20*time.Millisecond)

	testscript.Run(t, testscript.Params{
		Dir: "testdata/starts", RequireExplicitExec: true, Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATABASE", first.URL)
			env.Setenv("NEWER", newer.URL)
			env.Setenv("INGOT_DATABASE__KEY_FILE", key)
			env.Setenv("INGOT_API__LISTEN", "127.0.0.1:0")
			env.Setenv("SERVED", app.Config.Data)
			return nil
		},
	})
	require.True(t, healthy(app.APIAddress()), "the first was not disturbed")
}

func healthy(address string) bool {
	response, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}
