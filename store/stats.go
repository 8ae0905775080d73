package store

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// Stats are figures for metrics.
type Stats struct {
	Nodes      map[ingot.State]int // by provision state
	Operations map[ingot.Kind]int  // live ones
	Claimed    int                 // live operations that a conductor works on now
	// Late is by how much the operation that is longest due waits to be claimed; 0 when none is due.
	Late time.Duration
	// Commits and Transactions are SQLite's since the start: their ratio is how many shared a commit.
	Commits      int64
	Transactions int64
	Queued       int   // transactions that wait for SQLite's writer
	Connections  int   // open ones for reading (SQLite) or for everything (PostgreSQL)
	Statements   int64 // since the start
}

// Stats counts what is in the database now.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	out := Stats{Nodes: map[ingot.State]int{}, Operations: map[ingot.Kind]int{}, Connections: s.readers.Stats().OpenConnections, Statements: s.statements.Load()}
	c := s.read(ctx)
	if err := c.count("SELECT provision_state, count(*) FROM nodes GROUP BY provision_state", func(name string, n int) {
		out.Nodes[ingot.State(name)] = n
	}); err != nil {
		return out, s.sentence(err)
	}
	if err := c.count("SELECT kind, count(*) FROM operations WHERE outcome = '' GROUP BY kind", func(name string, n int) {
		out.Operations[ingot.Kind(name)] = n
	}); err != nil {
		return out, s.sentence(err)
	}
	if _, err := c.one([]any{&out.Claimed}, "SELECT count(*) FROM operations WHERE claim <> '' AND outcome = ''"); err != nil {
		return out, s.sentence(err)
	}
	due, err := s.nextDue(ctx, "SELECT min(due_at) FROM operations WHERE outcome = '' AND claim = ''")
	if err != nil {
		return out, err
	}
	if !due.IsZero() {
		out.Late = max(s.now().Sub(due), 0)
	}
	if s.writer != nil {
		out.Commits, out.Transactions, out.Queued = s.writer.batches.Load(), s.writer.written.Load(), len(s.writer.queue)
	}
	return out, nil
}

// count gives each row of a name and a number.
func (c *conn) count(query string, each func(name string, n int)) error {
	rows, err := c.rows(query)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		each(name, n)
	}
	return rows.Err()
}
