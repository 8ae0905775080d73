package serve

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/store/storetest"
)

// TestOneClockForAll: what processes promise one another until a time goes by the clock that they share, on a machine whose
// own clock is two days ahead of it too.
func TestOneClockForAll(t *testing.T) {
	server := storetest.NewServer(t)
	server.Ask("CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT pg_catalog.clock_timestamp() - interval '2 days' $$")
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	app, err := New(t.Context(), Config{
		Data: t.TempDir(), Dev: true, Hostname: "ahead", API: API{Listen: "127.0.0.1:0"},
		Database: Database{URL: server.URL + "&search_path=public,pg_catalog", KeyFile: key},
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, app.Close()) }()
	shared := time.Now().Add(-48 * time.Hour)
	for name, now := range map[string]func() time.Time{"operations": app.Conductor.Now, "images": app.images.Now, "addresses": app.pxe.Clock.Now} {
		require.WithinDuration(t, shared, now(), time.Minute, name)
	}
}
