package serve_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// recordedNow has the work under way be as old as if the database had been recorded just now, or all of it would have timed
// out by the time of the test.
const recordedNow = `UPDATE public.operations SET step_since = moved.now, phase_since = moved.now
	FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) AS moved WHERE outcome = ''`

// TestUpgradeOfARecordedRelease: what services of older releases left in their databases, killed in the middle of a deploy,
// a cleaning and an inspection (testdata/releases/record), is gone on with by this one.
func TestUpgradeOfARecordedRelease(t *testing.T) {
	files, err := filepath.Glob("testdata/releases/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			server := storetest.NewServer(t)
			server.Ask(string(text))
			server.Ask(recordedNow)
			cfg := shared(t, server.URL, "newer")
			cfg.Database.KeyFile = keyFile(t, "the secret of a recorded database")
			cfg.Drivers, cfg.Conduct.PowerSync = []string{"fake-hardware", "ipmi"}, time.Second
			app := runWith(t, cfg)
			for name, want := range map[string]ingot.State{"deploying": ingot.Active, "deleting": ingot.Available, "inspecting": ingot.Manageable, "idle": ingot.Active} {
				require.Eventually(t, func() bool {
					n, err := app.Store.Node(t.Context(), name)
					require.NoError(t, err)
					return n.ProvisionState == want
				}, time.Minute, tick, name)
				n, err := app.Store.Node(t.Context(), name)
				require.NoError(t, err)
				require.Empty(t, n.LastError, name)
			}
			n, err := app.Store.Node(t.Context(), "secret")
			require.NoError(t, err)
			require.Equal(t, ingot.Secret("open sesame"), n.DriverInfo["ipmi_password"])
			again := deploying(t, app, 1)
			deployed(t, app, again)
		})
	}
}
