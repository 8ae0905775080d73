package serve_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
)

func TestRefusedConfigurations(t *testing.T) {
	cases := map[string]struct {
		text string
		says string
	}{
		"an unknown key":                {"dtaa = \"/tmp\"", "dtaa"},
		"no authentication in public":   {"[api]\nlisten = \"0.0.0.0:6385\"", "without authentication"},
		"a listener that is no address": {"[api]\nlisten = \"somewhere\"", "not HOST:PORT"},
		"basic auth without users":      {"[api]\nauth = \"http_basic\"", "api.users"},
		"an unknown way of auth":        {"[api]\nauth = \"kerberos\"", "not one of none, http_basic"},
		"an unknown driver":             {"drivers = [\"ilo\"]", `driver "ilo" is not known`},
		"a network without a name":      {"[[network]]\ninterface = \"lo\"\nsubnet = \"127.0.0.0/8\"", "needs a name"},
		"two networks of one name":      {"[[network]]\nname = \"a\"\ninterface = \"lo\"\nsubnet = \"127.0.0.0/8\"\n[[network]]\nname = \"a\"\ninterface = \"lo\"\nsubnet = \"127.0.0.0/8\"", "a name of its own"},
		"an interface that is missing":  {"[[network]]\nname = \"a\"\ninterface = \"nope0\"\nsubnet = \"10.0.0.0/24\"", "nope0"},
		"an interface elsewhere":        {"[[network]]\nname = \"a\"\ninterface = \"lo\"\nsubnet = \"10.99.0.0/24\"", "no address in 10.99.0.0/24"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ingot.toml")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			cfg, err := serve.Load(file)
			if err == nil {
				cfg.Data = t.TempDir()
				err = cfg.Check()
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestWholeConfigurationIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ingot.toml")
	require.NoError(t, os.WriteFile(file, []byte(`
data = "/srv/ingot"
drivers = ["ipmi"]
[conductor]
callback_timeout = "20m"
automated_clean = false
[conductor.clean_step_priority_override]
"deploy.erase_devices" = 10
[[network]]
name = "rack"
interface = "lo"
subnet = "127.0.0.0/8"
pool_start = "127.0.0.100"
pool_end = "127.0.0.200"
dhcp = "full"
`), 0o600))
	t.Setenv("INGOT_API__LISTEN", "127.0.0.1:7000")
	cfg, err := serve.Load(file)
	require.NoError(t, err)
	require.NoError(t, cfg.Check())
	require.Equal(t, "127.0.0.1:7000", cfg.API.Listen)
	require.Equal(t, 20*time.Minute, cfg.Conduct.CallbackTimeout)
	require.False(t, *cfg.Conduct.AutomatedClean)
	require.Equal(t, map[string]int{"deploy.erase_devices": 10}, cfg.Conduct.CleanPriorities)
	require.Equal(t, netip.MustParseAddr("127.0.0.1"), cfg.Networks[0].Address, "found from the interface")
	require.Equal(t, ingot.DHCPFull, cfg.Networks[0].DHCP)
}

// run starts a service in dev mode and stops it at the test's end.
func run(t *testing.T, data string) *serve.App {
	t.Helper()
	app, err := serve.New(t.Context(), devConfig(data), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return app
}

func devConfig(data string) serve.Config {
	return serve.Config{Data: data, Dev: true, API: serve.API{Listen: "127.0.0.1:0"}, Boot: serve.Boot{Listen: "127.0.0.1:0"}}
}

func TestASecondServiceOnTheSameFileIsRefused(t *testing.T) {
	data := t.TempDir()
	run(t, data)
	_, err := serve.New(t.Context(), devConfig(data), slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "ingot.db")
	require.Equal(t, ingot.Locked, ingot.CodeOf(err))
}

func TestReadiness(t *testing.T) {
	app := run(t, t.TempDir())
	for _, path := range []string{"/healthz", "/livez", "/v1/", "/metrics"} {
		require.Eventually(t, func() bool {
			response, err := http.Get("http://" + app.APIAddress() + path)
			if err != nil {
				return false
			}
			defer response.Body.Close()
			return response.StatusCode == http.StatusOK
		}, 10*time.Second, 10*time.Millisecond, path)
	}
}
