package conductor_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/images/configdrive"
	"github.com/ingot-metal/ingot/store"
)

// hall is a guest, metal that may take its instance over, and what must never happen to the two. A system that starts
// writes to its disk, so that an old copy is known.
type hall struct {
	crossing
	guest string

	starts  int    // of the guest's system: what is on its disk
	written string // on the metal's disk; "" is nothing
	blank   bool   // the guest's disk has nothing on it
	removed bool
}

// The instance's network cards, on the guest and on the metal.
const guestCard, metalCard = "52:54:00:aa:00:01", "52:54:00:bb:00:02"

// swap is a world with a hall: the guest runs, has an allocation, a config drive, a virtual interface and an address.
func swap(t *testing.T, s *store.Store) *hall {
	t.Helper()
	w, c, guest, _, _ := moves(t, s)
	w.rack.Delays.Beat = 50 * time.Millisecond
	h := &hall{crossing: crossing{cloud: c, shelf: newShelf(), from: guest.UUID, request: toMetal(nil), copied: "agent standby.prepare_image"}, guest: guest.UUID, starts: 1}
	metal := w.node(ingot.Available, func(n *ingot.Node) {
		n.Name, n.ResourceClass, n.Owner = "metal-"+guest.UUID[:8], "small", guest.Owner
		n.Properties = map[string]any{"local_gb": "40", "cpu_arch": "x86_64"}
	})
	h.metal = metal.UUID
	ctx := t.Context()
	for node, mac := range map[string]string{h.guest: guestCard, h.metal: metalCard} {
		p := ingot.Port{NodeUUID: node, Address: w.card(mac), PXEEnabled: true, PhysicalNetwork: "lab"}
		if node == h.guest {
			p.Internal = map[string]any{ingot.VIFKey: "vif-1"}
		}
		require.NoError(t, s.Ports().Create(ctx, &p))
	}
	w.change(h.guest, func(n *ingot.Node) { n.Name, n.ResourceClass, n.Lessee = "web-"+guest.UUID[:8], "small", "tenant" })
	a := ingot.Allocation{
		ResourceClass: "small", NodeUUID: h.guest, State: ingot.AllocationActive,
		Extra: map[string]any{"placement": map[string]any{"fallback": "virtual", "result": map[string]any{"kind": "virtual", "compute_host": guest.ParentNode, "reason": "no metal"}}},
	}
	require.NoError(t, s.Allocations().Create(ctx, &a))
	require.NoError(t, s.PutBlob(ctx, "config-drive/"+h.guest, "text/plain", []byte(w.drive()), time.Now().Add(time.Hour)))
	prepare := w.prepare
	w.prepare = func(live *conductor.Conductor) {
		prepare(live)
		live.Machines, live.Disks, live.Guests.Instances = h, h, w.store
		live.Settings.PowerTimeout = 10 * time.Second
	}
	return h
}

// card is a network card of this world alone: worlds share stores.
func (w *world) card(like string) string {
	return like[:9] + w.rackID() + like[14:]
}

// rackID is two bytes that differ between worlds, as MAC addresses have them.
func (w *world) rackID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.id == "" {
		id := uuid.NewString()
		w.id = id[:2] + ":" + id[2:4]
	}
	return w.id
}

// drive is a config drive that names the guest's card.
func (w *world) drive() string {
	data, err := configdrive.Parse([]byte(`{"meta_data": {"uuid": "the-instance", "hostname": "web"}, "network_data": {"links": [{"ethernet_mac_address": "` + w.card(guestCard) + `"}]}}`))
	require.NoError(w.t, err)
	iso, err := configdrive.Build(data)
	require.NoError(w.t, err)
	text, err := configdrive.Encode(iso)
	require.NoError(w.t, err)
	return text
}

// Machine is the guest's, the metal's, or a host's.
func (h *hall) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	machine, key, err := h.cloud.Machine(n)
	switch n.UUID {
	case h.guest:
		return swapGuest{machine.(*cloudMachine), h}, key, err
	case h.metal:
		machine, key, err := h.machines.Machine(n)
		return crossedMetal{machine, &h.crossing, func() {}, h.check}, key, err
	}
	return machine, key, err
}

// check looks for two live copies; call it with the lock held.
func (h *hall) check() {
	if h.runs && len(h.runsOn(h.guest)) > 0 {
		h.accuse("guest and metal run at the same time")
	}
	if h.runs && h.written == "" {
		h.accuse("the metal was started from a disk with nothing on it")
	}
}

// swapGuest is the guest: its host can copy its disk.
type swapGuest struct {
	*cloudMachine
	h *hall
}

func (g swapGuest) SetPower(ctx context.Context, action ingot.PowerAction) error {
	was := len(g.h.runsOn(g.guest)) > 0
	err := g.cloudMachine.SetPower(ctx, action)
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	if err == nil && action == ingot.ActionOn && !was {
		g.h.starts++
		if g.h.blank {
			g.h.accuse("the guest was started from a disk with nothing on it")
		}
	}
	g.h.check()
	return err
}

func (g swapGuest) CanExport(context.Context) error { return nil }

func (g swapGuest) ExportDisk(_ context.Context, key string, to func(string) (ingot.DiskCopy, error)) error {
	if len(g.h.runsOn(g.guest)) > 0 {
		g.h.accuse("the disk was copied under a guest that runs")
	}
	g.h.mu.Lock()
	fails := g.h.fails
	g.h.mu.Unlock()
	if fails != nil {
		return fails
	}
	into, err := to("qcow2")
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(into, g.h.disk())
	if err != nil {
		return err
	}
	g.h.w.note("disk copied")
	return into.Keep()
}

// disk is what the guest's disk says.
func (h *hall) disk() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("marker; started %d times", h.starts)
}

func (g swapGuest) BlankDisk(context.Context) error {
	if g.h.w.get(g.h.metal).InstanceUUID == "" {
		g.h.accuse("the guest's disk was emptied while it is the instance")
	}
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.h.blank = true
	return nil
}

func (g swapGuest) RemoveGuest(context.Context) error {
	g.h.mu.Lock()
	defer g.h.mu.Unlock()
	g.h.removed = true
	return nil
}

// Agent is the wire to the metal's agent, which writes what it is told to.
func (h *hall) Agent(n *ingot.Node) conductor.AgentWire { return swapWire{h.cloud.Agent(n), h} }

type swapWire struct {
	conductor.AgentWire
	h *hall
}

func (s swapWire) Send(ctx context.Context, n *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	command, err := s.AgentWire.Send(ctx, n, request, wait)
	if info, writes := request.Params["image_info"].(map[string]any); err == nil && writes {
		text := s.h.text(strings.TrimPrefix(info["urls"].([]string)[0], "copy:"))
		s.h.mu.Lock()
		s.h.written = text
		s.h.mu.Unlock()
	}
	return command, err
}
