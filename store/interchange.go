package store

import (
	"context"
	"maps"
	"slices"

	"github.com/ingot-metal/ingot"
)

// MoveInstance gives the instance of one node to another (ingot.HandOver), with its allocation, the virtual interfaces on
// its ports, and the addresses that its network cards have leased: all in one transaction, and nothing when the pass has
// lost its claim (Fenced). Asked again it changes nothing. Conflict: the other one is no longer free for it, or has no port
// for a virtual interface.
func (s *Store) MoveInstance(ctx context.Context, m ingot.InstanceMove) error {
	return s.write(ctx, func(t *tx) error {
		from, to, err := t.bothOf(&m)
		if err != nil || from.MovedTo() == to.UUID {
			return err
		}
		if to.InstanceUUID != "" || to.ProvisionState != ingot.Deploying && to.ProvisionState != ingot.DeployWait {
			return ingot.Errorf(ingot.Conflict, "Node %s is in state %s, with instance %q: it takes no other one over.", to.UUID, to.ProvisionState, to.InstanceUUID)
		}
		cards, err := t.moveInterfaces(&from, &to)
		if err != nil {
			return err
		}
		if err := t.moveLeases(cards); err != nil {
			return err
		}
		if err := t.moveAllocation(from.AllocationUUID, &to); err != nil {
			return err
		}
		if err := t.handOver(&from, &to, cards); err != nil {
			return err
		}
		if err := t.appendHistory(to.UUID, m.History); err != nil {
			return err
		}
		return t.appendEvents(to.UUID, m.Events)
	})
}

// bothOf locks the pass's operation and both nodes, in the order in which everybody does.
func (t *tx) bothOf(m *ingot.InstanceMove) (from, to ingot.Node, err error) {
	found, err := t.operations("uuid = ? AND claim = ? AND outcome = ''"+t.store.dialect.forUpdate, m.Operation, m.Claim)
	switch {
	case err != nil:
		return from, to, err
	case len(found) == 0 || m.Claim == "":
		return from, to, ingot.Errorf(ingot.Fenced, "the claim of operation %s was lost: the instance of node %s stays there", m.Operation, m.From)
	}
	nodes, err := t.nodes("uuid IN (?, ?) ORDER BY uuid"+t.store.dialect.forUpdate, m.From, m.To)
	if err != nil {
		return from, to, err
	}
	for i := range nodes {
		switch nodes[i].UUID {
		case m.From:
			from = nodes[i]
		case m.To:
			to = nodes[i]
		}
	}
	if from.UUID == "" {
		return from, to, nodeNotFound(m.From)
	}
	if to.UUID == "" {
		return from, to, nodeNotFound(m.To)
	}
	return from, to, nil
}

// handOver writes both nodes. What only one node may have at a time leaves the first one before the second gets it.
func (t *tx) handOver(from, to *ingot.Node, cards map[string]string) error {
	left, took := *from, *to
	ingot.HandOver(&left, &took, cards)
	between := left
	if from.Name != "" {
		between.Name = ""
	}
	for _, write := range []struct{ node, as *ingot.Node }{{from, &between}, {to, &took}, {from, &left}} {
		if err := t.applyToNode(write.node, func(n *ingot.Node) error { *n = *write.as; return nil }); err != nil {
			return err
		}
	}
	return nil
}

// moveInterfaces has the virtual interfaces of one node's ports on those of another, and gives the cards that were paired.
func (t *tx) moveInterfaces(from, to *ingot.Node) (map[string]string, error) {
	kind := t.store.tables.ports
	const ofNode = "node_uuid = ? ORDER BY id"
	old, err := kind.selected(&t.conn, ofNode+t.store.dialect.forUpdate, from.UUID)
	if err != nil {
		return nil, err
	}
	taking, err := kind.selected(&t.conn, ofNode+t.store.dialect.forUpdate, to.UUID)
	if err != nil {
		return nil, err
	}
	pairs, err := ingot.PairPorts(old, taking)
	if err != nil {
		return nil, err
	}
	cards := ingot.Cards(pairs)
	for _, p := range pairs {
		vif := ingot.Text(p.From.Internal, ingot.VIFKey)
		if err := kind.apply(t, p.From, func(v *ingot.Port) error { v.Internal = ingot.WithVIF(v.Internal, ""); return nil }); err != nil {
			return nil, err
		}
		if err := kind.apply(t, p.To, func(v *ingot.Port) error { v.Internal = ingot.WithVIF(v.Internal, vif); return nil }); err != nil {
			return nil, err
		}
	}
	return cards, nil
}

// moveLeases has network cards get, on each network, the addresses that those had which they take the place of. What the
// ramdisk was given meanwhile is free again.
func (t *tx) moveLeases(cards map[string]string) error {
	for _, old := range slices.Sorted(maps.Keys(cards)) {
		taking := cards[old]
		leases, err := t.leases("mac = ? ORDER BY network", old)
		if err != nil {
			return err
		}
		for _, l := range leases {
			if err := t.lockNetwork(l.Network); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM dhcp_leases WHERE network = ? AND mac = ?", l.Network, taking); err != nil {
				return err
			}
			if _, err := t.exec("UPDATE dhcp_leases SET mac = ? WHERE network = ? AND mac = ?", taking, l.Network, old); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveAllocation has an allocation name another node, which its instance has come to: it is not judged again.
func (t *tx) moveAllocation(id string, to *ingot.Node) error {
	if id == "" {
		return nil
	}
	unjudged := *t.store.tables.allocations
	unjudged.judge = nil
	a, err := unjudged.lock(t, id, 0)
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return unjudged.apply(t, &a, func(a *ingot.Allocation) error {
		a.NodeUUID = to.UUID
		if r := a.Result(); r.Kind != "" {
			r.Kind, r.Host = "metal", ""
			if to.IsGuest() {
				r.Kind, r.Host = "virtual", to.ParentNode
			}
			a.SetResult(r)
		}
		return nil
	})
}
