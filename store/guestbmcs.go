package store

import (
	"strconv"

	"github.com/ingot-metal/ingot"
)

// GuestBMCs are the store's virtual BMCs, by the UUIDs of their guests; they go with them. Conflict: the port is another
// one's.
func (s *Store) GuestBMCs() *Records[ingot.GuestBMC, ingot.GuestBMCQuery] {
	return &Records[ingot.GuestBMC, ingot.GuestBMCQuery]{s, s.tables.guestBMCs}
}

func guestBMCKind() *kind[ingot.GuestBMC, ingot.GuestBMCQuery] {
	type b = ingot.GuestBMC
	return &kind[b, ingot.GuestBMCQuery]{
		noun:  "Virtual BMC of node",
		table: guestBMCTable(),
		head:  func(v *b) head { return head{&v.NodeUUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		page:  func(q *ingot.GuestBMCQuery) ingot.Page { return q.Page },
		node:  func(v *b) string { return v.NodeUUID },
		unique: []unique[b]{
			sole("uuid", func(v *b) string { return v.NodeUUID }, "Node %s has a virtual BMC already.", nil),
			{
				where: "port = ?", values: func(v *b) []any { return []any{v.Port} },
				sentence: func(v, other *b) string {
					return "Port " + strconv.Itoa(v.Port) + " is that of the virtual BMC of node " + other.NodeUUID + "."
				},
			},
		},
		judge: func(t *tx, v, was *b) error { return t.sameNode(v.NodeUUID, was.NodeUUID) },
	}
}

func guestBMCTable() *table[ingot.GuestBMC] {
	type b = ingot.GuestBMC
	return &table[b]{
		name: "guest_bmcs",
		uuid: func(v *b) string { return v.NodeUUID },
		columns: []column[b]{
			{name: "uuid", place: func(v *b) field { return (*text)(&v.NodeUUID) }, once: true, sort: own},
			{name: "version", place: func(v *b) field { return (*number)(&v.Version) }, quiet: true},
			{name: "port", place: func(v *b) field { return (*whole)(&v.Port) }},
			{name: "username", place: func(v *b) field { return (*text)(&v.Username) }},
			{name: "boot", place: func(v *b) field { return record[ingot.BootOverride]{at: &v.Boot} }, quiet: true},
			{name: "created_at", place: func(v *b) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *b) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
		hidden: []column[b]{{name: "password", place: func(v *b) field { return hiddenText{&v.Password} }}},
	}
}
