package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// served is an `ingot serve` in a process of its own.
type served struct {
	t       *testing.T
	name    string
	log     string
	command *exec.Cmd
	ended   chan error
}

// serveAlone starts one on a PostgreSQL, whose fake machines take so long to follow a power command and to boot; it ends with
// the test.
func serveAlone(t *testing.T, name, power, boot, database, key string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, name: name, log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	config := filepath.Join(dir, "ingot.toml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `hostname = %q
data = %q
[api]
listen = "127.0.0.1:0"
[boot]
listen = "127.0.0.1:0"
[database]
url = %q
key_file = %q
[fake]
power_delay = %q
boot_delay = %q
command_delay = "300ms"
`, name, filepath.Join(dir, "data"), database, key, power, boot), 0o600))
	log, err := os.Create(s.log)
	require.NoError(t, err)
	defer log.Close()
	s.command = exec.Command("ingot", "serve", "--dev", "--config", config)
	s.command.Stdout, s.command.Stderr = log, log
	s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, s.command.Start())
	go func() { s.ended <- s.command.Wait() }()
	t.Cleanup(func() { _ = s.command.Process.Kill() })
	return s
}

func (s *served) said() string {
	text, err := os.ReadFile(s.log)
	require.NoError(s.t, err)
	return string(text)
}

// client waits until the process is up, and speaks to it.
func (s *served) client() *client.Client {
	s.t.Helper()
	up := regexp.MustCompile(`msg="ingot is up" api=(\S+)`)
	require.Eventually(s.t, func() bool { return up.MatchString(s.said()) }, 20*time.Second, 20*time.Millisecond, "%s never came up", s.name)
	c := &client.Client{BaseURL: "http://" + up.FindStringSubmatch(s.said())[1]}
	require.Eventually(s.t, func() bool { return c.Ready(s.t.Context()) == nil }, 20*time.Second, 20*time.Millisecond, "%s is not ready", s.name)
	return c
}

// TestAProcessIsToldToStop in the middle of deploys, some of which wait for an agent and some of which are just begun: it
// ends with code 0, the other process on the database goes on without taking it for dead, and nothing is done twice.
func TestAProcessIsToldToStop(t *testing.T) {
	server := storetest.NewServer(t)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	first := serveAlone(t, "first", "200ms", "1h", server.URL, key)
	api := first.client()
	db := storetest.Open(t, server.Config(server.Address()))
	var nodes []string
	deploy := func(n int) {
		for range n {
			id := fakeNode(t, db)
			require.NoError(t, api.SetProvision(ctx, id, client.Provision{Target: ingot.VerbActive}))
			nodes = append(nodes, id)
		}
	}
	deploy(8)
	for _, id := range nodes {
		_, err := api.WaitState(ctx, id, ingot.DeployWait)
		require.NoError(t, err)
	}
	second := serveAlone(t, "second", "0s", "1s", server.URL, key)
	other := second.client()
	deploy(8)
	require.NoError(t, first.command.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-first.ended:
		require.NoError(t, err, "%s", first.said())
	case <-time.After(15 * time.Second):
		require.FailNow(t, "it does not end", "%s", first.said())
	}
	rows, err := db.Conductors(ctx)
	require.NoError(t, err)
	for _, c := range rows {
		require.Equal(t, c.Hostname == "second", c.Alive, "%+v", c)
	}
	for _, id := range nodes {
		_, err := other.WaitState(ctx, id, ingot.Active)
		require.NoError(t, err, "%s", second.said())
		did, err := other.Operations(ctx, id)
		require.NoError(t, err)
		require.Len(t, did, 1)
		require.Equal(t, []any{ingot.Done, 1}, []any{did[0].Outcome, did[0].Attempt}, "%s", second.said())
	}
	requireOnce(t, db, nodes)
	require.NotContains(t, second.said(), "a conductor is dead")
}

// fakeNode is one that waits for a deploy.
func fakeNode(t *testing.T, db *store.Store) string {
	t.Helper()
	n := ingot.Node{
		UUID: uuid.NewString(), Driver: "fake-hardware", ProvisionState: ingot.Available, PowerState: ingot.PowerOff,
		Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Power: "fake", Management: "fake"},
	}
	require.NoError(t, db.CreateNode(t.Context(), &n, nil))
	return n.UUID
}

// requireOnce: every step of every node was left behind once.
func requireOnce(t *testing.T, db *store.Store, nodes []string) {
	t.Helper()
	events, _, err := db.Events(t.Context(), 0, 100_000)
	require.NoError(t, err)
	times, steps := map[string]int{}, map[string]int{}
	for _, e := range events {
		if e.Type == "operation.step" && e.Data["after"] != e.Data["step"] {
			times[fmt.Sprint(e.Node, " ", e.Data["after"])]++
			steps[e.Node]++
		}
	}
	require.Len(t, steps, len(nodes))
	for step, n := range times {
		require.Equal(t, 1, n, step)
	}
	for _, id := range nodes {
		require.Equal(t, steps[nodes[0]], steps[id])
	}
}
