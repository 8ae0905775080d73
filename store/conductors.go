package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ingot-metal/ingot"
)

// ConductorTTL is how long a conductor counts as alive after its last beat: three beats, one a second.
const ConductorTTL = 3 * time.Second

// Join makes the conductor's row its process's, and puts back what earlier processes of its host name had claimed. Locked:
// the row is that of another process which is alive, by the clock that all conductors share. gone is a process that is
// known to have ended, however short ago it beat, and whose BMC leases end with it; "" knows of none.
func (s *Store) Join(ctx context.Context, c ingot.Conductor, gone string) error {
	drivers, err := json.Marshal(c.Drivers)
	if err != nil {
		return err
	}
	return s.beating(ctx, func(t *tx) error {
		if s.writer != nil { // the file is locked: no other process lives
			if _, err := t.exec("UPDATE conductors SET process = '' WHERE hostname = ?", c.Hostname); err != nil {
				return err
			}
		}
		if err := t.yieldLeasesOf(c.Hostname); err != nil {
			return err
		}
		now, args := s.clock(t.now)
		joined, err := t.exec(`INSERT INTO conductors (hostname, process, grp, drivers, address, created_at, updated_at) VALUES (?, ?, ?, ?, ?, `+now+`, `+now+`)
			ON CONFLICT (hostname) DO UPDATE SET process = excluded.process, grp = excluded.grp, drivers = excluded.drivers, address = excluded.address, updated_at = excluded.updated_at
			WHERE conductors.process IN ('', ?, excluded.process) OR conductors.updated_at <= `+now+` - ?`,
			concat([]any{c.Hostname, c.Process, c.Group, string(drivers), c.Address}, args, args, []any{gone}, args, []any{s.ttl.Microseconds()})...)
		if err != nil {
			return err
		}
		if joined == 0 {
			return ingot.Errorf(ingot.Locked, "another process is the conductor %s and is alive: give each process that works on one database a hostname of its own", c.Hostname)
		}
		if err := t.endLeases(gone, s.writer != nil); err != nil {
			return err
		}
		_, err = t.putBack(c.Hostname)
		return err
	})
}

// Beat says that a conductor is alive, and gives all conductors as they are then, by host name. Fenced: its row is no
// longer its own, because it was silent for too long; or the database failed over to another server.
func (s *Store) Beat(ctx context.Context, c ingot.Conductor) ([]ingot.Conductor, error) {
	var all []ingot.Conductor
	var line string
	err := s.beating(ctx, func(t *tx) (err error) {
		if line, err = t.noteLine(); err != nil {
			return err
		}
		now, args := s.clock(t.now)
		changed, err := t.exec("UPDATE conductors SET updated_at = "+now+" WHERE hostname = ? AND process = ?", append(args, c.Hostname, c.Process)...)
		if err != nil {
			return err
		}
		if changed == 0 {
			return lostRow(c.Hostname)
		}
		all, err = t.conductors(t.now)
		return err
	})
	if err == nil && !s.sameLine(line) {
		err = ingot.Errorf(ingot.Fenced, "the database failed over to another server: conductor %s begins anew, with nothing claimed", c.Hostname)
	}
	return all, err
}

// Conductors gives all conductors that ever beat and did not stop in order, by host name.
func (s *Store) Conductors(ctx context.Context) ([]ingot.Conductor, error) {
	all, err := s.read(ctx).conductors(s.now())
	return all, s.sentence(err)
}

func (conn *conn) conductors(at time.Time) ([]ingot.Conductor, error) {
	now, args := conn.store.clock(at)
	rows, err := conn.rows("SELECT hostname, process, grp, drivers, address, created_at, updated_at, "+now+" - updated_at FROM conductors ORDER BY hostname", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.Conductor
	for rows.Next() {
		var c ingot.Conductor
		var silent int64
		if err := rows.Scan(&c.Hostname, &c.Process, &c.Group, record[[]string]{at: &c.Drivers}, &c.Address, (*moment)(&c.CreatedAt), (*moment)(&c.UpdatedAt), &silent); err != nil {
			return nil, err
		}
		c.Silent = time.Duration(silent) * time.Microsecond
		c.Alive = c.Process != "" && c.Silent < conn.store.ttl
		all = append(all, c)
	}
	return all, rows.Err()
}

// Leave forgets a conductor that stops in order, and puts back what it still has.
func (s *Store) Leave(ctx context.Context, c ingot.Conductor) error {
	return s.beating(ctx, func(t *tx) error {
		left, err := t.exec("DELETE FROM conductors WHERE hostname = ? AND process = ?", c.Hostname, c.Process)
		if err != nil || left == 0 {
			return err
		}
		_, err = t.putBack(c.Hostname)
		return err
	})
}
