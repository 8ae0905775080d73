package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
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
		"passwords in the clear":        {"[api]\nlisten = \"0.0.0.0:6385\"\nauth = \"http_basic\"\nusers = \"u\"", "in the clear: set api.tls"},
		"half a certificate":            {"[api]\ntls_cert = \"c.pem\"", "go together"},
		"an unknown way of TLS":         {"[api]\ntls = \"on\"", "is not self-signed"},
		"two certificates":              {"[api]\ntls = \"self-signed\"\ntls_cert = \"c\"\ntls_key = \"k\"", "leave one out"},
		"an unknown source of lessees":  {"[conductor]\nautomatic_lessee_source = \"moon\"", "not one of instance, request, none"},
		"a delay that is none":          {"[fake]\nboot_delay = \"soon\"", `delay "soon"`},
		"a delay of the fake storage":   {"[fake]\nstorage_delay = 1", "storage_delay"},
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
[fake]
power_delay = 2
boot_delay = "1,5"
rescue_delay = 0.5
[[network]]
name = "rack"
interface = "lo"
subnet = "127.0.0.0/8"
pool_start = "127.0.0.100"
pool_end = "127.0.0.200"
dhcp = "full"
`), 0o600))
	t.Setenv("INGOT_API__LISTEN", "127.0.0.1:7000")
	t.Setenv("INGOT_FAKE__RAID_DELAY", "10ms,20ms")
	for _, name := range []string{"INGOT_API", "INGOT_USER", "INGOT_FINGERPRINT"} {
		t.Setenv(name, "the command line's")
	}
	cfg, err := serve.Load(file)
	require.NoError(t, err)
	require.NoError(t, cfg.Check())
	require.Equal(t, "127.0.0.1:7000", cfg.API.Listen)
	require.Equal(t, 20*time.Minute, cfg.Conduct.CallbackTimeout)
	require.False(t, *cfg.Conduct.AutomatedClean)
	require.Equal(t, serve.Delay{Earliest: 2 * time.Second, Latest: 2 * time.Second}, cfg.Fake.Power)
	require.Equal(t, serve.Delay{Earliest: time.Second, Latest: 5 * time.Second}, cfg.Fake.Boot)
	require.Equal(t, 500*time.Millisecond, cfg.Fake.Rescue.Latest)
	require.Equal(t, serve.Delay{Earliest: 10 * time.Millisecond, Latest: 20 * time.Millisecond}, cfg.Fake.RAID)
	require.Equal(t, map[string]int{"deploy.erase_devices": 10}, cfg.Conduct.CleanPriorities)
	require.Equal(t, netip.MustParseAddr("127.0.0.1"), cfg.Networks[0].Address, "found from the interface")
	require.Equal(t, ingot.DHCPFull, cfg.Networks[0].DHCP)
}

// run starts a service in dev mode and stops it at the test's end.
func run(t *testing.T, data string) *serve.App {
	t.Helper()
	return runWith(t, devConfig(data))
}

func runWith(t *testing.T, cfg serve.Config) *serve.App {
	t.Helper()
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(running(t, app))
	return app
}

// running runs a service until the function that it gives is called.
func running(t *testing.T, app *serve.App) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	return func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

// How long tests wait for what must come, and how often they look.
const (
	waiting = 10 * time.Second
	tick    = 10 * time.Millisecond
)

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

// TestWhatIsBeingDoneIsShown deploys a fake node and reads of it what is being waited for, and how it ended.
func TestWhatIsBeingDoneIsShown(t *testing.T) {
	cfg := devConfig(t.TempDir())
	cfg.Fake.Boot.Earliest = time.Hour
	app := runWith(t, cfg)
	node := ingot.Node{
		UUID: "3c0f1a52-5e4f-4c7a-9a35-0d8f6f6c0001", Driver: "fake-hardware", ProvisionState: ingot.Available,
		Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Power: "fake", Management: "fake"},
	}
	require.NoError(t, app.Store.CreateNode(t.Context(), &node, nil))
	require.NoError(t, app.Conductor.Provision(t.Context(), node, ingot.ProvisionRequest{Verb: ingot.VerbActive}))
	require.Eventually(t, func() bool {
		shown := get(t, app, "/v1/nodes/"+node.UUID+"/operations")
		return strings.Contains(shown, `"step":"agent"`) && strings.Contains(shown, "waiting for the agent to call; nothing was seen of the machine")
	}, 10*time.Second, 10*time.Millisecond)
}

func get(t *testing.T, app *serve.App, path string) string {
	t.Helper()
	response, err := http.Get("http://" + app.APIAddress() + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
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
