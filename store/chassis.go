package store

import "github.com/ingot-metal/ingot"

// Chassis are the store's chassis.
func (s *Store) Chassis() *Records[ingot.Chassis, ingot.ChassisQuery] {
	return &Records[ingot.Chassis, ingot.ChassisQuery]{s, s.tables.chassis}
}

func chassisKind() *kind[ingot.Chassis, ingot.ChassisQuery] {
	type c = ingot.Chassis
	return &kind[c, ingot.ChassisQuery]{
		noun: "Chassis",
		head: func(v *c) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		page: func(q *ingot.ChassisQuery) ingot.Page { return q.Page },
		unique: []unique[c]{
			sole("uuid", func(v *c) string { return v.UUID }, "A chassis with UUID %s already exists.", nil),
		},
		free: emptyChassis,
		table: &table[c]{
			name: "chassis",
			uuid: func(v *c) string { return v.UUID },
			columns: []column[c]{
				{name: "uuid", place: func(v *c) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *c) field { return (*number)(&v.Version) }, quiet: true},
				{name: "description", place: func(v *c) field { return (*text)(&v.Description) }, sort: own},
				{name: "extra", place: func(v *c) field { return document{&v.Extra, false} }},
				{name: "created_at", place: func(v *c) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *c) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}

// emptyChassis refuses to delete a chassis that has nodes (Ironic: ChassisNotEmpty).
func emptyChassis(t *tx, v *ingot.Chassis) error {
	nodes, err := t.list("SELECT uuid FROM nodes WHERE "+has("chassis_uuid")+" ORDER BY id LIMIT 1", v.UUID)
	if err == nil && len(nodes) > 0 {
		err = ingot.Errorf(ingot.Invalid, "Cannot complete the requested action because chassis %s contains nodes.", v.UUID)
	}
	return err
}

// judgeChassis refuses a node whose chassis is not there, and keeps the chassis until the transaction has committed.
func (t *tx) judgeChassis(n, was *ingot.Node) error {
	if n.ChassisUUID == "" || n.ChassisUUID == was.ChassisUUID {
		return nil
	}
	_, err := t.store.tables.chassis.lock(t, n.ChassisUUID, 0)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.Invalid, "%w", err)
	}
	return err
}
