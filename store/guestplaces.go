package store

import (
	"context"
	"strings"

	"github.com/ingot-metal/ingot"
)

// TakePlace has a guest hold on another compute host what it needs there, for a move, beside what it holds on its own. Asked again
// it changes nothing. Conflict: there is no room, or another guest of its group; Fenced: the pass has lost its claim.
func (s *Store) TakePlace(ctx context.Context, p ingot.GuestPlace) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.passing(p)
		if err != nil {
			return err
		}
		taken, err := t.claimsOf(p.Guest, p.Host)
		if err != nil || len(taken) > 0 {
			return err
		}
		claim := ingot.GuestClaim{Resources: p.Resources}
		if claim.Resources == nil {
			if claim.Resources, err = t.claimsOf(p.Guest, n.ParentNode); err != nil {
				return err
			}
		}
		for _, resource := range ingot.Resources() {
			if err := t.take(p.Host, resource, claim.Resources[resource]); err != nil {
				return err
			}
		}
		if _, err := t.one([]any{&claim.Group}, "SELECT name FROM group_members WHERE guest = ? AND host = ?", p.Guest, n.ParentNode); err != nil {
			return err
		}
		return t.claims(p.Guest, p.Host, claim)
	})
}

// MoveGuest makes the host on which the guest has a place its own, and gives back what it had on the one before, in one
// transaction. Asked again it changes nothing. Conflict: it has no place there.
func (s *Store) MoveGuest(ctx context.Context, p ingot.GuestPlace, events ...ingot.Event) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.passing(p)
		if err != nil || n.ParentNode == p.Host {
			return err
		}
		if p.Fenced {
			if err := t.isFenced(n.ParentNode); err != nil {
				return err
			}
		}
		had, err := t.claimsOf(p.Guest, p.Host)
		switch {
		case err != nil:
			return err
		case len(had) == 0:
			return ingot.Errorf(ingot.Conflict, "guest %s has no place on compute host %s", p.Guest, p.Host)
		}
		if err := t.leave(p.Guest, n.ParentNode); err != nil {
			return err
		}
		if _, err := t.changeNode(p.Guest, 0, func(n *ingot.Node) error { n.ParentNode = p.Host; return nil }); err != nil {
			return err
		}
		return t.appendEvents(p.Guest, events)
	})
}

// LeavePlace gives back a place that a guest has on a host which is not its own. Asked again it changes nothing.
func (s *Store) LeavePlace(ctx context.Context, p ingot.GuestPlace) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.passing(p)
		if err != nil || n.ParentNode == p.Host {
			return err
		}
		return t.leave(p.Guest, p.Host)
	})
}

// DropStrayPlaces gives back what guests hold of hosts that are not their own while no operation works on them: what a
// move that was broken off could not give back.
func (s *Store) DropStrayPlaces(ctx context.Context) error {
	const stray = `SELECT c.guest || '/' || c.host FROM claims c JOIN nodes n ON n.uuid = c.guest WHERE n.parent_node <> c.host
		AND NOT EXISTS (SELECT 1 FROM operation_nodes o WHERE o.node_uuid = c.guest AND o.lane = ?) GROUP BY c.guest, c.host ORDER BY c.guest, c.host`
	found, err := s.read(ctx).list(stray, ingot.LaneProvision)
	if err != nil || len(found) == 0 {
		return s.sentence(err)
	}
	return s.write(ctx, func(t *tx) error {
		// Read again with the guests locked: a move takes its lane under that lock before it takes a place.
		if _, err := t.list("SELECT uuid FROM nodes WHERE uuid IN (SELECT guest FROM claims c WHERE c.host <> nodes.parent_node) ORDER BY uuid" + t.store.dialect.forUpdate); err != nil {
			return err
		}
		again, err := t.list(stray, ingot.LaneProvision)
		if err != nil {
			return err
		}
		for _, place := range again {
			guest, host, _ := strings.Cut(place, "/")
			if err := t.leave(guest, host); err != nil {
				return err
			}
		}
		return nil
	})
}

// HasPlace says whether a guest holds anything of a host: one that is on its way there does.
func (s *Store) HasPlace(ctx context.Context, guest, host string) (bool, error) {
	had, err := s.read(ctx).claimsOf(guest, host)
	return len(had) > 0, s.sentence(err)
}

// passing reads a guest for a pass that has its claim, and locks both.
func (t *tx) passing(p ingot.GuestPlace) (ingot.Node, error) {
	found, err := t.operations("uuid = ? AND claim = ? AND outcome = ''"+t.store.dialect.forUpdate, p.Operation, p.Claim)
	switch {
	case err != nil:
		return ingot.Node{}, err
	case len(found) == 0 || p.Claim == "":
		return ingot.Node{}, ingot.Errorf(ingot.Fenced, "the claim of operation %s was lost: guest %s is not moved", p.Operation, p.Guest)
	}
	return t.node("uuid = ?"+t.store.dialect.forUpdate, p.Guest)
}

// isFenced refuses what must not be done while a host may run.
func (t *tx) isFenced(host string) error {
	h, err := t.store.tables.hypervisors.lock(t, host, 0)
	if err == nil && h.Fence != ingot.FencedOff {
		err = ingot.Errorf(ingot.Conflict, "compute host %s is not known to be off", host)
	}
	return err
}

// claimsOf is what a guest has of a host.
func (c *conn) claimsOf(guest, host string) (ingot.Amounts, error) {
	rows, err := c.rows("SELECT resource, amount FROM claims WHERE guest = ? AND host = ?", guest, host)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	amounts := ingot.Amounts{}
	for rows.Next() {
		var resource ingot.Resource
		var amount int64
		if err := rows.Scan(&resource, &amount); err != nil {
			return nil, err
		}
		amounts[resource] = amount
	}
	return amounts, rows.Err()
}

// leave gives back what a guest has of one host, in the order in which it is claimed.
func (t *tx) leave(guest, host string) error {
	had, err := t.claimsOf(guest, host)
	if err != nil {
		return err
	}
	for _, resource := range ingot.Resources() {
		amount, has := had[resource]
		if !has {
			continue
		}
		gone, err := t.exec("DELETE FROM claims WHERE guest = ? AND host = ? AND resource = ?", guest, host, string(resource))
		if err != nil || gone == 0 {
			return err
		}
		if _, err := t.exec("UPDATE capacities SET used = used - ? WHERE host = ? AND resource = ?", amount, host, string(resource)); err != nil {
			return err
		}
	}
	_, err = t.exec("DELETE FROM group_members WHERE guest = ? AND host = ?", guest, host)
	return err
}
