package store

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// Capacities gives what a compute host has of each resource, by resource; none before its first probe.
func (s *Store) Capacities(ctx context.Context, host string) ([]ingot.Capacity, error) {
	found, err := s.read(ctx).capacities("host = ? ORDER BY resource", host)
	return found, s.sentence(err)
}

func (c *conn) capacities(tail string, args ...any) ([]ingot.Capacity, error) {
	rows, err := c.rows("SELECT host, resource, total, reserved, ratio, max_unit, step_size, used FROM capacities WHERE "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.Capacity
	for rows.Next() {
		var v ingot.Capacity
		if err := rows.Scan(&v.Host, &v.Resource, &v.Total, &v.Reserved, &v.Ratio, &v.MaxUnit, &v.StepSize, &v.Used); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// Claims gives what guests have of a host, by guest and resource.
func (s *Store) Claims(ctx context.Context, host string) ([]ingot.Claim, error) {
	rows, err := s.read(ctx).rows("SELECT guest, host, resource, amount, created_at FROM claims WHERE host = ? ORDER BY guest, resource", host)
	if err != nil {
		return nil, s.sentence(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.Claim
	for rows.Next() {
		var v ingot.Claim
		if err := rows.Scan(&v.Guest, &v.Host, &v.Resource, &v.Amount, (*moment)(&v.CreatedAt)); err != nil {
			return nil, s.sentence(err)
		}
		all = append(all, v)
	}
	return all, s.sentence(rows.Err())
}

// CreateGuest is CreateNode for a guest: its host is its parent, of which it claims in the same transaction what it is
// to have. Invalid: the parent is no compute host that was probed; Conflict: there is no room, or the group has a guest
// there already. Then nothing is written.
func (s *Store) CreateGuest(ctx context.Context, node *ingot.Node, ports []ingot.Port, claim ingot.GuestClaim, events ...ingot.Event) error {
	n, made := *node, slices.Clone(ports)
	if n.UUID = strings.ToLower(n.UUID); n.UUID == "" {
		n.UUID = uuid.NewString()
	}
	err := s.write(ctx, func(t *tx) error {
		if err := t.makeGuest(&n, made, claim); err != nil {
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

// makeGuest writes a guest with its claim. The resources come first: who waits here for room has locked nothing else.
func (t *tx) makeGuest(n *ingot.Node, ports []ingot.Port, claim ingot.GuestClaim) error {
	for _, resource := range ingot.Resources() {
		if err := t.take(n.ParentNode, resource, claim.Resources[resource]); err != nil {
			return err
		}
	}
	if err := t.createNode(n, ports); err != nil {
		return err
	}
	return t.claims(n.UUID, n.ParentNode, claim)
}

// take counts an amount of a host's resource as used, if there is as much. The condition is judged under the row's lock,
// so that no two guests get the same.
func (t *tx) take(host string, resource ingot.Resource, amount int64) error {
	changed, err := t.exec(`UPDATE capacities SET used = used + ? WHERE host = ? AND resource = ?
		AND (CAST(? AS BIGINT) = 0 OR (total - reserved) * ratio >= (used + ?) * 1000 AND ? <= max_unit AND ? % step_size = 0)`,
		amount, host, string(resource), amount, amount, amount, amount)
	if err != nil || changed == 1 {
		return err
	}
	found, err := t.capacities("host = ? AND resource = ?", host, string(resource))
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return ingot.Errorf(ingot.Invalid, "Node %s is no compute host of which it is known what %s it has.", host, resource)
	}
	return found[0].Refuse(amount)
}

// claims writes what take has counted, and makes the guest a member of its group.
func (t *tx) claims(guest, host string, claim ingot.GuestClaim) error {
	for _, resource := range ingot.Resources() {
		if _, err := t.exec("INSERT INTO claims (guest, host, resource, amount, created_at) VALUES (?, ?, ?, ?, ?)",
			guest, host, string(resource), claim.Resources[resource], micros(t.now)); err != nil {
			return err
		}
	}
	if claim.Group == "" {
		return nil
	}
	joined, err := t.exec("INSERT INTO group_members (name, host, guest) VALUES (?, ?, ?) ON CONFLICT (name, host) DO NOTHING", claim.Group, host, guest)
	if err == nil && joined == 0 {
		err = ingot.Errorf(ingot.Conflict, "compute host %s has another guest of anti-affinity group %s", host, claim.Group)
	}
	return err
}

// letGo gives back what a guest that is about to be deleted has of its hosts.
func (t *tx) letGo(guest string) error {
	for _, resource := range ingot.Resources() {
		if _, err := t.exec(`UPDATE capacities SET used = used - (SELECT amount FROM claims c WHERE c.guest = ? AND c.host = capacities.host AND c.resource = capacities.resource)
			WHERE resource = ? AND host IN (SELECT host FROM claims WHERE guest = ? AND resource = ?)`,
			guest, string(resource), guest, string(resource)); err != nil {
			return err
		}
	}
	_, err := t.exec("DELETE FROM claims WHERE guest = ?", guest)
	return err
}

// childless refuses to delete a node that others are below; one that is a compute host is none any more.
func (t *tx) childless(n *ingot.Node) error {
	children, err := t.nodes(has("parent_node")+" ORDER BY id", n.UUID)
	if err != nil {
		return err
	}
	if len(children) > 0 {
		return ingot.Errorf(ingot.Conflict, "Node %s is the parent of %s; delete them first.", n.UUID, ingot.Labels(children))
	}
	h, err := t.store.tables.hypervisors.lock(t, n.UUID, 0)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return nil
	case err != nil:
		return err
	}
	if err := unstock(t, &h); err != nil {
		return err
	}
	_, err = t.exec("DELETE FROM hypervisors WHERE uuid = ?", n.UUID)
	return err
}

// spareGuests refuses what would take a compute host away from under its guests, save those that have nothing on it.
func (t *tx) spareGuests(op *ingot.Operation) error {
	switch op.Kind {
	case ingot.KindDelete, ingot.KindRebuild, ingot.KindProvide, ingot.KindClean, ingot.KindRescue, ingot.KindService, ingot.KindToGuest:
	default:
		return nil
	}
	guests, err := t.nodes("provision_state NOT IN (?, ?) AND uuid IN (SELECT guest FROM claims WHERE host = ?) ORDER BY id",
		string(ingot.Available), string(ingot.DeployFailed), op.NodeUUID)
	if err == nil && len(guests) > 0 {
		err = ingot.Errorf(ingot.Conflict, "The operation %s can not be performed on node %s while it is the compute host of %s.", op.Kind, op.NodeUUID, ingot.Labels(guests))
	}
	return err
}
