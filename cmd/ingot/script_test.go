package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot/serve"
)

// TestMain makes this program a command of the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ingot": main})
}

// TestScripts runs testdata/*.txtar, each against a service of its own with fake hardware. INGOT_TEST_UPDATE=1 writes
// what the commands print into the golden parts.
func TestScripts(t *testing.T) { runScripts(t, "testdata", "fake-hardware", "ipmi", "redfish") }

// runScripts runs those of a folder against services with the drivers.
func runScripts(t *testing.T, dir string, drivers ...string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, UpdateScripts: os.Getenv("INGOT_TEST_UPDATE") != "", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			url, err := startService(env, drivers)
			env.Setenv("INGOT_API", url)
			env.Setenv("COLUMNS", "100")
			return err
		},
	})
}

// bmcs is where guests' virtual BMCs listen, in a service that has guests.
func bmcs(drivers []string) string {
	if slices.Contains(drivers, "libvirt") {
		return "127.0.0.1"
	}
	return ""
}

// startService runs `ingot serve --dev`, in this process, until the script's end.
func startService(env *testscript.Env, drivers []string) (string, error) {
	cfg := serve.Config{
		Data: env.WorkDir + "/.data", Dev: true, Drivers: drivers, API: serve.API{Listen: "127.0.0.1:0"}, Boot: serve.Boot{Listen: "127.0.0.1:0"},
		GuestBMC: serve.GuestBMC{Listen: bmcs(drivers)},
		Fake:     serve.Fake{Boot: serve.Delay{Earliest: 10 * time.Millisecond}, Command: serve.Delay{Earliest: 10 * time.Millisecond}},
	}
	scheme := "http://"
	if strings.HasSuffix(env.WorkDir, "secure") {
		users := filepath.Join(env.WorkDir, "users")
		hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(users, []byte("ali:"+string(hash)+"\n"), 0o600); err != nil {
			return "", err
		}
		cfg.API.Auth, cfg.API.Users, cfg.API.TLS, scheme = "http_basic", users, "self-signed", "https://"
	}
	app, err := serve.New(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	env.Defer(func() {
		cancel()
		if err := <-ended; err != nil {
			env.T().Log("the service ended with", err)
		}
	})
	return scheme + app.APIAddress(), nil
}

// exits is "exits CODE COMMAND...": the command has to end with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	if !errors.As(err, &ended) || strconv.Itoa(ended.ExitCode()) != args[0] {
		ts.Fatalf("%v ended with %v, not with code %s", args[1:], err, args[0])
	}
}
