package conductor_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/store"
)

// twins are a server with an instance, hosts that a guest may be on which takes it over, and what must never happen to the
// two. A system that starts writes to its disk, so that an old copy is known.
type twins struct {
	crossing
	hosts []string
	used  map[string]ingot.Amounts // of the hosts, before

	disk   string // of the server: what its system has written; "" is nothing
	guests map[string]*twinGuest
}

// twinGuest is a guest as its host has it.
type twinGuest struct {
	h         *twins
	id        string
	disk, key string
	drive     string // config drive
	on        bool
}

// turning is a world with twins: the server runs, has an allocation, a config drive, a virtual interface and an address.
func turning(t *testing.T, s *store.Store) *twins {
	t.Helper()
	w, c, other, a, b := moves(t, s)
	w.rack.Delays.Beat = 50 * time.Millisecond
	class := "class-" + uuid.NewString()[:8]
	h := &twins{
		crossing: crossing{cloud: c, shelf: newShelf(), runs: true, request: toGuest(nil), copied: "disk read"},
		hosts:    []string{a, b}, disk: "marker; started 1 times", guests: map[string]*twinGuest{},
	}
	ctx := t.Context()
	require.NoError(t, s.Flavors().Create(ctx, &ingot.Flavor{ResourceClass: class, Resources: ingot.Amounts{ingot.VCPU: 1, ingot.MemoryMB: 1024, ingot.DiskGB: 20}}))
	no := false
	metal := w.node(ingot.Active, func(n *ingot.Node) {
		n.Name, n.ResourceClass, n.Owner, n.Lessee, n.PowerState = "web-"+n.UUID[:8], class, other.Owner, "tenant", ingot.PowerOn
		n.Properties = map[string]any{"local_gb": "20", "cpu_arch": "x86_64", "capabilities": "boot_mode:uefi"}
		n.InstanceInfo = map[string]any{"image_source": "file:///x"}
		n.AutomatedClean = &no // it is cleaned all the same
	})
	h.metal, h.from = metal.UUID, metal.UUID
	require.NoError(t, s.Ports().Create(ctx, &ingot.Port{NodeUUID: h.metal, Address: w.card(guestCard), PXEEnabled: true, Internal: map[string]any{ingot.VIFKey: "vif-1"}}))
	machine := w.rack.Machine(&metal)
	require.NoError(t, machine.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}))
	require.NoError(t, machine.SetPower(ctx, ingot.ActionOn))
	alloc := ingot.Allocation{
		ResourceClass: class, NodeUUID: h.metal, State: ingot.AllocationActive,
		Extra: map[string]any{"placement": map[string]any{"fallback": "virtual", "result": map[string]any{"kind": "metal"}}},
	}
	require.NoError(t, s.Allocations().Create(ctx, &alloc))
	require.NoError(t, s.PutBlob(ctx, "config-drive/"+h.metal, "text/plain", []byte(w.drive()), time.Now().Add(time.Hour)))
	h.used = h.usage(t)
	prepare := w.prepare
	w.prepare = func(live *conductor.Conductor) {
		prepare(live)
		live.Machines, live.Disks, live.Guests.Instances = h, h, w.store
		live.Guests.Interfaces = ingot.Interfaces{Boot: "ipxe", Deploy: "libvirt-image", Inspect: "agent", Power: "libvirt", Management: "libvirt"}
		live.Settings.PowerTimeout = 10 * time.Second
	}
	return h
}

// usage is what guests have of the hosts.
func (h *twins) usage(t *testing.T) map[string]ingot.Amounts {
	t.Helper()
	used := map[string]ingot.Amounts{}
	for _, host := range h.hosts {
		used[host] = ingot.Amounts{}
		capacities, err := h.w.store.Capacities(t.Context(), host)
		require.NoError(t, err)
		for _, c := range capacities {
			used[host][c.Resource] = c.Used
		}
	}
	return used
}

// twin is the guest's node; false where there is none.
func (h *twins) twin(t *testing.T) (ingot.Node, bool) {
	t.Helper()
	nodes, err := h.w.store.ListNodes(t.Context(), ingot.NodeQuery{Driver: ingot.GuestDriver, IncludeChildren: true, Page: ingot.Page{Limit: -1}})
	require.NoError(t, err)
	for _, n := range nodes {
		if n.IsDynamic() && (n.ParentNode == h.hosts[0] || n.ParentNode == h.hosts[1]) {
			return n, true
		}
	}
	return ingot.Node{}, false
}

// Machine is a guest's, the server's, or a host's.
func (h *twins) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	switch {
	case n.UUID == h.metal:
		machine, key, err := h.machines.Machine(n)
		return crossedMetal{machine, &h.crossing, h.startsServer, h.check}, key, err
	case n.IsDynamic():
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.guests[n.UUID] == nil {
			h.guests[n.UUID] = &twinGuest{h: h, id: n.UUID}
		}
		return h.guests[n.UUID], "guest " + n.UUID, nil
	}
	return h.cloud.Machine(n)
}

// Agent is the wire to the server's agent.
func (h *twins) Agent(n *ingot.Node) conductor.AgentWire { return twinWire{h.machines.Agent(n), h} }

// check looks for two live copies; call it with the lock held.
func (h *twins) check() {
	for _, g := range h.guests {
		if g.on && h.runs {
			h.accuse("guest and server run at the same time")
		}
	}
}

// startsServer is what becomes of the server's disk when its system starts.
func (h *twins) startsServer() {
	if now := h.w.get(h.metal); now.MovedTo() != "" {
		h.accuse("the server was started from an old copy")
	}
	h.disk += "; again"
}

func (g *twinGuest) PowerState(context.Context) (ingot.PowerState, error) {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	if g.on {
		return ingot.PowerOn, nil
	}
	return ingot.PowerOff, nil
}

func (g *twinGuest) SetPower(_ context.Context, action ingot.PowerAction) error {
	now := g.h.w.get(g.id)
	has := now.MovedFrom() == g.h.metal
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	switch {
	case action == ingot.ActionOn && !has:
		g.h.accuse("the guest was started before it had the instance")
	case action == ingot.ActionOn && g.disk == "":
		g.h.accuse("the guest was started from a disk with nothing on it")
	case action == ingot.ActionOn && g.disk != g.h.disk && !g.on && !strings.Contains(g.disk, "as a guest"):
		g.h.accuse("the guest has %q, and the server had %q", g.disk, g.h.disk)
	}
	if action == ingot.ActionOn && !g.on {
		g.disk += "; as a guest"
	}
	g.on = action == ingot.ActionOn
	g.h.check()
	return nil
}

func (g *twinGuest) BootDevice(context.Context) (ingot.BootSetting, error) {
	return ingot.BootSetting{}, nil
}
func (g *twinGuest) SetBootDevice(context.Context, ingot.BootSetting) error { return nil }

func (g *twinGuest) DefineGuest(_ context.Context, ports []ingot.Port) error {
	if len(ports) != 1 {
		return ingot.Fatalf("the guest has %d ports", len(ports))
	}
	return nil
}

func (g *twinGuest) BlankDisk(context.Context) error { g.disk = ""; return nil }

func (g *twinGuest) ImageDisk(context.Context, string, ingot.GuestImage) error {
	return ingot.Fatalf("not asked for")
}

func (g *twinGuest) ConfigDrive(_ context.Context, iso []byte) error {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.drive = string(iso)
	return nil
}

func (g *twinGuest) RemoveGuest(context.Context) error {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	if g.on {
		g.h.accuse("a guest that runs was removed")
	}
	delete(g.h.guests, g.id)
	return nil
}

func (g *twinGuest) ImportDisk(ctx context.Context, key string, open func() (ingot.GuestImage, error)) error {
	g.h.mu.Lock()
	on, has := g.on, g.key == key
	g.h.mu.Unlock()
	if on {
		g.h.accuse("the disk of a guest that runs was replaced")
	}
	if has {
		return nil
	}
	image, err := open()
	if err != nil {
		return err
	}
	from, err := image.Open(ctx)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(from)
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.disk, g.key = string(text), key
	return err
}
