package store

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

const historyColumns = "id, uuid, node_uuid, created_at, severity, event_type, event, requester, project, conductor, state, target_provision_state, duration"

// appendHistory writes entries about a node and drops what is older than the newest that are kept. It fills in what is missing of
// UUID, NodeUUID, CreatedAt and Severity.
func (t *tx) appendHistory(node string, entries []ingot.History) error {
	for _, h := range entries {
		h.NodeUUID = cmp.Or(h.NodeUUID, node)
		if h.CreatedAt.IsZero() {
			h.CreatedAt = t.now
		}
		var turn int64
		if _, err := t.one([]any{&turn}, `INSERT INTO node_history (uuid, node_uuid, turn, created_at, severity, event_type, event, requester, project, conductor, state, target_provision_state, duration)
			VALUES (?, ?, (SELECT COALESCE(max(turn), 0) + 1 FROM node_history WHERE node_uuid = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING turn`,
			cmp.Or(h.UUID, uuid.NewString()), h.NodeUUID, h.NodeUUID, micros(h.CreatedAt), cmp.Or(h.Severity, "INFO"), h.Type, clean(h.Event),
			h.User, h.Project, h.Conductor, string(h.State), string(h.TargetState), h.Duration.Microseconds()); err != nil {
			return err
		}
		if turn <= t.store.kept {
			continue
		}
		if _, err := t.exec("DELETE FROM node_history WHERE node_uuid = ? AND turn <= ?", h.NodeUUID, turn-t.store.kept); err != nil {
			return err
		}
	}
	return nil
}

// ListHistory gives a node's history in the order of writing, a page at a time. NotFound: the node, or the marker.
func (s *Store) ListHistory(ctx context.Context, node string, page ingot.Page) ([]ingot.History, error) {
	c := s.read(ctx)
	var version int64
	if found, err := c.one([]any{&version}, "SELECT version FROM nodes WHERE uuid = ?", node); err != nil {
		return nil, s.sentence(err)
	} else if !found {
		return nil, nodeNotFound(node)
	}
	w := &where{}
	w.and("node_uuid = ?", node)
	order, err := turn(c, historyTable(), w, page, historyNotFound)
	if err != nil {
		return nil, s.sentence(err)
	}
	entries, err := c.history(w.sql()+order, w.args...)
	return entries, s.sentence(err)
}

// historyTable knows only by what history can be sorted.
func historyTable() *table[ingot.History] {
	return &table[ingot.History]{name: "node_history", columns: []column[ingot.History]{
		{name: "uuid", sort: own},
		{name: "created_at", sort: own},
		{name: "severity", sort: own},
		{name: "event_type", sort: own},
		{name: "event", sort: own},
		{name: "conductor", sort: own},
	}}
}

func historyNotFound(id string) error {
	return ingot.Errorf(ingot.NotFound, "Node history record %s could not be found.", id)
}

// History gives one entry. NotFound.
func (s *Store) History(ctx context.Context, id string) (ingot.History, error) {
	found, err := s.read(ctx).history("uuid = ?", id)
	if err == nil && len(found) == 0 {
		err = historyNotFound(id)
	}
	if err != nil {
		return ingot.History{}, s.sentence(err)
	}
	return found[0], nil
}

func (c *conn) history(tail string, args ...any) ([]ingot.History, error) {
	rows, err := c.rows("SELECT "+historyColumns+" FROM node_history WHERE "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.History
	for rows.Next() {
		var h ingot.History
		var duration int64
		if err := rows.Scan(&h.ID, &h.UUID, &h.NodeUUID, (*moment)(&h.CreatedAt), &h.Severity, &h.Type, &h.Event, &h.User, &h.Project, &h.Conductor,
			(*text)(&h.State), (*text)(&h.TargetState), &duration); err != nil {
			return nil, err
		}
		h.Duration = fromDuration(duration)
		all = append(all, h)
	}
	return all, rows.Err()
}
