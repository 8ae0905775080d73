package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

func nodeNotFound(ident string) error {
	return ingot.Errorf(ingot.NotFound, "Node %s could not be found.", ident)
}

// Node gives the node with this UUID or name. NotFound.
func (s *Store) Node(ctx context.Context, ident string) (ingot.Node, error) {
	column := "name"
	if uuid.Validate(ident) == nil {
		column, ident = "uuid", strings.ToLower(ident)
	}
	n, err := s.find(ctx).node(has(column), ident)
	return n, s.sentence(err)
}

// node reads the one node for which the condition holds.
func (c *conn) node(where, ident string) (ingot.Node, error) {
	if ident == "" {
		return ingot.Node{}, nodeNotFound(ident)
	}
	nodes, err := c.nodes(where, ident)
	if err == nil && len(nodes) == 0 {
		err = nodeNotFound(ident)
	}
	if err != nil {
		return ingot.Node{}, err
	}
	return nodes[0], nil
}

// nodes reads the nodes that tail selects, orders and locks.
func (c *conn) nodes(tail string, args ...any) ([]ingot.Node, error) {
	return selected(c, c.store.tables.nodes, tail, args...)
}

// NodeByMACs gives the node that has a port with any of the MAC addresses. NotFound; Conflict when they are spread
// over several nodes.
func (s *Store) NodeByMACs(ctx context.Context, macs []string) (ingot.Node, error) {
	if len(macs) == 0 {
		return ingot.Node{}, ingot.Errorf(ingot.NotFound, "cannot look a node up by no MAC address")
	}
	low := make([]string, len(macs))
	for i, mac := range macs {
		low[i] = strings.ToLower(mac)
	}
	query, args := in("uuid IN (SELECT node_uuid FROM ports WHERE address IN (?)) ORDER BY id", low)
	nodes, err := s.read(ctx).nodes(query, args...)
	switch {
	case err != nil:
		return ingot.Node{}, s.sentence(err)
	case len(nodes) == 0:
		return ingot.Node{}, ingot.Errorf(ingot.NotFound, "Node with port addresses %s was not found", strings.Join(low, ", "))
	case len(nodes) > 1:
		return ingot.Node{}, ingot.Errorf(ingot.Conflict, "Multiple nodes with port addresses %s were found: %s and %s", strings.Join(low, ", "), nodes[0].UUID, nodes[1].UUID)
	}
	return nodes[0], nil
}

// CreateNode writes a new node and its ports. It fills in what is missing of UUID, Version (1) and CreatedAt in node and
// ports. Conflict: the UUID, name, instance UUID or a port's MAC address or name is another's, which it names.
func (s *Store) CreateNode(ctx context.Context, node *ingot.Node, ports []ingot.Port, events ...ingot.Event) error {
	n, made := *node, slices.Clone(ports)
	if n.UUID = strings.ToLower(n.UUID); n.UUID == "" {
		n.UUID = uuid.NewString()
	}
	err := s.write(ctx, func(t *tx) error {
		if err := t.createNode(&n, made); err != nil {
			return err
		}
		return t.appendEvents(n.UUID, events)
	})
	if err == nil {
		*node = n
		copy(ports, made)
	}
	return err
}

// createNode writes a new node and its ports.
func (t *tx) createNode(n *ingot.Node, ports []ingot.Port) error {
	n.Version, n.CreatedAt, n.UpdatedAt = 1, t.now, time.Time{}
	if err := t.refuseTaken(n, &ingot.Node{}); err != nil {
		return err
	}
	if err := t.judgeChassis(n, &ingot.Node{}); err != nil {
		return err
	}
	if err := t.store.tables.nodes.insert(&t.conn, n); err != nil {
		return err
	}
	for i := range ports {
		ports[i].NodeUUID = n.UUID
		if err := t.store.tables.ports.create(t, &ports[i]); err != nil {
			return err
		}
	}
	return nil
}

// refuseTaken is Conflict when n, as it was not before, has a UUID, name or instance UUID of another node.
func (t *tx) refuseTaken(n, before *ingot.Node) error {
	unique := []struct{ column, value, was, sentence string }{
		{"uuid", n.UUID, before.UUID, "A node with UUID %s already exists."},
		{"name", n.Name, before.Name, "A node with name %s already exists."},
		{"instance_uuid", n.InstanceUUID, before.InstanceUUID, "Instance %s is already associated with a node, it cannot be associated with this other node " + n.UUID + "."},
	}
	for _, u := range unique {
		if u.value == "" || u.value == u.was {
			continue
		}
		var other string
		found, err := t.one([]any{&other}, "SELECT uuid FROM nodes WHERE "+has(u.column), u.value)
		if err != nil {
			return err
		}
		if found && u.column == "uuid" {
			return ingot.Errorf(ingot.Conflict, u.sentence, u.value)
		}
		if found {
			return ingot.Errorf(ingot.Conflict, u.sentence+" It belongs to node %s.", u.value, other)
		}
	}
	return nil
}

// ChangeNode changes a node as it is in the store and gives it as it is afterwards; a change that leaves everything as
// it was writes nothing. Where the provision state changes and ProvisionUpdatedAt does not, it becomes now. NotFound;
// Conflict: the version is another one, or a name or instance UUID is another node's. Change may be called more than
// once, and must not call the store.
func (s *Store) ChangeNode(ctx context.Context, change ingot.NodeChange) (ingot.Node, error) {
	var n ingot.Node
	err := s.write(ctx, func(t *tx) error {
		if change.Wake { // operations are locked before nodes, here as everywhere
			if err := t.wakeNode(change.UUID); err != nil {
				return err
			}
		}
		var err error
		n, err = t.changeNode(change.UUID, change.Version, change.Change)
		if err != nil {
			return err
		}
		return t.tell(&n, change.History, change.Events)
	})
	return n, err
}

// tell appends history and events about a node.
func (t *tx) tell(n *ingot.Node, history []ingot.History, events []ingot.Event) error {
	if err := t.appendHistory(n.UUID, history); err != nil {
		return err
	}
	return t.appendEvents(n.UUID, events)
}

// changeNode reads, locks, changes and writes one node.
func (t *tx) changeNode(id string, version int64, change func(*ingot.Node) error) (ingot.Node, error) {
	n, err := t.node("uuid = ?"+t.store.dialect.forUpdate, id)
	if err != nil {
		return n, err
	}
	if version != 0 && version != n.Version {
		return n, stale("Node", n.UUID)
	}
	err = t.applyToNode(&n, change)
	return n, err
}

func stale(kind, id string) error {
	return ingot.Errorf(ingot.Conflict, "%s %s was changed by another request meanwhile; read it again and retry.", kind, id)
}

// applyToNode changes and writes a node that this transaction has locked.
func (t *tx) applyToNode(n *ingot.Node, change func(*ingot.Node) error) error {
	if change == nil {
		return nil
	}
	table := t.store.tables.nodes
	before, err := table.encode(n)
	if err != nil {
		return err
	}
	was := *n
	if err := change(n); err != nil {
		return callers{err}
	}
	n.UUID, n.Version, n.CreatedAt, n.UpdatedAt = was.UUID, was.Version, was.CreatedAt, was.UpdatedAt
	if n.ProvisionState != was.ProvisionState && n.ProvisionUpdatedAt.Equal(was.ProvisionUpdatedAt) {
		n.ProvisionUpdatedAt = t.now
	}
	if err := t.refuseTaken(n, &was); err != nil {
		return err
	}
	if err := t.judgeChassis(n, &was); err != nil {
		return err
	}
	if err := t.endAllocation(n, &was); err != nil {
		return err
	}
	after, err := table.encode(n)
	if err != nil {
		return err
	}
	diff, err := table.diff(t.store.keys, n.UUID, before, after)
	if err != nil || len(diff.names) == 0 {
		return err
	}
	if diff.loud {
		n.Version, n.UpdatedAt = n.Version+1, t.now
		diff.names = append(diff.names, "version", "updated_at")
		diff.values = append(diff.values, n.Version, micros(n.UpdatedAt))
	}
	_, err = t.exec("UPDATE nodes SET "+diff.assign()+" WHERE uuid = ?", append(diff.values, n.UUID)...)
	return err
}

// DeleteNode removes a node with its ports, history, inventory, ended operations and the allocation that it is of.
// NotFound; Conflict: the version is another one (0 takes any), or the node has children; Locked: an operation is live.
// What a guest has of its host is free again.
func (s *Store) DeleteNode(ctx context.Context, id string, version int64, events ...ingot.Event) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.node("uuid = ?"+s.dialect.forUpdate, id)
		if err != nil {
			return err
		}
		for _, lane := range []ingot.Lane{ingot.LaneProvision, ingot.LanePower} {
			if _, err := t.liveOperation(n.UUID, lane, ""); err == nil {
				return t.locked(&n, lane)
			} else if !errors.Is(err, errNoneLive) {
				return err
			}
		}
		if version != 0 && version != n.Version {
			return stale("Node", n.UUID)
		}
		if err := t.childless(&n); err != nil {
			return err
		}
		if err := t.letGo(n.UUID); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM allocations WHERE "+has("node_uuid"), n.UUID); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM nodes WHERE uuid = ?", n.UUID); err != nil {
			return err
		}
		return t.appendEvents(n.UUID, events)
	})
}
