package store

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/ingot-metal/ingot"
)

// On PostgreSQL an event's ID is its transaction's ID shifted by this, and a count of up to 4096 within the transaction.
// What is below the oldest transaction under way (pg_snapshot_xmin) is then complete and in order. The IDs of a plain
// sequence would not do: they become readable in the order of commits.
const (
	eventShift       = 12
	eventsPerCommit  = 1 << eventShift
	eventsKept       = 100_000
	defaultEventPage = 1000
)

// AppendEvents writes events that belong to no other change, such as progress. It fills in At where that is missing.
func (s *Store) AppendEvents(ctx context.Context, events ...ingot.Event) error {
	for len(events) > 0 {
		some := events[:min(len(events), eventsPerCommit/2)]
		if err := s.write(ctx, func(t *tx) error { return t.appendEvents("", some) }); err != nil {
			return err
		}
		events = events[len(some):]
	}
	return nil
}

func (t *tx) appendEvents(node string, events []ingot.Event) error {
	for _, e := range events {
		if e.At.IsZero() {
			e.At = t.now
		}
		var data any
		if len(e.Data) > 0 {
			text, err := json.Marshal(e.Data)
			if err != nil {
				return err
			}
			data = string(text)
		}
		if t.events++; t.events >= eventsPerCommit {
			return ingot.Errorf(ingot.Internal, "cannot write more than %d events at once", eventsPerCommit-1)
		}
		columns, values, args := "", "", []any{}
		if t.store.writer == nil {
			columns = "id, "
			values = "((pg_current_xact_id()::text::bigint + CAST(? AS BIGINT)) << 12) + CAST(? AS BIGINT), "
			args = append(args, t.store.epoch, t.events)
		}
		args = append(args, micros(e.At), e.Type, cmp.Or(e.Node, node), data)
		if _, err := t.exec("INSERT INTO events ("+columns+"at, type, node, data) VALUES ("+values+"?, ?, ?, ?)", args...); err != nil {
			return err
		}
	}
	return nil
}

// Events gives up to limit events after the one with this ID, in order, and the ID to go on from: everything up to it
// was given or never will be. A negative after gives no events, only where to begin for what is new.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]ingot.Event, int64, error) {
	if limit <= 0 {
		limit = defaultEventPage
	}
	c := s.read(ctx)
	head, err := c.eventHead()
	if err != nil || after < 0 || after >= head {
		return nil, max(after, head), s.sentence(err)
	}
	rows, err := c.rows("SELECT id, at, type, node, data FROM events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", after, head, limit)
	if err != nil {
		return nil, after, s.sentence(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var events []ingot.Event
	for rows.Next() {
		var e ingot.Event
		if err := rows.Scan(&e.ID, (*moment)(&e.At), &e.Type, &e.Node, document{&e.Data, false}); err != nil {
			return nil, after, err
		}
		events = append(events, e)
	}
	if len(events) == limit {
		head = events[limit-1].ID
	}
	return events, head, s.sentence(rows.Err())
}

// eventHead is the ID up to which the events are complete.
func (c *conn) eventHead() (int64, error) {
	var head int64
	query, args := "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)", []any{}
	if c.store.writer == nil {
		query = "SELECT ((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + CAST(? AS BIGINT)) << 12) - 1"
		args = append(args, c.store.epoch)
	}
	_, err := c.one([]any{&head}, query, args...)
	return head, err
}

// eventEpoch is what to add to transaction IDs. It is raised when the database holds events of transactions that are
// still to come: it was restored from another PostgreSQL, whose count was further on.
func eventEpoch(c *conn) (int64, error) {
	var epoch, past int64
	_, err := c.one([]any{&epoch, &past}, "SELECT shift, COALESCE((SELECT max(id) FROM events) >> 12, 0) - (pg_current_xact_id()::text::bigint + shift) FROM event_epoch")
	if err != nil || past < 0 {
		return epoch, err
	}
	epoch += past + 1
	_, err = c.exec("UPDATE event_epoch SET shift = ?", epoch)
	return epoch, err
}
