package conductor_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// toGuest is a request that has a server's instance go on as a guest.
func toGuest(args map[string]any) ingot.ProvisionRequest {
	return ingot.ProvisionRequest{Verb: ingot.VerbService, ServiceSteps: []map[string]any{{"interface": "management", "step": "to_guest", "args": args}}}
}

// went is the verdict on an interchange that was carried out.
func (h *twins) went(t *testing.T, before ingot.Node) {
	t.Helper()
	require.Empty(t, h.wrong())
	guest := h.taker(t)
	require.Equal(t, ingot.Active, guest.ProvisionState, "%s; %q", guest.LastError, h.w.said())
	require.Equal(t, []any{before.InstanceUUID, before.AllocationUUID, before.Name, before.Lessee}, []any{guest.InstanceUUID, guest.AllocationUUID, guest.Name, guest.Lessee})
	require.Contains(t, guest.Traits, "CUSTOM_VIRTUAL")
	require.Equal(t, []any{ingot.PowerOn, h.metal, before.InstanceInfo}, []any{guest.PowerState, guest.MovedFrom(), guest.InstanceInfo})
	metal := h.w.get(h.metal)
	require.Equal(t, []any{"", "", ingot.PowerOff}, []any{metal.InstanceUUID, metal.AllocationUUID, metal.PowerState})
	require.NotEqual(t, ingot.BootKernel, metal.Boot.Action)
	h.mu.Lock()
	defer h.mu.Unlock()
	require.True(t, h.guests[guest.UUID].on)
	require.True(t, strings.HasPrefix(h.guests[guest.UUID].disk, "marker; started 1 times; as a guest"), h.guests[guest.UUID].disk)
	require.False(t, h.runs)
	switch metal.ProvisionState {
	case ingot.Available:
		require.Empty(t, h.disk, "it was cleaned")
		require.Empty(t, metal.MovedTo())
	default: // a failure after the instance had moved
		require.Contains(t, []ingot.State{ingot.ErrorState, ingot.CleanFailed}, metal.ProvisionState)
		err := h.w.conductor().SetPower(t.Context(), metal, ingot.TargetPowerOn, 0)
		require.Equal(t, ingot.Conflict, ingot.CodeOf(err), "an old copy must not be started: %v", err)
	}
}

func (h *twins) taker(t *testing.T) ingot.Node {
	t.Helper()
	guest, there := h.twin(t)
	require.True(t, there, "%q", h.w.said())
	return guest
}

// stayed is the verdict on one that was not.
func (h *twins) stayed(t *testing.T, before ingot.Node) {
	t.Helper()
	h.stayedIn(t, before, ingot.ServiceFailed)
}

func (h *twins) stayedIn(t *testing.T, before ingot.Node, state ingot.State) {
	t.Helper()
	require.Empty(t, h.wrong())
	metal := h.w.get(h.metal)
	require.Equal(t, state, metal.ProvisionState, metal.LastError)
	require.Equal(t, []any{before.InstanceUUID, before.AllocationUUID, before.Name, before.InstanceInfo}, []any{metal.InstanceUUID, metal.AllocationUUID, metal.Name, metal.InstanceInfo})
	require.Equal(t, []any{ingot.PowerOn, ""}, []any{metal.PowerState, metal.MovedTo()})
	require.NotEqual(t, ingot.BootKernel, metal.Boot.Action)
	require.Eventually(t, func() bool { _, there := h.twin(t); return !there }, patience, time.Millisecond, "the guest goes")
	require.Equal(t, h.used, h.usage(t), "with its claim")
	require.Zero(t, h.kept())
	h.mu.Lock()
	defer h.mu.Unlock()
	require.True(t, h.runs, "%q", h.w.said())
	require.Empty(t, h.guests)
	require.NotEmpty(t, h.disk)
}

// TestToGuest: the same identity on the guest, with all that belongs to it, and the downtime in the history of both.
func TestToGuest(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		h := turning(t, storetest.Open(t, cfg))
		w, ctx := h.w, t.Context()
		require.NoError(t, w.store.CommitLeases(ctx, []ingot.Lease{{Network: "lab", MAC: w.card(guestCard), Address: netip.MustParseAddr("10.0.0.7"), Until: time.Now().Add(time.Hour).Unix()}}))
		before := w.get(h.metal)
		w.start(nil)
		w.request(h.metal, toGuest(nil))
		w.ended(h.metal)
		h.went(t, before)
		guest := h.taker(t)
		require.Equal(t, 1, w.count("disk read"))
		require.Equal(t, ingot.Available, w.get(h.metal).ProvisionState)
		require.Equal(t, "uefi", ingot.Capability(guest.Properties, "boot_mode"))

		a, err := w.store.Allocations().Get(ctx, before.AllocationUUID)
		require.NoError(t, err)
		require.Equal(t, []any{guest.UUID, ingot.AllocationActive, "virtual", guest.ParentNode}, []any{a.NodeUUID, a.State, a.Result().Kind, a.Result().Host})
		ports, err := w.store.ListPorts(ctx, ingot.PortQuery{NodeUUID: guest.UUID})
		require.NoError(t, err)
		require.Len(t, ports, 1)
		require.Equal(t, "vif-1", ingot.Text(ports[0].Internal, ingot.VIFKey))
		l, err := w.store.Lease(ctx, "lab", ports[0].Address)
		require.NoError(t, err)
		require.Equal(t, "10.0.0.7", l.Address.String())
		drive := h.guests[guest.UUID].drive
		require.Contains(t, drive, ports[0].Address)
		require.Contains(t, drive, "the-instance")
		require.NotContains(t, drive, w.card(guestCard))
		_, _, err = w.store.Blob(ctx, "config-drive/"+h.metal)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		for _, node := range []string{guest.UUID, h.metal} {
			require.Contains(t, w.lines(node), "from the metal's stop to the guest's start", "%s", w.lines(node))
		}

		w.ask(guest.UUID, ingot.VerbDeleted) // and ends as any instance
		require.Eventually(t, func() bool { _, there := h.twin(t); return !there }, patience, time.Millisecond)
		require.Equal(t, h.used, h.usage(t))
	})
}

// TestToGuestOfAServerThatRanMeanwhile: somebody starts the server's system after its disk was read. What was read is no longer
// what is there, and is read again.
func TestToGuestOfAServerThatRanMeanwhile(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	var once sync.Once
	w.start(func(c *conductor.Conductor) {
		c.Intercept = func(ctx context.Context, _ *conductor.Run, s conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
			if s.Name == "guest-disks" {
				once.Do(func() {
					now := w.get(h.metal)
					machine, _, err := h.Machine(&now)
					require.NoError(t, err)
					require.NoError(t, machine.SetPower(ctx, ingot.ActionOff))
					require.NoError(t, machine.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootDisk}))
					require.NoError(t, machine.SetPower(ctx, ingot.ActionOn))
					require.NoError(t, machine.SetPower(ctx, ingot.ActionOff))
				})
			}
			return do()
		}
	})
	w.request(h.metal, toGuest(nil))
	w.ended(h.metal)
	require.Empty(t, h.wrong())
	require.Equal(t, 2, w.count("disk read"))
	guest, there := h.twin(t)
	require.True(t, there)
	require.Equal(t, ingot.Active, guest.ProvisionState)
	require.Equal(t, "marker; started 1 times; again; as a guest", h.guests[guest.UUID].disk)
}

// TestToGuestAborted: a user's abort while the agent is waited for has the server run again, as if nothing had been.
func TestToGuestAborted(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	before := w.get(h.metal)
	w.rack.Delays.Boot.Earliest = time.Hour
	w.start(nil)
	w.request(h.metal, toGuest(nil))
	waiting := w.until(h.metal, ingot.ServiceWait)
	guest, there := h.twin(t)
	require.True(t, there)
	require.Equal(t, ingot.Deploying, guest.ProvisionState)
	for _, verb := range []ingot.Verb{ingot.VerbDeleted, ingot.VerbActive} {
		err := w.conductor().Provision(t.Context(), guest, ingot.ProvisionRequest{Verb: verb})
		require.Error(t, err, verb)
	}
	require.NoError(t, w.conductor().Provision(t.Context(), waiting, ingot.ProvisionRequest{Verb: ingot.VerbAbort}))
	w.ended(h.metal)
	h.stayedIn(t, before, ingot.Active)
}

// TestToGuestOfAServerThatIsOff: the guest is off as well, and there is no downtime to speak of.
func TestToGuestOfAServerThatIsOff(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	now := w.change(h.metal, func(n *ingot.Node) { n.PowerState = ingot.PowerOff })
	machine, _, err := h.Machine(&now)
	require.NoError(t, err)
	require.NoError(t, machine.SetPower(t.Context(), ingot.ActionOff))
	w.start(nil)
	w.request(h.metal, toGuest(nil))
	require.Equal(t, ingot.Available, w.ended(h.metal).ProvisionState)
	require.Empty(t, h.wrong())
	guest, there := h.twin(t)
	require.True(t, there)
	require.Equal(t, []any{ingot.Active, ingot.PowerOff, now.InstanceUUID}, []any{guest.ProvisionState, guest.PowerState, guest.InstanceUUID})
	require.False(t, h.guests[guest.UUID].on)
	require.Equal(t, "marker; started 1 times", h.guests[guest.UUID].disk)
	require.NotContains(t, w.lines(h.metal), "the instance went from")
}

// TestToGuestOfADiskThatCannotBeRead: the server runs again.
func TestToGuestOfADiskThatCannotBeRead(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	before := h.w.get(h.metal)
	h.fails = ingot.Fatalf("its last partition ends at 3 bytes")
	h.w.start(nil)
	h.w.request(h.metal, toGuest(nil))
	require.Contains(t, h.w.ended(h.metal).LastError, "its last partition ends at 3 bytes")
	h.stayed(t, before)
}

// TestToGuestWhoseServerCannotBeSeen: where its BMC does not answer, the server is not taken for off, and no guest is started.
func TestToGuestWhoseServerCannotBeSeen(t *testing.T) {
	h := turning(t, storetest.SQLite(t))
	w := h.w
	before := w.get(h.metal)
	w.start(func(c *conductor.Conductor) {
		c.Settings.AbortDeadline, c.Settings.StepTimeout = 300*time.Millisecond, time.Second
	})
	h.breakBMC(errors.New("no route to the BMC"))
	w.request(h.metal, toGuest(nil))
	require.Contains(t, w.ended(h.metal).LastError, "no route to the BMC")
	h.stayed(t, before)
}
