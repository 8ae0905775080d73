package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ingot-metal/ingot"
)

// ConductorTTL is how long a conductor counts as alive after its last beat: three beats, one a second.
const ConductorTTL = 3 * time.Second

// Beat says that a conductor is alive, by the clock that all conductors share. Alive and the times of c are not read.
func (s *Store) Beat(ctx context.Context, c ingot.Conductor) error {
	drivers, err := json.Marshal(c.Drivers)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		now, args := s.clock(t.now)
		_, err := t.exec(`INSERT INTO conductors (hostname, grp, drivers, created_at, updated_at) VALUES (?, ?, ?, `+now+`, `+now+`)
			ON CONFLICT (hostname) DO UPDATE SET grp = excluded.grp, drivers = excluded.drivers, updated_at = excluded.updated_at`,
			concat([]any{c.Hostname, c.Group, string(drivers)}, args, args)...)
		return err
	})
}

// Conductors gives all conductors that ever beat, by host name.
func (s *Store) Conductors(ctx context.Context) ([]ingot.Conductor, error) {
	now, args := s.clock(s.now())
	rows, err := s.read(ctx).rows("SELECT hostname, grp, drivers, created_at, updated_at, "+now+" - updated_at FROM conductors ORDER BY hostname", args...)
	if err != nil {
		return nil, s.sentence(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.Conductor
	for rows.Next() {
		var c ingot.Conductor
		var silent int64
		if err := rows.Scan(&c.Hostname, &c.Group, record[[]string]{at: &c.Drivers}, (*moment)(&c.CreatedAt), (*moment)(&c.UpdatedAt), &silent); err != nil {
			return nil, err
		}
		c.Alive = time.Duration(silent)*time.Microsecond < ConductorTTL
		all = append(all, c)
	}
	return all, s.sentence(rows.Err())
}

// RemoveConductor forgets a conductor that stopped in order.
func (s *Store) RemoveConductor(ctx context.Context, hostname string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("DELETE FROM conductors WHERE hostname = ?", hostname)
		return err
	})
}
