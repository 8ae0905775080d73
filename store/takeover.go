package store

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// mayClaim refuses a conductor whose row is not its own any more, or so long silent that others may put back what it has.
// The row is kept from them until the claims are committed, so that they see all of them.
func (t *tx) mayClaim(by ingot.Claimer) error {
	if by.Process == "" {
		return nil
	}
	now, args := t.store.clock(t.now)
	share := ""
	if t.store.writer == nil {
		share = " FOR KEY SHARE"
	}
	var silent, left int64
	unsettled, since := t.unsettled(t.store.ttl)
	found, err := t.one([]any{&silent, &left}, "SELECT "+now+" - updated_at, "+unsettled+" FROM conductors WHERE hostname = ? AND process = ?"+share, concat(args, since, []any{by.Hostname, by.Process})...)
	switch {
	case err != nil:
		return err
	case !found:
		return lostRow(by.Hostname)
	case left > 0:
		return errUnsettled("conductor "+by.Hostname+" claims nothing", left)
	case silent >= t.store.ttl.Microseconds() && t.store.writer == nil:
		return ingot.Errorf(ingot.Fenced, "conductor %s claims nothing: it has been silent for %v", by.Hostname, time.Duration(silent)*time.Microsecond)
	}
	return nil
}

func lostRow(hostname string) error {
	return ingot.Errorf(ingot.Fenced, "conductor %s was taken for dead, and what it had claimed was put back", hostname)
}

// TakeOver puts back what dead conductors of the claimer's group had claimed: those that have been silent for
// ConductorTTL by the database's clock when this transaction has their rows. A row that another takes over from at the
// same moment is left to it.
func (s *Store) TakeOver(ctx context.Context, by ingot.Claimer) ([]ingot.Takeover, error) {
	var taken []ingot.Takeover
	err := s.beating(ctx, func(t *tx) error {
		taken = nil
		dead, err := t.silent(by)
		if err != nil {
			return err
		}
		for _, one := range dead {
			if one.Operations, err = t.putBack(one.Hostname); err != nil {
				return err
			}
			if err := t.yieldLeases(one.Process); err != nil {
				return err
			}
			if _, err := t.exec("UPDATE conductors SET process = '' WHERE hostname = ?", one.Hostname); err != nil {
				return err
			}
			taken = append(taken, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// silent are the dead conductors of the claimer's group, their rows locked.
func (t *tx) silent(by ingot.Claimer) ([]ingot.Takeover, error) {
	now, args := t.store.clock(t.now)
	rows, err := t.rows("SELECT hostname, process, "+now+" - updated_at FROM conductors WHERE hostname <> ? AND grp = ? AND process <> '' AND updated_at <= "+now+" - ? ORDER BY hostname"+t.store.dialect.skipLocked,
		concat(args, []any{by.Hostname, by.Group}, args, []any{t.store.ttl.Microseconds()})...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var dead []ingot.Takeover
	for rows.Next() {
		var one ingot.Takeover
		var silent int64
		if err := rows.Scan(&one.Hostname, &one.Process, &silent); err != nil {
			return nil, err
		}
		one.Silent = time.Duration(silent) * time.Microsecond
		dead = append(dead, one)
	}
	return dead, rows.Err()
}

// ReleaseClaims puts back what a conductor that is gone had claimed. The empty name means every conductor's, for a
// database that only this process uses.
func (s *Store) ReleaseClaims(ctx context.Context, conductor string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.putBack(conductor)
		return err
	})
}

// putBack takes the claims from a conductor, or from all for the empty name: the operations wait again, due as they were,
// and passes that are under way are fenced.
func (t *tx) putBack(conductor string) (int, error) {
	released, err := t.list("SELECT uuid FROM operations WHERE claim <> '' AND outcome = '' AND (conductor = ? OR CAST(? AS TEXT) = '') ORDER BY uuid"+t.store.dialect.forUpdate, conductor, conductor)
	if err != nil {
		return 0, err
	}
	for _, id := range released {
		if _, err := t.exec("UPDATE operations SET claim = '', conductor = '', woken = FALSE WHERE uuid = ?", id); err != nil {
			return 0, err
		}
	}
	if len(released) > 0 {
		t.wake = true
		t.store.log.Info("put back the operations of a conductor", "conductor", conductor, "operations", len(released))
	}
	_, err = t.exec(`UPDATE nodes SET reservation = '' WHERE reservation <> '' AND (reservation = ? OR CAST(? AS TEXT) = '')`, conductor, conductor)
	return len(released), err
}

// PutBackStray puts back what is claimed in the conductor's name, but not under one of the claims that it has: it never
// heard of those, because the connection was lost while they were committed. Call it only when no claim is under way.
func (s *Store) PutBackStray(ctx context.Context, by ingot.Claimer, has []string) error {
	const stray = "conductor = ? AND claim <> '' AND outcome = '' AND claim NOT IN (?)"
	query, args := in("SELECT uuid FROM operations WHERE "+stray, by.Hostname, append([]string{""}, has...))
	found, err := s.read(ctx).list(query, args...)
	if err != nil || len(found) == 0 {
		return s.sentence(err)
	}
	return s.write(ctx, func(t *tx) error {
		if err := t.mayClaim(by); err != nil {
			return err
		}
		for _, id := range found {
			put, err := t.exec("UPDATE operations SET claim = '', conductor = '', woken = FALSE WHERE uuid = ? AND conductor = ? AND claim <> ''", id, by.Hostname)
			if err != nil {
				return err
			}
			if put > 0 {
				if err := t.unreserve(id); err != nil {
					return err
				}
			}
		}
		t.wake = true
		s.log.Info("put back operations whose claims were never heard of", "conductor", by.Hostname, "operations", len(found))
		return nil
	})
}
