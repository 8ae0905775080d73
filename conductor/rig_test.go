package conductor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/conductor/fake"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// world is everything that outlives a conductor: the store, the machines with their agents, and a journal of what was
// done to them.
type world struct {
	t     *testing.T
	store *store.Store
	rack  *fake.Rack

	mu      sync.Mutex
	journal []string
	live    *conductor.Conductor
	stop    func()
	prepare func(*conductor.Conductor) // adjusts every conductor; nil nothing
	id      string                     // two bytes of its network cards' addresses
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOn(t, storetest.SQLite(t))
}

// worldOn is a world on a store that others used before it; no other may use it at the same time.
func worldOn(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, store: s, rack: &fake.Rack{Log: slog.New(slog.DiscardHandler), Delays: fake.Delays{Command: fake.Exactly(2 * time.Millisecond)}}, stop: func() {}}
	w.rack.Caller = w
	t.Cleanup(w.kill)
	return w
}

// start begins a conductor; change adjusts it before it runs.
func (w *world) start(change func(*conductor.Conductor)) {
	c := w.newConductor("here", w.store)
	if w.prepare != nil {
		w.prepare(c)
	}
	if change != nil {
		change(c)
	}
	c.Prepare()
	require.NoError(w.t, w.store.ReleaseClaims(w.t.Context(), ""))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	w.mu.Lock()
	w.live = c
	w.stop = func() { cancel(); stopped(w.t, ended) }
	w.mu.Unlock()
	go func() { _ = c.KeepEvidence(ctx) }()
	go func() { ended <- c.Run(ctx) }()
}

// newConductor is one that has yet to be prepared.
func (w *world) newConductor(hostname string, s *store.Store) *conductor.Conductor {
	return &conductor.Conductor{
		ID: uuid.NewString(), Hostname: hostname, Operations: s, Wakes: s, Nodes: s, NodePorts: s, Leases: s, Blobs: s, Firmware: s,
		Machines: machines{w}, Images: imagesThatAreThere{}, BootURL: func(netip.Addr) string { return "http://boot" },
		Settings: conductor.Settings{Poll: 20 * time.Millisecond, PowerSync: -1, AutomatedClean: true, MaxCleans: 1000, MaxDeploys: 1000},
	}
}

// patience is how long a test waits for what should come up within seconds, beside others on a busy machine.
const patience = 90 * time.Second

// receive takes from a channel what should come soon.
func receive[T any](t *testing.T, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		require.FailNow(t, "what the test waits for never came")
	}
	return got
}

// stopped waits for a conductor that was told to stop, and shows what it hangs at.
func stopped(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		stacks := make([]byte, 1<<20)
		require.FailNow(t, "the conductor does not stop", "%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// kill stops the conductor. What it had claimed stays claimed.
func (w *world) kill() {
	w.mu.Lock()
	stop := w.stop
	w.stop = func() {}
	w.mu.Unlock()
	stop()
}

func (w *world) conductor() *conductor.Conductor {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}

// The world passes on what agents say to whichever conductor lives.

func (w *world) Lookup(ctx context.Context, macs []string, node, from string) (ingot.Node, error) {
	return w.conductor().Lookup(ctx, macs, node, from)
}

func (w *world) Heartbeat(ctx context.Context, node string, hb ingot.Heartbeat) error {
	return w.conductor().Heartbeat(ctx, node, hb)
}

func (w *world) ContinueInspection(ctx context.Context, node string, inventory ingot.Inventory, plugin map[string]any, from string) (ingot.Node, error) {
	return w.conductor().ContinueInspection(ctx, node, inventory, plugin, from)
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = append(w.journal, fmt.Sprintf(format, args...))
}

// said is the journal so far.
func (w *world) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.journal...)
}

// count says how often a line is in the journal.
func (w *world) count(line string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, l := range w.journal {
		if l == line {
			n++
		}
	}
	return n
}

// node enrols a fake node in a state; changes adjust it first.
func (w *world) node(state ingot.State, changes ...func(*ingot.Node)) ingot.Node {
	w.t.Helper()
	n := ingot.Node{
		UUID: uuid.NewString(), Driver: "fake-hardware", ProvisionState: state, PowerState: ingot.PowerOff,
		Interfaces: ingot.Interfaces{Boot: "fake", Deploy: "fake", Inspect: "fake", Power: "fake", Management: "fake", Rescue: "fake"},
	}
	for _, change := range changes {
		change(&n)
	}
	require.NoError(w.t, w.store.CreateNode(w.t.Context(), &n, nil))
	return n
}

func (w *world) get(id string) ingot.Node {
	w.t.Helper()
	n, err := w.store.Node(w.t.Context(), id)
	require.NoError(w.t, err)
	return n
}

// ask sends a verb, as the API would.
func (w *world) ask(id string, verb ingot.Verb) {
	w.t.Helper()
	req := ingot.ProvisionRequest{Verb: verb}
	switch verb {
	case ingot.VerbClean:
		req.CleanSteps = stepsOf("deploy.erase_devices_metadata")
	case ingot.VerbService:
		req.ServiceSteps = stepsOf("deploy.burnin_cpu")
	case ingot.VerbRescue:
		req.RescuePassword = "hunter2"
	}
	w.request(id, req)
}

// request sends a verb with its body.
func (w *world) request(id string, req ingot.ProvisionRequest) {
	w.t.Helper()
	require.NoError(w.t, w.conductor().Provision(w.t.Context(), w.get(id), req))
}

// stepsOf is a list of steps by their names, "interface.step".
func stepsOf(names ...string) []map[string]any {
	steps := make([]map[string]any, 0, len(names))
	for _, name := range names {
		kind, step, _ := strings.Cut(name, ".")
		steps = append(steps, map[string]any{"interface": kind, "step": step})
	}
	return steps
}

// until waits for a state, and says what the node was like if it never came.
func (w *world) until(id string, state ingot.State) ingot.Node {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		n := w.get(id)
		if n.ProvisionState == state {
			return n
		}
		if time.Now().After(deadline) {
			op, err := w.store.LiveOperation(w.t.Context(), id, ingot.LaneProvision)
			require.FailNow(w.t, "state never came", "want %s, is %s (target %s, error %q); operation %+v, %v; journal %q", state, n.ProvisionState, n.TargetProvisionState, n.LastError, op, err, w.said())
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// steps are the steps that were committed for a node, in order, without those that were only asked again.
func (w *world) steps(id string) []string {
	w.t.Helper()
	events, _, err := w.store.Events(w.t.Context(), 0, 100_000)
	require.NoError(w.t, err)
	var steps []string
	for _, e := range events {
		if e.Node == id && e.Type == "operation.step" {
			steps = append(steps, fmt.Sprint(e.Data["after"]))
		}
	}
	return steps
}

// machines hands out the rack's machines and wire, journaling what is done to them.
type machines struct{ w *world }

func (m machines) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	return journaled{m.w.rack.Machine(n), m.w}, "bmc-" + n.UUID, nil
}

func (m machines) Agent(*ingot.Node) conductor.AgentWire { return journaledWire{m.w.rack, m.w} }

func (m machines) Supports(*ingot.Node, string, string) bool { return true }

type journaled struct {
	ingot.Machine
	w *world
}

// Unwrap lets the fake machine's abilities be found.
func (j journaled) Unwrap() any { return j.Machine }

func (j journaled) SetPower(ctx context.Context, action ingot.PowerAction) error {
	j.w.note("power %s", action)
	return j.Machine.SetPower(ctx, action)
}

func (j journaled) Reset(ctx context.Context) error {
	able, ok := ingot.As[ingot.Resetter](j.Machine)
	if !ok {
		return ingot.Errorf(ingot.Unsupported, "the machine has no reset")
	}
	j.w.note("reset")
	return able.Reset(ctx)
}

type journaledWire struct {
	*fake.Rack
	w *world
}

func (j journaledWire) Send(ctx context.Context, n *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	command, err := j.Rack.Send(ctx, n, request, wait)
	if err == nil {
		j.w.note("agent %s", request.Name)
	}
	return command, err
}

// imagesThatAreThere answers every question about images.
type imagesThatAreThere struct{}

func (imagesThatAreThere) Prepare(_ context.Context, source ingot.ImageSource) (ingot.ImageReady, error) {
	return ingot.ImageReady{ID: "image", URL: source.URL, DiskFormat: "raw", Checksum: source.Checksum, ChecksumAlgo: "sha256"}, nil
}

// OpenImage is for guests that are made from one.
func (imagesThatAreThere) OpenImage(context.Context, ingot.ImageSource) (ingot.GuestImage, error) {
	return ingot.GuestImage{}, nil
}

// mortal is a store whose conductor can be killed: from then on nothing that it does is written.
type mortal struct {
	*store.Store
	mu   sync.Mutex
	dead bool
	// after kills the conductor after so many commits; 0 never.
	after   int
	commits int
}

var errDead = errors.New("this conductor was killed")

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

func (m *mortal) CommitPass(ctx context.Context, result ingot.Result) error {
	if m.isDead() {
		return errDead
	}
	err := m.Store.CommitPass(ctx, result)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.commits++; m.commits == m.after {
		m.dead = true
	}
	return err
}

func (m *mortal) ClaimOperations(ctx context.Context, by ingot.Claimer, n int) ([]ingot.Pass, error) {
	if m.isDead() {
		return nil, errDead
	}
	return m.Store.ClaimOperations(ctx, by, n)
}
