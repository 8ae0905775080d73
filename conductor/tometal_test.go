package conductor_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/images/configdrive"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// toMetal is a request that takes a guest to metal.
func toMetal(args map[string]any) ingot.ProvisionRequest {
	return ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{{"interface": "management", "step": "to_metal", "args": args}}}
}

// went is the verdict on an interchange that was carried out.
func (h *hall) went(t *testing.T, before ingot.Node) {
	t.Helper()
	require.Empty(t, h.wrong())
	guest, metal := h.w.get(h.guest), h.w.get(h.metal)
	require.Equal(t, ingot.Active, metal.ProvisionState, "%s; %q", metal.LastError, h.w.said())
	require.Equal(t, []any{before.InstanceUUID, before.AllocationUUID, before.Name, before.Lessee}, []any{metal.InstanceUUID, metal.AllocationUUID, metal.Name, metal.Lessee})
	require.Equal(t, ingot.PowerOn, metal.PowerState)
	require.Equal(t, ingot.BootLocalDisk, metal.Boot.Action)
	require.Equal(t, h.guest, metal.MovedFrom())
	require.Empty(t, h.runsOn(h.guest))
	h.mu.Lock()
	runs, written, blank := h.runs, h.written, h.blank
	h.mu.Unlock()
	require.True(t, runs)
	require.Equal(t, h.disk(), written, "what the guest had when it stopped")
	if guest.ProvisionState == ingot.ErrorState { // a failure after the instance had moved
		err := h.w.conductor().SetPower(t.Context(), guest, ingot.TargetPowerOn, 0)
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "an old copy must not be started: %v", err)
		return
	}
	require.Equal(t, ingot.Available, guest.ProvisionState, guest.LastError)
	require.Equal(t, []any{"", "", ingot.PowerOff, ""}, []any{guest.InstanceUUID, guest.AllocationUUID, guest.PowerState, guest.MovedTo()})
	require.True(t, blank)
}

func (h *hall) taker(*testing.T) ingot.Node { return h.w.get(h.metal) }

// stayed is the verdict on one that was not.
func (h *hall) stayed(t *testing.T, before ingot.Node) {
	t.Helper()
	require.Empty(t, h.wrong())
	guest, metal := h.w.get(h.guest), h.w.get(h.metal)
	require.Equal(t, ingot.ServiceFailed, guest.ProvisionState)
	require.Equal(t, []any{before.InstanceUUID, before.AllocationUUID, before.Name}, []any{guest.InstanceUUID, guest.AllocationUUID, guest.Name})
	require.Len(t, h.runsOn(h.guest), 1, "%q", h.w.said())
	require.Contains(t, []ingot.State{ingot.Available, ingot.DeployFailed}, metal.ProvisionState)
	if metal.ProvisionState == ingot.Available {
		require.Zero(t, h.w.count("agent standby.prepare_image"), "a disk that may have been written to is cleaned first")
	}
	require.Equal(t, []any{"", "", ingot.PowerOff, ""}, []any{metal.InstanceUUID, metal.AllocationUUID, metal.PowerState, metal.MovedFrom()})
	require.NotEqual(t, ingot.BootKernel, metal.Boot.Action)
	power, err := h.w.rack.Machine(&metal).PowerState(t.Context())
	require.NoError(t, err)
	require.Equal(t, ingot.PowerOff, power)
	require.Zero(t, h.kept())
}

// TestToMetal: the same identity on the metal, with all that belongs to it, and the downtime in the history of both.
func TestToMetal(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		h := swap(t, storetest.Open(t, cfg))
		w, ctx := h.w, t.Context()
		require.NoError(t, w.store.CommitLeases(ctx, []ingot.Lease{{Network: "lab", MAC: w.card(guestCard), Address: netip.MustParseAddr("10.0.0.7"), Until: time.Now().Add(time.Hour).Unix()}}))
		before := w.get(h.guest)
		w.start(nil)
		w.request(h.guest, toMetal(nil))
		w.ended(h.guest)
		h.went(t, before)
		require.Equal(t, 1, w.count("agent standby.prepare_image"))

		a, err := w.store.Allocations().Get(ctx, before.AllocationUUID)
		require.NoError(t, err)
		require.Equal(t, []any{h.metal, ingot.AllocationActive, "metal"}, []any{a.NodeUUID, a.State, a.Result().Kind})
		l, err := w.store.Lease(ctx, "lab", w.card(metalCard))
		require.NoError(t, err)
		require.Equal(t, "10.0.0.7", l.Address.String())
		ports, err := w.store.ListPorts(ctx, ingot.PortQuery{NodeUUID: h.metal})
		require.NoError(t, err)
		require.Equal(t, "vif-1", ingot.Text(ports[0].Internal, ingot.VIFKey))
		text, _, err := w.store.Blob(ctx, "config-drive/"+h.metal)
		require.NoError(t, err)
		iso, err := configdrive.Decode(string(text), 1<<20)
		require.NoError(t, err)
		require.Contains(t, string(iso), w.card(metalCard))
		require.Contains(t, string(iso), "the-instance")
		require.NotContains(t, string(iso), w.card(guestCard))
		_, _, err = w.store.Blob(ctx, "config-drive/"+h.guest)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		for _, node := range []string{h.guest, h.metal} {
			require.Contains(t, w.lines(node), "from the guest's stop to the metal's start", "%s", w.lines(node))
		}
		require.Equal(t, "metal-"+h.guest[:8], w.get(h.guest).Name, "the names are exchanged")

		w.ask(h.metal, ingot.VerbDeleted) // and ends as any instance
		gone := w.until(h.metal, ingot.Available)
		require.Equal(t, []any{"", "", ""}, []any{gone.Lessee, gone.MovedFrom(), gone.InstanceUUID})
	})
}

// lines is a node's history as one text.
func (w *world) lines(node string) string {
	w.t.Helper()
	entries, err := w.store.ListHistory(w.t.Context(), node, ingot.Page{Limit: -1})
	require.NoError(w.t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Event)
	}
	return strings.Join(all, "\n")
}

// TestToMetalOfADynamicGuest: asked with fallback there was only a guest; when there is metal the instance goes there, and
// the guest goes away by itself.
func TestToMetalOfADynamicGuest(t *testing.T) {
	h := swap(t, storetest.SQLite(t))
	w := h.w
	before := w.change(h.guest, func(n *ingot.Node) { n.DriverInfo = map[string]any{"dynamic": true} })
	w.start(nil)
	w.request(h.guest, toMetal(map[string]any{"node": h.metal}))
	require.Eventually(t, func() bool {
		_, err := w.store.Node(t.Context(), h.guest)
		return ingot.CodeOf(err) == ingot.NotFound
	}, 30*time.Second, time.Millisecond)
	metal := w.get(h.metal)
	require.Equal(t, []any{ingot.Active, before.AllocationUUID}, []any{metal.ProvisionState, metal.AllocationUUID})
	require.Contains(t, w.lines(h.metal), "from the guest's stop to the metal's start")
	a, err := w.store.Allocations().Get(t.Context(), before.AllocationUUID)
	require.NoError(t, err, "it does not go with the guest")
	require.Equal(t, h.metal, a.NodeUUID)
	h.mu.Lock()
	defer h.mu.Unlock()
	require.True(t, h.removed)
}

// TestToMetalTakesItsNode: while it is at work nobody else gets the metal.
func TestToMetalTakesItsNode(t *testing.T) {
	h := swap(t, storetest.SQLite(t))
	w := h.w
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	w.request(h.guest, toMetal(nil))
	waiting := w.until(h.metal, ingot.DeployWait)
	a := w.answered(w.allocate(ingot.Allocation{ResourceClass: "small"}).UUID)
	require.Equal(t, ingot.AllocationError, a.State)
	for _, verb := range []ingot.Verb{ingot.VerbDeleted, ingot.VerbAbort} {
		err := w.conductor().Provision(t.Context(), waiting, ingot.ProvisionRequest{Verb: verb})
		require.Equal(t, ingot.Locked, ingot.CodeOf(err), "%s: %v", verb, err)
	}
	require.Len(t, h.runsOn(h.guest), 1, "the guest runs until the agent is there")
}

// TestToMetalWhoseDiskCannotBeCopied: the guest runs again.
func TestToMetalWhoseDiskCannotBeCopied(t *testing.T) {
	h := swap(t, storetest.SQLite(t))
	before := h.w.get(h.guest)
	h.fails = ingot.Fatalf("no room")
	h.w.start(nil)
	h.w.request(h.guest, toMetal(nil))
	require.Contains(t, h.w.ended(h.guest).LastError, "no room")
	h.stayed(t, before)
	require.Equal(t, ingot.Available, h.w.get(h.metal).ProvisionState)
}

// TestToMetalThatCannotBeSeenOff: metal that may hold a copy and whose BMC does not answer keeps the guest from starting, until
// the service is aborted and the metal seen off.
func TestToMetalThatCannotBeSeenOff(t *testing.T) {
	h := swap(t, storetest.SQLite(t))
	w := h.w
	w.start(func(c *conductor.Conductor) {
		c.Settings.AbortDeadline = 300 * time.Millisecond
		c.Intercept = func(_ context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if s.Name == "sync" {
				h.breakBMC(errors.New("no route to the BMC"))
				return conductor.Progress{}, ingot.Fatalf("planted failure")
			}
			return do()
		}
	})
	before := w.get(h.guest)
	w.request(h.guest, toMetal(nil))
	end := w.ended(h.guest)
	require.Equal(t, []any{ingot.ServiceFailed, true, h.metal}, []any{end.ProvisionState, end.Maintenance, end.CopiedTo()})
	require.Empty(t, h.runsOn(h.guest))
	metal := w.get(h.metal)
	require.Equal(t, []any{ingot.DeployFailed, true, ingot.FaultPower}, []any{metal.ProvisionState, metal.Maintenance, metal.Fault})
	for _, id := range []string{h.guest, h.metal} {
		w.change(id, func(n *ingot.Node) { n.Maintenance, n.Fault = false, "" })
	}
	require.Equal(t, ingot.Conflict, ingot.CodeOf(w.conductor().SetPower(t.Context(), w.get(h.guest), ingot.TargetPowerOn, 0)))
	require.Equal(t, ingot.Conflict, ingot.CodeOf(w.conductor().Provision(t.Context(), w.get(h.guest), toMetal(nil))))

	w.ask(h.guest, ingot.VerbAbort)
	time.Sleep(100 * time.Millisecond)
	require.Empty(t, h.runsOn(h.guest), "not before the metal is off")
	h.breakBMC(nil)
	end = w.until(h.guest, ingot.Active)
	require.Equal(t, []any{before.InstanceUUID, ""}, []any{end.InstanceUUID, end.CopiedTo()})
	require.Len(t, h.runsOn(h.guest), 1)
	require.Empty(t, h.wrong())
	require.Equal(t, ingot.PowerOff, w.get(h.metal).PowerState)
}
