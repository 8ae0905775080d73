package store

import (
	"context"
	"errors"

	"github.com/ingot-metal/ingot"
)

// ChangeClaim has the guest that an operation works on claim other amounts of its host, and changes its row, all in one
// transaction or not at all. The same amounts again change nothing. Conflict: the host has no room for what is more.
// Fenced: the operation's claim was lost.
func (s *Store) ChangeClaim(ctx context.Context, op ingot.Operation, amounts ingot.Amounts, change func(*ingot.Node)) error {
	return s.write(ctx, func(t *tx) error {
		found, err := t.operations("uuid = ? AND claim = ?"+t.store.dialect.forUpdate, op.UUID, op.Claim)
		if err != nil {
			return err
		}
		if len(found) == 0 || op.Claim == "" {
			return ingot.Errorf(ingot.Fenced, "the claim of operation %s was lost: nothing is claimed under it", op.UUID)
		}
		for _, resource := range ingot.Resources() {
			if err := t.reclaim(op.NodeUUID, resource, amounts[resource]); err != nil {
				return err
			}
		}
		if change == nil {
			return nil
		}
		_, err = t.changeNode(op.NodeUUID, 0, func(n *ingot.Node) error { change(n); return nil })
		return err
	})
}

// reclaim has a guest claim another amount of a resource.
func (t *tx) reclaim(guest string, resource ingot.Resource, amount int64) error {
	var host string
	var had int64
	claims, err := t.one([]any{&host, &had}, "SELECT host, amount FROM claims WHERE guest = ? AND resource = ?", guest, string(resource))
	switch {
	case err != nil:
		return err
	case !claims:
		return ingot.Errorf(ingot.Invalid, "Node %s claims no %s of any compute host.", guest, resource)
	case amount > had:
		err = t.takeMore(host, resource, had, amount)
	case amount < had:
		_, err = t.exec("UPDATE capacities SET used = used - ? WHERE host = ? AND resource = ?", had-amount, host, string(resource))
	default:
		return nil
	}
	if err == nil {
		_, err = t.exec("UPDATE claims SET amount = ? WHERE guest = ? AND resource = ?", amount, guest, string(resource))
	}
	return err
}

// takeMore counts what a guest has more than before, if there is as much and the guest may have all of it.
func (t *tx) takeMore(host string, resource ingot.Resource, had, amount int64) error {
	changed, err := t.exec(`UPDATE capacities SET used = used - ? + ? WHERE host = ? AND resource = ?
		AND (total - reserved) * ratio >= (used - ? + ?) * 1000 AND ? <= max_unit AND ? % step_size = 0`,
		had, amount, host, string(resource), had, amount, amount, amount)
	if err != nil || changed == 1 {
		return err
	}
	found, err := t.capacities("host = ? AND resource = ?", host, string(resource))
	if err != nil || len(found) == 0 {
		return errors.Join(err, ingot.Errorf(ingot.Invalid, "Node %s is no compute host of which it is known what %s it has.", host, resource))
	}
	found[0].Used -= had
	return found[0].Refuse(amount)
}
