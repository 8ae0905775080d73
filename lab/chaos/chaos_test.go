package chaos_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab/chaos"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestChaos is a short run of one seed, or a run of CHAOS_TIME from SEED (a new one each time unless told).
func TestChaos(t *testing.T) {
	settings := chaos.Settings{Seed: 1, Time: 25 * time.Second, Rest: 3 * time.Minute, Nodes: 30, RealAgents: 2}
	if text := os.Getenv("CHAOS_TIME"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err, "CHAOS_TIME")
		settings.Time, settings.Seed, settings.Rest = d, rand.Uint64N(1<<32), 5*time.Minute
		settings.Nodes, settings.RealAgents, settings.Fakes = 200, 6, 20
	}
	for name, number := range map[string]func(uint64){
		"SEED": func(n uint64) { settings.Seed = n }, "CHAOS_NODES": func(n uint64) { settings.Nodes, settings.Fakes = int(n), int(n)/10 },
	} {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			require.NoError(t, err, name)
			number(n)
		}
	}
	t.Logf("seed %d", settings.Seed)
	server := storetest.NewServerOnDisk(t, 1<<30)
	settings.Dir, settings.Log, settings.Database = folder(t), t.Logf, server
	settings.Ingot, settings.Agent = build(t, settings.Dir, "ingot", "../..", "cmd/ingot"), build(t, settings.Dir, "deploy-agent", "../..", "deploy-agent")
	if commit := os.Getenv("CHAOS_OLDER"); commit != "" {
		settings.Older = build(t, settings.Dir, "ingot-older", sources(t, settings.Dir, commit), "cmd/ingot")
	}
	settings.KeyFile = filepath.Join(settings.Dir, "key")
	require.NoError(t, os.WriteFile(settings.KeyFile, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	address := strings.TrimSuffix(strings.TrimPrefix(server.URL, "postgres://ingot@"), "/postgres?sslmode=disable")
	for range 3 {
		settings.Relays = append(settings.Relays, relay{storetest.NewRelay(t, address)})
	}
	report, err := chaos.Run(t.Context(), settings, server.URL)
	require.NoError(t, err)
	t.Logf("\n%s", report)
	require.Empty(t, report.Violations, "SEED=%d", settings.Seed)
}

// folder is the run's; that of a run which failed is kept when somebody named a place for it.
func folder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CHAOS_DIR"); dir != "" {
		require.NoError(t, os.MkdirAll(dir, 0o755))
		return dir
	}
	return t.TempDir()
}

// sources are those of another commit.
func sources(t *testing.T, dir, commit string) string {
	t.Helper()
	at := filepath.Join(dir, "older")
	require.NoError(t, os.MkdirAll(at, 0o755))
	said, err := exec.Command("sh", "-c", `git -C ../.. archive "$1" | tar -x -C "$2"`, "sh", commit, at).CombinedOutput()
	require.NoError(t, err, "%s", said)
	return at
}

func build(t *testing.T, dir, name, tree, from string) string {
	t.Helper()
	binary := filepath.Join(dir, name)
	command := exec.Command("go", "build", "-tags", "chaos", "-o", binary, "./"+from)
	command.Dir = tree
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return binary
}

// relay is a storetest.Relay.
type relay struct{ *storetest.Relay }

func (r relay) Address() string { return r.Relay.Address }
