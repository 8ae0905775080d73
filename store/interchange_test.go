package store_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// handover is a guest with all that an instance has, metal, and an operation that holds both.
func handover(t testing.TB, s *store.Store) (guest, metal ingot.Node, move ingot.InstanceMove) {
	t.Helper()
	ctx, id := context.Background(), uuid.NewString()[:4]
	guest = ingot.Node{
		Name: "web-" + id, Driver: ingot.GuestDriver, ProvisionState: ingot.Active, InstanceName: "web", Lessee: "tenant", Protected: true, ProtectedReason: "in use",
		InstanceInfo: map[string]any{"image_source": "file:///x", "capabilities": `{"secure_boot": "false"}`}, Properties: map[string]any{"capabilities": "boot_mode:uefi"},
		NetworkData: map[string]any{"links": []any{map[string]any{"ethernet_mac_address": "52:54:00:AA:" + id[:2] + ":" + id[2:]}}},
	}
	metal = ingot.Node{Name: "rack-" + id, Driver: "ipmi", ProvisionState: ingot.Available, PowerState: ingot.PowerOff, Properties: map[string]any{"cpus": 8.0}}
	cards := [2]string{"52:54:00:aa:" + id[:2] + ":" + id[2:], "52:54:00:bb:" + id[:2] + ":" + id[2:]}
	require.NoError(t, s.CreateNode(ctx, &guest, []ingot.Port{{Address: cards[0], Internal: map[string]any{ingot.VIFKey: "vif", "kept": "yes"}}}))
	require.NoError(t, s.CreateNode(ctx, &metal, []ingot.Port{{Address: cards[1]}}))
	a := ingot.Allocation{NodeUUID: guest.UUID, State: ingot.AllocationActive, Extra: map[string]any{"placement": map[string]any{"result": map[string]any{"kind": "virtual", "compute_host": "h"}}}}
	require.NoError(t, s.Allocations().Create(ctx, &a))
	until := time.Now().Add(time.Hour).Unix()
	for i, last := range []byte{7, 8} { // what the guest has, and what the ramdisk was given
		address := netip.AddrFrom4([4]byte{10, id[0], id[1], last})
		require.NoError(t, s.CommitLeases(ctx, []ingot.Lease{{Network: "lab", MAC: cards[i], Address: address, Until: until}}))
	}
	_, err := s.StartOperation(ctx, ingot.Start{
		Operation: ingot.Operation{Kind: ingot.KindToMetal, NodeUUID: guest.UUID}, Others: []string{metal.UUID},
		Joins: []ingot.Join{{UUID: metal.UUID, Change: func(n *ingot.Node) error { n.ProvisionState = ingot.Deploying; return nil }, Events: []ingot.Event{{Type: "joined"}}}},
	})
	require.NoError(t, err)
	pass := claimOne(t, s, "c")
	guest, err = s.Node(ctx, guest.UUID)
	require.NoError(t, err)
	return guest, metal, ingot.InstanceMove{
		From: guest.UUID, To: metal.UUID, Operation: pass.Operation.UUID, Claim: pass.Operation.Claim,
		History: []ingot.History{{NodeUUID: guest.UUID, Event: "went"}, {NodeUUID: metal.UUID, Event: "came"}},
	}
}

// TestMoveInstance: everything of the instance is with the other node, or nothing is.
func TestMoveInstance(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		guest, metal, move := handover(t, s)
		lost := move
		lost.Claim = "another"
		require.Equal(t, ingot.Fenced, ingot.CodeOf(s.MoveInstance(ctx, lost)))
		now, err := s.Node(ctx, guest.UUID)
		require.NoError(t, err)
		require.Equal(t, guest, now)

		for range 2 { // asked again it changes nothing
			require.NoError(t, s.MoveInstance(ctx, move))
		}
		left, err := s.Node(ctx, guest.UUID)
		require.NoError(t, err)
		took, err := s.Node(ctx, metal.UUID)
		require.NoError(t, err)
		require.Equal(t, []any{guest.InstanceUUID, guest.AllocationUUID, "web", guest.Name, "tenant", true, "in use", ingot.Active},
			[]any{took.InstanceUUID, took.AllocationUUID, took.InstanceName, took.Name, took.Lessee, took.Protected, took.ProtectedReason, took.ProvisionState})
		require.Equal(t, []any{"", "", "", metal.Name, "tenant", false, "", ingot.Deleting},
			[]any{left.InstanceUUID, left.AllocationUUID, left.InstanceName, left.Name, left.Lessee, left.Protected, left.ProtectedReason, left.ProvisionState})
		require.Equal(t, []string{metal.UUID, guest.UUID}, []string{left.MovedTo(), took.MovedFrom()})
		require.Equal(t, ingot.ModeUEFI, took.Firmware(), "what it was installed for")
		require.Equal(t, "false", ingot.Capability(took.InstanceInfo, "secure_boot"))
		require.Equal(t, "file:///x", took.InstanceInfo["image_source"])
		require.Equal(t, map[string]any{"cpus": 8.0}, took.Properties, "the hardware stays what it is")

		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: metal.UUID})
		require.NoError(t, err)
		require.Equal(t, map[string]any{ingot.VIFKey: "vif"}, ports[0].Internal)
		require.Equal(t, map[string]any{"links": []any{map[string]any{"ethernet_mac_address": ports[0].Address}}}, took.NetworkData)
		l, err := s.Lease(ctx, "lab", ports[0].Address)
		require.NoError(t, err)
		require.EqualValues(t, 7, l.Address.As4()[3])
		ports, err = s.ListPorts(ctx, ingot.PortQuery{NodeUUID: guest.UUID})
		require.NoError(t, err)
		require.Equal(t, map[string]any{"kept": "yes"}, ports[0].Internal)
		_, err = s.Lease(ctx, "lab", ports[0].Address)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		a, err := s.Allocations().Get(ctx, guest.AllocationUUID)
		require.NoError(t, err)
		require.Equal(t, []any{metal.UUID, "metal", "", ingot.AllocationActive}, []any{a.NodeUUID, a.Result().Kind, a.Result().Host, a.State})
		for _, n := range []ingot.Node{left, took} {
			entries, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
			require.NoError(t, err)
			require.Len(t, entries, 1)
		}
	})
}

// TestMoveInstanceToNobody: what is not waiting for it, or cannot be connected to its networks, takes none.
func TestMoveInstanceToNobody(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		guest, metal, move := handover(t, s)
		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: metal.UUID})
		require.NoError(t, err)
		_, err = s.Ports().Change(ctx, ports[0].UUID, 0, func(p *ingot.Port) error { p.PhysicalNetwork = "a"; return nil })
		require.NoError(t, err)
		mine, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: guest.UUID})
		require.NoError(t, err)
		_, err = s.Ports().Change(ctx, mine[0].UUID, 0, func(p *ingot.Port) error { p.PhysicalNetwork = "b"; return nil })
		require.NoError(t, err)
		refused(t, s.MoveInstance(ctx, move), ingot.Conflict, `it has no port for virtual interface vif, which is attached to port %s on physical network "b"`, mine[0].Address)
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: metal.UUID, Change: func(n *ingot.Node) error { n.ProvisionState = ingot.Manageable; return nil }})
		require.NoError(t, err)
		refused(t, s.MoveInstance(ctx, move), ingot.Conflict, `Node %s is in state manageable, with instance "": it takes no other one over.`, metal.UUID)
		_, err = s.Allocations().Get(ctx, guest.AllocationUUID)
		require.NoError(t, err)
	})
}

// TestJoinsRefuse: what one node of an operation says against it stops all of it.
func TestJoinsRefuse(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		a, b := newNode(t, s, "a"), newNode(t, s, "b")
		_, err := s.StartOperation(ctx, ingot.Start{
			Operation: ingot.Operation{Kind: ingot.KindToMetal, NodeUUID: a.UUID}, Others: []string{b.UUID},
			Change: func(n *ingot.Node) { n.ProvisionState = ingot.Servicing },
			Joins:  []ingot.Join{{UUID: b.UUID, Change: func(*ingot.Node) error { return ingot.Errorf(ingot.Conflict, "not me") }}},
		})
		refused(t, err, ingot.Conflict, "not me")
		now, err := s.Node(ctx, a.UUID)
		require.NoError(t, err)
		require.Equal(t, a, now)
		_, err = s.LiveOperation(ctx, b.UUID, ingot.LaneProvision)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	})
}
