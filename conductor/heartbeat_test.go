package conductor_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
)

const mac = "52:54:00:00:00:01"

// waiting is a node whose deploy waits for an agent that never calls by itself, with one port.
func (w *world) waiting() ingot.Node {
	w.t.Helper()
	w.rack.Delays.Boot.Earliest = time.Hour
	n := w.node(ingot.Available)
	require.NoError(w.t, w.store.Ports().Create(w.t.Context(), &ingot.Port{UUID: uuid.NewString(), NodeUUID: n.UUID, Address: mac, PXEEnabled: true}))
	w.ask(n.UUID, ingot.VerbActive)
	return w.until(n.UUID, ingot.DeployWait)
}

func TestTokensAreGivenOnceToEachBoot(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.waiting()
	c, ctx := w.conductor(), t.Context()

	first, err := c.Lookup(ctx, []string{mac}, "", "10.0.0.7:4321")
	require.NoError(t, err)
	require.NotEmpty(t, first.Agent.Token)
	again, err := c.Lookup(ctx, []string{mac}, "", "10.0.0.7:5555")
	require.NoError(t, err)
	require.Equal(t, first.Agent.Token, again.Agent.Token, "a lost reply must not kill a machine")
	_, err = c.Lookup(ctx, []string{mac}, "", "10.0.0.8:1")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "another address gets nothing")

	hb := ingot.Heartbeat{CallbackURL: "https://10.0.0.7:9999", Token: first.Agent.Token, CA: "certificate"}
	for name, wrong := range map[string]ingot.Heartbeat{
		"no token":    {CallbackURL: hb.CallbackURL},
		"wrong token": {CallbackURL: hb.CallbackURL, Token: "guess"},
	} {
		require.Equal(t, ingot.Invalid, ingot.CodeOf(c.Heartbeat(ctx, n.UUID, wrong)), name)
	}
	require.NoError(t, c.Heartbeat(ctx, n.UUID, hb))
	moved := hb
	moved.CallbackURL = "https://10.0.0.66:9999"
	require.ErrorContains(t, c.Heartbeat(ctx, n.UUID, moved), "callback_url")

	_, err = c.Lookup(ctx, []string{mac}, "", "10.0.0.7:4321")
	require.EqualError(t, err, "Resource could not be found.", "the token was used")
}

func TestStrangersLearnNothing(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	idle := w.node(ingot.Available)
	for name, ask := range map[string]struct {
		macs []string
		uuid string
	}{
		"unknown address": {[]string{"52:54:00:99:99:99"}, ""}, "unknown node": {nil, uuid.NewString()}, "a node that waits for nobody": {nil, idle.UUID}, "nothing": {nil, ""},
	} {
		_, err := w.conductor().Lookup(t.Context(), ask.macs, ask.uuid, "10.0.0.7:1")
		require.EqualError(t, err, "Resource could not be found.", name)
	}
	_, err := w.conductor().ContinueInspection(t.Context(), idle.UUID, ingot.Inventory{}, nil, "10.0.0.7:1")
	require.EqualError(t, err, "Resource could not be found.")
}

// TestRescuedMachinesAreNotHeard: what runs in a rescued machine is its user's. Its heartbeats change nothing, and it gets
// no token, also when it was started again.
func TestRescuedMachinesAreNotHeard(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	n := w.node(ingot.Active)
	require.NoError(t, w.store.Ports().Create(t.Context(), &ingot.Port{UUID: uuid.NewString(), NodeUUID: n.UUID, Address: mac, PXEEnabled: true}))
	w.request(n.UUID, ingot.ProvisionRequest{Verb: ingot.VerbRescue, RescuePassword: "hunter2"})
	rescued := w.until(n.UUID, ingot.Rescue)
	require.Equal(t, ingot.BootKernel, rescued.Boot.Action)
	c, ctx := w.conductor(), t.Context()

	hb := ingot.Heartbeat{CallbackURL: rescued.Agent.URL, Token: rescued.Agent.Token, CA: "another", Version: "9"}
	require.NoError(t, c.Heartbeat(ctx, n.UUID, hb), "as in Ironic, it is answered as ever")
	require.Equal(t, rescued.Agent, w.get(n.UUID).Agent)
	require.Equal(t, rescued.Version, w.get(n.UUID).Version)

	w.change(n.UUID, func(n *ingot.Node) { n.Agent = ingot.Agent{} })
	_, err := c.Lookup(ctx, []string{mac}, "", "10.0.0.7:1")
	require.EqualError(t, err, "Resource could not be found.")
	require.Zero(t, w.get(n.UUID).Agent)
}

func TestWhatMachinesBoot(t *testing.T) {
	w := newWorld(t)
	kernel := filepath.Join(t.TempDir(), "vmlinuz")
	require.NoError(t, os.WriteFile(kernel, []byte("kernel"), 0o644))
	w.start(func(c *conductor.Conductor) { c.Ramdisk = map[string]string{"vmlinuz": kernel} })
	c, ctx := w.conductor(), t.Context()
	spec, err := c.Decide(ctx, ingot.BootRequest{MAC: mac})
	require.NoError(t, err)
	require.Equal(t, ingot.BootSilence, spec.Action)

	n := w.waiting()
	spec, err = c.Decide(ctx, ingot.BootRequest{MAC: mac})
	require.NoError(t, err)
	require.Equal(t, ingot.BootKernel, spec.Action)
	require.Equal(t, "/boot/file/"+n.Boot.Token+"/vmlinuz", spec.Kernel)
	require.Contains(t, spec.Cmdline, "ipa-api-url={boot} ")
	require.Contains(t, spec.Cmdline, "BOOTIF=01-52-54-00-00-00-01")
	quiet := ingot.Port{UUID: uuid.NewString(), NodeUUID: n.UUID, Address: "52:54:00:00:00:02"}
	require.NoError(t, w.store.Ports().Create(ctx, &quiet))
	spec, err = c.Decide(ctx, ingot.BootRequest{MAC: quiet.Address})
	require.NoError(t, err)
	require.Equal(t, ingot.BootSilence, spec.Action, "pxe_enabled is false")

	file, size, err := c.BootFile(ctx, n.Boot.Token, "vmlinuz")
	require.NoError(t, err)
	defer file.Close()
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.Equal(t, "kernel", string(data))
	require.EqualValues(t, 6, size)
	for _, token := range []string{"", n.UUID, n.UUID + ".", n.UUID + ".guess", "../../etc/passwd"} {
		_, _, err := c.BootFile(ctx, token, "vmlinuz")
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err), token)
	}

	w.rack.Delays.Boot.Earliest = 0
	w.ask(n.UUID, ingot.VerbDeleted)
	w.until(n.UUID, ingot.Available)
	spec, err = c.Decide(ctx, ingot.BootRequest{MAC: mac})
	require.NoError(t, err)
	require.Equal(t, ingot.BootLocalDisk, spec.Action)
	_, _, err = c.BootFile(ctx, n.Boot.Token, "vmlinuz")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "the token's time is over")
}

func TestEvidenceIsKeptAndSaidWhenTheAgentNeverCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(c *conductor.Conductor) { c.Settings.CallbackTimeout = 1500 * time.Millisecond })
	n := w.waiting()
	for _, what := range []string{"offered 10.0.0.7", "sent snponly.efi", "sent snponly.efi"} {
		w.conductor().Saw(ingot.BootEvidence{MAC: mac, What: what})
	}
	w.conductor().Saw(ingot.BootEvidence{MAC: "52:54:00:99:99:99", What: "offered 10.0.0.8"})
	require.Eventually(t, func() bool { return len(w.get(n.UUID).Evidence) == 2 }, 5*time.Second, time.Millisecond, "the same thing twice is one line")
	failed := w.until(n.UUID, ingot.DeployFailed)
	require.Contains(t, failed.LastError, "last seen of the machine: sent snponly.efi")
	require.Contains(t, failed.LastError, "timed out after 1.5s in step agent")
}
