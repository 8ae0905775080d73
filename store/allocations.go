package store

import (
	"maps"

	"github.com/ingot-metal/ingot"
)

// Allocations are the store's allocations. One that names a node takes it in the same transaction, whatever method writes
// it: a new one backfills (the node must be active), another one must suit the node as it is then. The node gets the
// allocation's UUID as its instance's and the traits to deploy with. Conflict: the node does not fit or is another's;
// Locked: somebody holds it just now. Deleting one lets go of its node.
func (s *Store) Allocations() *Records[ingot.Allocation, ingot.AllocationQuery] {
	return &Records[ingot.Allocation, ingot.AllocationQuery]{s, s.tables.allocations}
}

func allocationKind() *kind[ingot.Allocation, ingot.AllocationQuery] {
	type a = ingot.Allocation
	return &kind[a, ingot.AllocationQuery]{
		table: allocationTable(),
		noun:  "Allocation",
		head:  func(v *a) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys:  byName,
		page:  func(q *ingot.AllocationQuery) ingot.Page { return q.Page },
		match: func(_ dialect, w *where, q *ingot.AllocationQuery) {
			w.text("node_uuid", q.NodeUUID)
			w.text("resource_class", q.ResourceClass)
			w.text("state", string(q.State))
			w.text("owner", q.Owner)
			w.text("owner", q.Project)
		},
		unique: []unique[a]{
			sole("uuid", func(v *a) string { return v.UUID }, "An allocation with UUID %s already exists.", nil),
			sole("name", func(v *a) string { return v.Name }, "An allocation with name %s already exists.", nil),
		},
		node:  func(v *a) string { return v.NodeUUID },
		judge: seat,
		free:  unseat,
	}
}

func allocationTable() *table[ingot.Allocation] {
	type a = ingot.Allocation
	return &table[a]{
		name: "allocations",
		uuid: func(v *a) string { return v.UUID },
		columns: []column[a]{
			{name: "uuid", place: func(v *a) field { return (*text)(&v.UUID) }, once: true, sort: own},
			{name: "version", place: func(v *a) field { return (*number)(&v.Version) }, quiet: true},
			{name: "name", place: func(v *a) field { return (*text)(&v.Name) }, sort: own},
			{name: "owner", place: func(v *a) field { return (*text)(&v.Owner) }, sort: own},
			{name: "resource_class", place: func(v *a) field { return (*text)(&v.ResourceClass) }, sort: own},
			{name: "candidate_nodes", place: func(v *a) field { return record[[]string]{at: &v.Candidates} }},
			{name: "traits", place: func(v *a) field { return record[[]string]{at: &v.Traits} }},
			{name: "extra", place: func(v *a) field { return document{&v.Extra, false} }},
			{name: "node_uuid", place: func(v *a) field { return (*text)(&v.NodeUUID) }, sort: own},
			{name: "state", place: func(v *a) field { return (*text)(&v.State) }, sort: own},
			{name: "last_error", place: func(v *a) field { return (*text)(&v.LastError) }, sort: own},
			{name: "created_at", place: func(v *a) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *a) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}

// seat takes the node that an allocation has come to name. The row is locked while it is judged, so that two allocations
// never share a node.
func seat(t *tx, v, was *ingot.Allocation) error {
	if v.NodeUUID == "" || v.NodeUUID == was.NodeUUID {
		return nil
	}
	n, err := t.node("uuid = ?"+t.store.dialect.forUpdate, v.NodeUUID)
	if err != nil {
		return err
	}
	mismatch := ""
	switch backfill := was.UUID == ""; {
	case n.Reservation != "":
		return t.locked(&n, ingot.LaneProvision)
	case backfill && n.InstanceUUID != "" && n.InstanceUUID != v.UUID:
		return ingot.Errorf(ingot.Conflict, "Node %s is associated with instance %s.", n.UUID, n.InstanceUUID)
	case backfill:
		mismatch = v.Mismatch(&n)
	case !v.Suits(&n):
		return ingot.Errorf(ingot.Conflict, "Failed to process allocation %s: node %s does not suit it any more.", v.UUID, n.UUID)
	}
	if mismatch != "" {
		return ingot.Errorf(ingot.Conflict, "Failed to process allocation %s: Cannot backfill an allocation for node %s: %s.", v.UUID, n.UUID, mismatch)
	}
	return t.applyToNode(&n, func(n *ingot.Node) error {
		n.InstanceUUID, n.AllocationUUID = v.UUID, v.UUID
		if n.InstanceInfo = maps.Clone(n.InstanceInfo); n.InstanceInfo == nil {
			n.InstanceInfo = map[string]any{}
		}
		traits := make([]any, len(v.Traits))
		for i, trait := range v.Traits {
			traits[i] = trait
		}
		n.InstanceInfo["traits"] = traits
		return nil
	})
}

// unseat lets go of a deleted allocation's node, unless that is in use. The node is locked after the allocation here and
// before it where a node lets go: should the two meet, PostgreSQL ends one, which is then run again.
func unseat(t *tx, v *ingot.Allocation) error {
	if v.NodeUUID == "" {
		return nil
	}
	n, err := t.node("uuid = ?"+t.store.dialect.forUpdate, v.NodeUUID)
	switch {
	case err != nil:
		return err
	case n.Reservation != "":
		return t.locked(&n, ingot.LaneProvision)
	}
	if err := v.Releasable(&n); err != nil {
		return err
	}
	return t.applyToNode(&n, func(n *ingot.Node) error {
		n.AllocationUUID, n.InstanceUUID = "", ""
		return nil
	})
}

// endAllocation deletes the allocation that a node has let go of, unless it is another node's by now.
func (t *tx) endAllocation(n, was *ingot.Node) error {
	if was.AllocationUUID == "" || n.AllocationUUID == was.AllocationUUID {
		return nil
	}
	_, err := t.exec("DELETE FROM allocations WHERE uuid = ? AND node_uuid = ?", was.AllocationUUID, was.UUID)
	return err
}
