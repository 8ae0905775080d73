package store

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

func portTable() *table[ingot.Port] {
	type p = ingot.Port
	return &table[p]{
		name: "ports",
		uuid: func(v *p) string { return v.UUID },
		columns: []column[p]{
			{name: "uuid", place: func(v *p) field { return (*text)(&v.UUID) }, once: true, sort: own},
			{name: "version", place: func(v *p) field { return (*number)(&v.Version) }, quiet: true},
			{name: "node_uuid", place: func(v *p) field { return (*text)(&v.NodeUUID) }, sort: own},
			{name: "address", place: func(v *p) field { return (*text)(&v.Address) }, sort: own},
			{name: "name", place: func(v *p) field { return (*text)(&v.Name) }, sort: own},
			{name: "description", place: func(v *p) field { return (*text)(&v.Description) }, sort: own},
			{name: "pxe_enabled", place: func(v *p) field { return (*flag)(&v.PXEEnabled) }, sort: own},
			{name: "local_link_connection", place: func(v *p) field { return document{&v.LocalLinkConnection, false} }},
			{name: "physical_network", place: func(v *p) field { return (*text)(&v.PhysicalNetwork) }, sort: own},
			{name: "portgroup_uuid", place: func(v *p) field { return (*text)(&v.PortgroupUUID) }, sort: own},
			{name: "is_smartnic", place: func(v *p) field { return (*flag)(&v.IsSmartNIC) }, sort: own},
			{name: "extra", place: func(v *p) field { return document{&v.Extra, false} }},
			{name: "internal_info", place: func(v *p) field { return document{&v.Internal, false} }},
			{name: "created_at", place: func(v *p) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *p) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		},
	}
}

func portNotFound(ident string) error {
	return ingot.Errorf(ingot.NotFound, "Port %s could not be found.", ident)
}

// Port gives the port with this UUID, MAC address or name. NotFound.
func (s *Store) Port(ctx context.Context, ident string) (ingot.Port, error) {
	column, value := "name", ident
	switch {
	case uuid.Validate(ident) == nil:
		column, value = "uuid", strings.ToLower(ident)
	case strings.Count(ident, ":") == 5:
		column, value = "address", strings.ToLower(ident)
	}
	p, err := s.read(ctx).port(column+" = ?", value)
	return p, s.sentence(err)
}

func (c *conn) port(where, ident string) (ingot.Port, error) {
	if ident == "" {
		return ingot.Port{}, portNotFound(ident)
	}
	ports, err := c.ports(where, ident)
	if err == nil && len(ports) == 0 {
		err = portNotFound(ident)
	}
	if err != nil {
		return ingot.Port{}, err
	}
	return ports[0], nil
}

func (c *conn) ports(tail string, args ...any) ([]ingot.Port, error) {
	t := c.store.tables.ports
	rows, err := c.rows("SELECT "+t.list("")+" FROM ports WHERE "+tail, args...)
	if err != nil {
		return nil, err
	}
	return scanAll(c.store.keys, t, rows)
}

// ListPorts gives the ports that match, a page at a time; a negative limit gives all. NotFound: the marker is no port;
// Invalid: the sort key is no column that can be sorted by.
func (s *Store) ListPorts(ctx context.Context, q ingot.PortQuery) ([]ingot.Port, error) {
	w := &where{}
	w.text("node_uuid", q.NodeUUID)
	w.text("address", strings.ToLower(q.Address))
	w.text("portgroup_uuid", q.PortgroupUUID)
	w.contains(s.dialect, "description", q.DescriptionContains)
	c := s.read(ctx)
	order, err := turn(c, s.tables.ports, w, q.Page, portNotFound)
	if err != nil {
		return nil, s.sentence(err)
	}
	ports, err := c.ports(w.sql()+order, w.args...)
	return ports, s.sentence(err)
}

// CreatePort writes a new port, and fills in what is missing of UUID, Version (1) and CreatedAt. NotFound: the node;
// Conflict: the UUID, MAC address or name is another port's, which it names.
func (s *Store) CreatePort(ctx context.Context, port *ingot.Port, events ...ingot.Event) error {
	p := *port
	err := s.write(ctx, func(t *tx) error {
		var version int64
		found, err := t.one([]any{&version}, "SELECT version FROM nodes WHERE uuid = ?", p.NodeUUID)
		if err != nil {
			return err
		}
		if !found {
			return nodeNotFound(p.NodeUUID)
		}
		if err := t.createPort(&p); err != nil {
			return err
		}
		return t.appendEvents(p.NodeUUID, events)
	})
	if err == nil {
		*port = p
	}
	return err
}

func (t *tx) createPort(p *ingot.Port) error {
	if p.UUID = strings.ToLower(p.UUID); p.UUID == "" {
		p.UUID = uuid.NewString()
	}
	p.Address = strings.ToLower(p.Address)
	p.Version, p.CreatedAt, p.UpdatedAt = 1, t.now, ingot.Port{}.UpdatedAt
	if err := t.refuseTakenPort(p, &ingot.Port{}); err != nil {
		return err
	}
	return t.store.tables.ports.insert(&t.conn, p)
}

func (t *tx) refuseTakenPort(p, before *ingot.Port) error {
	unique := []struct{ column, value, was, sentence string }{
		{"uuid", p.UUID, before.UUID, "A port with UUID %s already exists."},
		{"address", p.Address, before.Address, "A port with MAC address %s already exists."},
		{"name", p.Name, before.Name, "A port with name %s already exists."},
	}
	for _, u := range unique {
		if u.value == "" || u.value == u.was {
			continue
		}
		var port, node string
		found, err := t.one([]any{&port, &node}, "SELECT uuid, node_uuid FROM ports WHERE "+u.column+" = ?", u.value)
		if err != nil {
			return err
		}
		if found {
			return ingot.Errorf(ingot.Conflict, u.sentence+" It is port %s of node %s.", u.value, port, node)
		}
	}
	return nil
}

// ChangePort changes a port as it is in the store and gives it as it is afterwards. NotFound; Conflict: the version is
// another one (0 takes any), or a MAC address or name is another port's. Change may be called more than once, and must
// not call the store.
func (s *Store) ChangePort(ctx context.Context, id string, version int64, change func(*ingot.Port) error, events ...ingot.Event) (ingot.Port, error) {
	var p ingot.Port
	err := s.write(ctx, func(t *tx) error {
		var err error
		if p, err = t.port("uuid = ?"+s.dialect.forUpdate, id); err != nil {
			return err
		}
		if version != 0 && version != p.Version {
			return stale("Port", p.UUID)
		}
		if err := t.applyToPort(&p, change); err != nil {
			return err
		}
		return t.appendEvents(p.NodeUUID, events)
	})
	return p, err
}

func (t *tx) applyToPort(p *ingot.Port, change func(*ingot.Port) error) error {
	table := t.store.tables.ports
	before, err := table.encode(p)
	if err != nil {
		return err
	}
	was := *p
	if err := change(p); err != nil {
		return callers{err}
	}
	p.UUID, p.Version, p.CreatedAt, p.UpdatedAt = was.UUID, was.Version, was.CreatedAt, was.UpdatedAt
	p.Address = strings.ToLower(p.Address)
	if err := t.refuseTakenPort(p, &was); err != nil {
		return err
	}
	after, err := table.encode(p)
	if err != nil {
		return err
	}
	diff, err := table.diff(t.store.keys, p.UUID, before, after)
	if err != nil || len(diff.names) == 0 {
		return err
	}
	p.Version, p.UpdatedAt = p.Version+1, t.now
	_, err = t.exec("UPDATE ports SET "+diff.assign()+", version = ?, updated_at = ? WHERE uuid = ?",
		append(diff.values, p.Version, micros(p.UpdatedAt), p.UUID)...)
	return err
}

// DeletePort removes a port. NotFound; Conflict: the version is another one (0 takes any).
func (s *Store) DeletePort(ctx context.Context, id string, version int64, events ...ingot.Event) error {
	return s.write(ctx, func(t *tx) error {
		p, err := t.port("uuid = ?"+s.dialect.forUpdate, id)
		if err != nil {
			return err
		}
		if version != 0 && version != p.Version {
			return stale("Port", p.UUID)
		}
		if _, err := t.exec("DELETE FROM ports WHERE uuid = ?", p.UUID); err != nil {
			return err
		}
		return t.appendEvents(p.NodeUUID, events)
	})
}
