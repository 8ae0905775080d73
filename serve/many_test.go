package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// shared is a service of its own host name and data folder on a PostgreSQL.
func shared(t *testing.T, url, hostname string, roles ...string) serve.Config {
	t.Helper()
	cfg := devConfig(t.TempDir())
	cfg.Hostname, cfg.Roles = hostname, roles
	cfg.Database.URL, cfg.Database.KeyFile = url, keyFile(t, storetest.Secret.Reveal())
	return cfg
}

func keyFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	return path
}

// refusedStart starts a service that must refuse, and gives its error.
func refusedStart(t *testing.T, cfg serve.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	app, err := serve.New(ctx, cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		err = app.Run(ctx)
	}
	require.NoError(t, ctx.Err(), "it runs")
	require.Error(t, err)
	return err
}

func TestStartsThatAreRefused(t *testing.T) {
	url := storetest.PostgresConfig(t).URL
	first := shared(t, url, "a")
	runWith(t, first)
	for name, c := range map[string]struct {
		change func(*serve.Config)
		code   ingot.Code
		says   string
	}{
		"a host name that is alive": {func(c *serve.Config) { c.Hostname = "a" }, ingot.Locked, "another process is the conductor a and is alive: give each"},
		"a data folder that is in use": {
			func(c *serve.Config) { c.Hostname, c.Data = "a", first.Data }, ingot.Locked,
			"another process is the conductor a with the data folder " + first.Data,
		},
		"another secret":       {func(c *serve.Config) { c.Database.KeyFile = keyFile(t, "a secret of somebody else's") }, ingot.Invalid, "is not the one that it was written with"},
		"no secret":            {func(c *serve.Config) { c.Database.KeyFile = "" }, ingot.Invalid, "without its secret"},
		"no database there":    {func(c *serve.Config) { c.Database.URL = "postgres://ingot@127.0.0.1:1/ingot" }, ingot.Unavailable, "cannot open the database ingot on 127.0.0.1 port 1: check that PostgreSQL runs there"},
		"a URL of another":     {func(c *serve.Config) { c.Database.URL = "mysql://x" }, ingot.Invalid, "cannot read the database URL"},
		"roles without shared": {func(c *serve.Config) { c.Database.URL, c.Roles = "", []string{"api"} }, ingot.Internal, "give --database postgres://"},
		"nowhere to boot from": {func(c *serve.Config) { c.Roles = []string{"conductor"} }, ingot.Internal, "set boot.url"},
		"an unknown role":      {func(c *serve.Config) { c.Roles = []string{"dns"} }, ingot.Internal, `role "dns" is not one of api, conductor, pxe`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := shared(t, url, "b")
			c.change(&cfg)
			err := refusedStart(t, cfg)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, ingot.CodeOf(err))
		})
	}
	server := storetest.NewServer(t)
	newer := shared(t, server.URL, "a")
	app, err := serve.New(t.Context(), newer, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, app.Close())
	server.Ask("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	require.ErrorContains(t, refusedStart(t, newer), "a newer version of Ingot made its schema (99999")
}

// TestUpgradeBesideThisRelease: a newer release brings the schema on while deploys are under way. This one, which plays the
// older, goes on with them, and hands over to the newer at the end: a start of its own is refused until the schema was
// taken back.
func TestUpgradeBesideThisRelease(t *testing.T) {
	server := storetest.NewServer(t)
	cfg := shared(t, server.URL, "older")
	cfg.Fake.Boot.Earliest, cfg.Fake.Command.Earliest = 300*time.Millisecond, 300*time.Millisecond
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	stop := running(t, app)
	nodes := deploying(t, app, 6)
	for _, statement := range []string{ // all kinds of change that CONTRIBUTING.md lets a migration make
		"ALTER TABLE nodes ADD COLUMN of_the_newer TEXT NOT NULL DEFAULT 'x'", "ALTER TABLE operations ADD COLUMN of_the_newer BIGINT", "CREATE INDEX newer_index ON operations (of_the_newer)",
		"CREATE TABLE newer (node TEXT COLLATE \"C\" PRIMARY KEY REFERENCES nodes (uuid) ON DELETE CASCADE)", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)",
	} {
		server.Ask(statement)
	}
	deployed(t, app, nodes)
	again := deploying(t, app, 2) // begun after it
	deployed(t, app, again)
	require.NoError(t, app.Store.DeleteNode(t.Context(), nodes[0].UUID, 0))
	stop()
	require.ErrorContains(t, refusedStart(t, cfg), "or have it take the schema back (stop all processes, then `ingot db downgrade --to ")
	for _, statement := range []string{"DROP TABLE newer", "ALTER TABLE nodes DROP COLUMN of_the_newer", "ALTER TABLE operations DROP COLUMN of_the_newer", "DELETE FROM goose_db_version WHERE version_id = 99999"} {
		server.Ask(statement)
	}
	deployed(t, runWith(t, cfg), again)
}

// TestAForgottenCopyIsRefused: who turns to PostgreSQL and has not copied what there is gets no empty service.
func TestAForgottenCopyIsRefused(t *testing.T) {
	cfg := shared(t, storetest.PostgresConfig(t).URL, "a")
	require.NoError(t, os.WriteFile(filepath.Join(cfg.Data, "ingot.db"), []byte("anything"), 0o600))
	err := refusedStart(t, cfg)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	require.ErrorContains(t, err, "ingot db copy --data "+cfg.Data)
	cfg.Database.StartEmpty = true
	app := runWith(t, cfg)
	node := ingot.Node{Driver: "fake-hardware", ProvisionState: ingot.Enroll}
	require.NoError(t, app.Store.CreateNode(t.Context(), &node, nil))
	again := shared(t, cfg.Database.URL, "b")
	again.Data = cfg.Data
	runWith(t, again) // it is empty no more
}

// TestARestartTakesOverAtOnce: who has the seat of a process that was killed need not wait until it counts as dead.
func TestARestartTakesOverAtOnce(t *testing.T) {
	cfg := shared(t, storetest.PostgresConfig(t).URL, "a")
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, app.Conductor.Pulse.Join(t.Context()))
	require.NoError(t, app.Close()) // without leaving, as a kill does
	again := runWith(t, cfg)
	require.Eventually(t, func() bool { return again.Conductor.Pulse.Ready() == nil }, 2*time.Second, tick, "within the dead one's time")
}

// deploying begins deploys of fake nodes.
func deploying(t *testing.T, app *serve.App, n int) []ingot.Node {
	t.Helper()
	nodes := make([]ingot.Node, n)
	for i := range nodes {
		nodes[i] = ingot.Node{
			UUID: uuid.NewString(), Driver: "fake-hardware", ProvisionState: ingot.Available, PowerState: ingot.PowerOff,
			Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Power: "fake", Management: "fake"},
		}
		require.NoError(t, app.Store.CreateNode(t.Context(), &nodes[i], nil))
		require.NoError(t, app.Conductor.Provision(t.Context(), nodes[i], ingot.ProvisionRequest{Verb: ingot.VerbActive}))
	}
	return nodes
}

// deployed waits until all are active, each in its first attempt.
func deployed(t *testing.T, app *serve.App, nodes []ingot.Node) {
	t.Helper()
	for _, n := range nodes {
		active := func() bool {
			got, err := app.Store.Node(t.Context(), n.UUID)
			require.NoError(t, err)
			return got.ProvisionState == ingot.Active
		}
		for end := time.Now().Add(time.Minute); !active() && time.Now().Before(end); time.Sleep(tick) {
		}
		operations, err := app.Store.Operations(t.Context(), n.UUID, 10)
		require.NoError(t, err)
		require.True(t, active(), "%+v", operations)
		require.Len(t, operations, 1)
		require.Equal(t, 1, operations[0].Attempt)
	}
}

// ask gets a path of the API in its newest version.
func ask(t *testing.T, app *serve.App, path string) (status int, retry, body string) {
	t.Helper()
	return askAt(t, app.APIAddress(), path)
}

// askAt is ask at an address.
func askAt(t *testing.T, address, path string) (status int, retry, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	request.Header.Set("X-OpenStack-Ironic-API-Version", "latest")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header.Get("Retry-After"), string(text)
}

// TestTheDatabaseGoesAway takes the database away in the middle of deploys, and gives it back: the API says so meanwhile,
// the conductor does nothing, and all goes on by itself.
func TestTheDatabaseGoesAway(t *testing.T) {
	server := storetest.NewServer(t)
	address := strings.TrimSuffix(strings.TrimPrefix(server.URL, "postgres://ingot@"), "/postgres?sslmode=disable")
	relay := storetest.NewRelay(t, address)
	cfg := shared(t, server.Config(relay.Address).URL, "a")
	cfg.Fake.Boot.Earliest, cfg.Fake.Command.Earliest, cfg.API.AnswerTimeout = 200*time.Millisecond, 500*time.Millisecond, 2*time.Second
	app := runWith(t, cfg)
	for _, trouble := range []struct {
		name       string
		away, back func()
	}{
		{"it crashes", server.Crash, server.Start},
		{"it is restarted", server.Stop, server.Start},
		{"connections are cut", relay.Cut, relay.Pass},
		{"nothing comes through", relay.Swallow, relay.Pass},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			require.Eventually(t, func() bool { return app.Conductor.Pulse.Ready() == nil }, waiting, tick)
			nodes := deploying(t, app, 8)
			trouble.away()
			for _, path := range []string{"/v1/nodes", "/v1/nodes/" + nodes[0].UUID, "/v1/conductors", "/healthz"} {
				status, retry, _ := ask(t, app, path)
				require.Equal(t, http.StatusServiceUnavailable, status, path)
				require.NotEmpty(t, retry, path)
			}
			status, _, _ := ask(t, app, "/livez")
			require.Equal(t, http.StatusOK, status)
			require.Eventually(t, func() bool { return app.Conductor.Pulse.Ready() != nil }, waiting, tick, "it stops acting")
			trouble.back()
			began := time.Now()
			require.Eventually(t, func() bool { return app.Conductor.Pulse.Ready() == nil }, time.Minute, tick, "it goes on by itself")
			t.Logf("acting %v after the database was back", time.Since(began).Round(time.Millisecond))
			deployed(t, app, nodes)
			status, _, _ = ask(t, app, "/healthz")
			require.Equal(t, http.StatusOK, status)
		})
	}
}

// TestRolesApart: what one process of all roles does, three of one role each do together.
func TestRolesApart(t *testing.T) {
	url := storetest.PostgresConfig(t).URL
	front := runWith(t, shared(t, url, "front", "api"))
	boot := runWith(t, shared(t, url, "boot", "pxe"))
	behind := shared(t, url, "work", "conductor")
	behind.Boot.URL = "http://boot.example"
	work := runWith(t, behind)
	require.Empty(t, work.APIAddress())
	require.Empty(t, boot.APIAddress())
	nodes := deploying(t, front, 3)
	deployed(t, front, nodes)
	got, err := front.Store.Node(t.Context(), nodes[0].UUID)
	require.NoError(t, err)
	require.Equal(t, "work", got.Conductor)
	_, _, shown := ask(t, front, "/v1/conductors")
	require.Contains(t, shown, `"work"`)
	require.NotContains(t, shown, `"front"`, "it carries nothing out")
	for _, path := range []string{"/healthz", "/metrics", "/v1/nodes/" + nodes[0].UUID + "/management/boot_device", "/v1/nodes/" + nodes[0].UUID + "/operations"} {
		status, _, _ := ask(t, front, path)
		require.Equal(t, http.StatusOK, status, path)
	}
	_, _, metrics := ask(t, front, "/metrics")
	for _, name := range []string{`ingot_nodes{state="active"} 3`, "ingot_operations_claimed 0", "ingot_queue_age_seconds 0", "ingot_claims_total 0", "ingot_fenced_commits_total 0"} {
		require.Contains(t, metrics, name)
	}
	t.Run("small files are of all", func(t *testing.T) {
		require.NoError(t, work.Store.PutBlob(t.Context(), "key", "text/plain", []byte("drive"), time.Now().Add(time.Hour)))
		data, _, err := boot.Store.Blob(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, "drive", string(data))
	})
}

// TestProbes asks processes that have no API whether they live and can work, and for figures, while the database goes away
// and comes back.
func TestProbes(t *testing.T) {
	server := storetest.NewServer(t)
	work := shared(t, server.URL, "work", "conductor")
	work.Boot.URL, work.Probes.Listen = "http://boot.example", "127.0.0.1:0"
	boot := shared(t, server.URL, "boot", "pxe")
	boot.Probes.Listen = "127.0.0.1:0"
	apps := map[string]*serve.App{"conductor": runWith(t, work), "pxe": runWith(t, boot)}
	all := func(path string, want int) {
		for role, app := range apps {
			require.Eventually(t, func() bool { status, _, _ := askAt(t, app.ProbeAddress(), path); return status == want }, waiting, tick, "%s of %s", path, role)
		}
	}
	all("/healthz", http.StatusOK)
	all("/metrics", http.StatusOK)
	for _, path := range []string{"/v1/nodes", "/v1/lookup", "/docs"} {
		all(path, http.StatusNotFound)
	}
	_, _, figures := askAt(t, apps["conductor"].ProbeAddress(), "/metrics")
	require.Contains(t, figures, "ingot_claims_total 0")
	server.Stop()
	all("/healthz", http.StatusServiceUnavailable)
	all("/livez", http.StatusOK)
	server.Start()
	all("/healthz", http.StatusOK)
}

// TestHealthOfAConductorWithoutPulse: a process that must not act is alive but not ready.
func TestHealthOfAConductorWithoutPulse(t *testing.T) {
	cfg := shared(t, storetest.PostgresConfig(t).URL, "a")
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, app.Close()) }()
	require.ErrorContains(t, app.API.Ready(t.Context()), "conductor a cannot reach the database")
}
