package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// limitLock is the advisory lock under which PostgreSQL counts live operations: "limit" in ASCII.
const limitLock = 0x6c696d6974

func operationTable() *table[ingot.Operation] {
	type o = ingot.Operation
	return &table[o]{
		name: "operations",
		uuid: func(v *o) string { return v.UUID },
		columns: []column[o]{
			{name: "uuid", place: func(v *o) field { return (*text)(&v.UUID) }, once: true},
			{name: "kind", place: func(v *o) field { return (*text)(&v.Kind) }, once: true},
			{name: "node_uuid", place: func(v *o) field { return (*text)(&v.NodeUUID) }, once: true},
			{name: "lane", place: func(v *o) field { return (*text)(&v.Lane) }, once: true},
			{name: "params", place: func(v *o) field { return document{&v.Params, true} }},
			{name: "phase", place: func(v *o) field { return (*text)(&v.Phase) }},
			{name: "position", place: func(v *o) field { return (*text)(&v.Position) }},
			{name: "slot", place: func(v *o) field { return (*whole)(&v.Slot) }},
			{name: "attempt", place: func(v *o) field { return (*whole)(&v.Attempt) }},
			{name: "tries", place: func(v *o) field { return (*whole)(&v.Tries) }},
			{name: "due_at", place: func(v *o) field { return (*moment)(&v.DueAt) }},
			{name: "step_since", place: func(v *o) field { return (*moment)(&v.StepSince) }},
			{name: "phase_since", place: func(v *o) field { return (*moment)(&v.PhaseSince) }},
			{name: "memory", place: func(v *o) field { return document{&v.Memory, true} }},
			{name: "agent_fingerprint", place: func(v *o) field { return (*text)(&v.AgentFingerprint) }},
			{name: "note", place: func(v *o) field { return (*text)(&v.Note) }},
			{name: "error", place: func(v *o) field { return (*text)(&v.Error) }},
			{name: "outcome", place: func(v *o) field { return (*text)(&v.Outcome) }},
			{name: "requester", place: func(v *o) field { return (*text)(&v.Requester) }, once: true},
			{name: "project", place: func(v *o) field { return (*text)(&v.Project) }, once: true},
			{name: "conductor", place: func(v *o) field { return (*text)(&v.Conductor) }},
			{name: "claim", place: func(v *o) field { return (*text)(&v.Claim) }},
			{name: "started_at", place: func(v *o) field { return (*moment)(&v.StartedAt) }, once: true},
			{name: "ended_at", place: func(v *o) field { return (*moment)(&v.EndedAt) }},
		},
	}
}

// errNoneLive says that a lane is free.
var errNoneLive = errors.New("no operation is live")

func (c *conn) operations(tail string, args ...any) ([]ingot.Operation, error) {
	return selected(c, c.store.tables.operations, tail, args...)
}

// Operation gives an operation, live or ended. NotFound.
func (s *Store) Operation(ctx context.Context, id string) (ingot.Operation, error) {
	found, err := s.read(ctx).operations("uuid = ?", id)
	if err == nil && len(found) == 0 {
		err = ingot.Errorf(ingot.NotFound, "Operation %s could not be found.", id)
	}
	if err != nil {
		return ingot.Operation{}, s.sentence(err)
	}
	return found[0], nil
}

// Operations gives a node's operations, the newest first, at most limit.
func (s *Store) Operations(ctx context.Context, node string, limit int) ([]ingot.Operation, error) {
	found, err := s.read(ctx).operations("node_uuid = ? ORDER BY id DESC LIMIT ?", node, limit)
	return found, s.sentence(err)
}

// LiveOperation gives the operation that holds a node's lane. NotFound when the lane is free.
func (s *Store) LiveOperation(ctx context.Context, node string, lane ingot.Lane) (ingot.Operation, error) {
	op, err := s.read(ctx).liveOperation(node, lane, "")
	return op, s.sentence(noneLive(err, node, lane))
}

func noneLive(err error, node string, lane ingot.Lane) error {
	if errors.Is(err, errNoneLive) {
		return ingot.Errorf(ingot.NotFound, "Node %s has no operation under way on its %s lane.", node, lane)
	}
	return err
}

func (c *conn) liveOperation(node string, lane ingot.Lane, lock string) (ingot.Operation, error) {
	found, err := c.operations("uuid = (SELECT operation FROM operation_nodes WHERE node_uuid = ? AND lane = ?)"+lock, node, lane)
	if err != nil {
		return ingot.Operation{}, err
	}
	// On PostgreSQL a row that was waited for may have ended meanwhile.
	if len(found) == 0 || !found[0].Live() {
		return ingot.Operation{}, errNoneLive
	}
	return found[0], nil
}

// locked is the answer that a lane is taken, in Ironic's words; the host is whoever works or last worked for the node.
func (t *tx) locked(n *ingot.Node, lane ingot.Lane) error {
	host := n.Reservation
	if host == "" {
		host = n.Conductor
	}
	if host == "" {
		host = t.store.host
	}
	return ingot.Errorf(ingot.Locked, "Node %s is locked by host %s, please retry after the current operation is completed.", n.UUID, host)
}

// StartOperation writes a new operation and takes its lane of its nodes, in the order of their UUIDs. It fills in what
// is missing of UUID, Lane, Phase, Attempt and the times. A NodeVersion of 0 takes any. NotFound: a node; Locked: the
// lane is taken; Conflict: the node is no longer as it was judged, or it has guests that the operation would take the host from; Unavailable: the limit is reached.
func (s *Store) StartOperation(ctx context.Context, start ingot.Start) (ingot.Operation, error) {
	var op ingot.Operation
	err := s.write(ctx, func(t *tx) error {
		op = start.Operation
		if start.Guest != nil { // who waits for room has locked nothing else
			made := *start.Guest
			made.Ports = slices.Clone(made.Ports)
			if err := t.makeGuest(&made.Node, made.Ports, made.Claim); err != nil {
				return err
			}
		}
		if err := t.refuseOverLimit(start); err != nil {
			return err
		}
		if !start.KeepsGuests {
			if err := t.spareGuests(&op); err != nil {
				return err
			}
		}
		fillOperation(&op, t.now)
		if start.Replace {
			if err := t.replaceLive(&op); err != nil {
				return err
			}
		}
		n, err := t.takeLanes(&op, start)
		if err != nil {
			return err
		}
		if start.Change != nil {
			if err := t.applyToNode(&n, func(n *ingot.Node) error { start.Change(n); return nil }); err != nil {
				return err
			}
		}
		for _, join := range start.Joins {
			other, err := t.changeNode(join.UUID, 0, join.Change)
			if err != nil {
				return err
			}
			if err := t.tell(&other, join.History, join.Events); err != nil {
				return err
			}
		}
		t.wake = true
		return t.tell(&n, start.History, start.Events)
	})
	return op, err
}

func fillOperation(op *ingot.Operation, now time.Time) {
	if op.UUID == "" {
		op.UUID = uuid.NewString()
	}
	if op.Lane == "" {
		op.Lane = op.Kind.Lane()
	}
	if op.Phase == "" {
		op.Phase = ingot.Forward
	}
	if op.Attempt == 0 {
		op.Attempt = 1
	}
	if op.DueAt.IsZero() {
		op.DueAt = now
	}
	op.StartedAt, op.StepSince, op.PhaseSince, op.EndedAt = now, now, now, time.Time{}
	op.Claim, op.Conductor, op.Outcome = "", "", ""
}

// refuseOverLimit is Unavailable when there are as many live operations of the kinds as may be.
func (t *tx) refuseOverLimit(start ingot.Start) error {
	limit, kinds := start.Limit, start.LimitKinds
	if limit <= 0 || len(kinds) == 0 {
		return nil
	}
	if t.store.writer == nil { // two transactions that count at once would both find room for the last one
		if _, err := t.exec("SELECT pg_advisory_xact_lock(?)", int64(limitLock)); err != nil {
			return err
		}
	}
	// Every live operation holds a lane, so that with fewer lanes held nothing need be counted: operations change at each of
	// their passes, and on PostgreSQL all that they were since the last vacuum is gone through again.
	var held int
	if _, err := t.one([]any{&held}, "SELECT count(*) FROM (SELECT 1 FROM operation_nodes LIMIT ?) AS held", limit); err != nil || held < limit {
		return err
	}
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	var live int
	query, args := in("SELECT count(*) FROM operations WHERE outcome = '' AND kind IN (?)", names)
	if _, err := t.one([]any{&live}, query, args...); err != nil {
		return err
	}
	if live >= limit {
		return ingot.Errorf(ingot.Unavailable, "Unable to process request at this time. The concurrent action limit for %s has been reached. Please contact your administrator and try again later.", start.LimitName)
	}
	return nil
}

// replaceLive ends the operation on the lane, if there is one. Its pass, if one is under way, is fenced by that.
func (t *tx) replaceLive(op *ingot.Operation) error {
	live, err := t.liveOperation(op.NodeUUID, op.Lane, t.store.dialect.forUpdate)
	if errors.Is(err, errNoneLive) {
		return nil
	}
	if err != nil {
		return err
	}
	if live.NodeUUID != op.NodeUUID { // another node's, which works on this one too
		n, err := t.node("uuid = ?", op.NodeUUID)
		if err != nil {
			return err
		}
		return t.locked(&n, op.Lane)
	}
	// Its secrets (a rescue password, a config drive) end with it.
	if _, err := t.exec("UPDATE operations SET outcome = ?, ended_at = ?, claim = '', conductor = '', secrets = NULL WHERE uuid = ?",
		ingot.Replaced, micros(t.now), live.UUID); err != nil {
		return err
	}
	if err := t.unreserve(live.UUID); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM operation_nodes WHERE operation = ?", live.UUID); err != nil {
		return err
	}
	return t.appendEvents(live.NodeUUID, []ingot.Event{{At: t.now, Type: "operation.ended", Node: live.NodeUUID, Data: map[string]any{
		"operation": live.UUID, "kind": live.Kind, "outcome": ingot.Replaced, "error": live.Error, "attempts": live.Attempt,
	}}})
}

// takeLanes locks the nodes in the order of their UUIDs, judges the operation's own one, and writes the operation.
func (t *tx) takeLanes(op *ingot.Operation, start ingot.Start) (ingot.Node, error) {
	ids := append([]string{op.NodeUUID}, start.Others...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	query, args := in("uuid IN (?) ORDER BY uuid"+t.store.dialect.forUpdate, ids)
	nodes, err := t.nodes(query, args...)
	if err != nil {
		return ingot.Node{}, err
	}
	var self ingot.Node
	for i, id := range ids {
		if i >= len(nodes) || nodes[i].UUID != id {
			return self, nodeNotFound(id)
		}
		if id == op.NodeUUID {
			self = nodes[i]
		}
		var holder string
		taken, err := t.one([]any{&holder}, "SELECT operation FROM operation_nodes WHERE node_uuid = ? AND lane = ?", id, op.Lane)
		if err != nil {
			return self, err
		}
		if taken {
			return self, t.locked(&nodes[i], op.Lane)
		}
	}
	if start.NodeVersion != 0 && start.NodeVersion != self.Version {
		return self, stale("Node", self.UUID)
	}
	if err := t.store.tables.operations.insert(&t.conn, op); err != nil {
		return self, err
	}
	for _, id := range ids {
		if _, err := t.exec("INSERT INTO operation_nodes (node_uuid, lane, operation) VALUES (?, ?, ?)", id, op.Lane, op.UUID); err != nil {
			return self, err
		}
	}
	return self, nil
}

// InterruptOperation turns the live operation of a node's lane round: phase cancel, no position, due now, and without a
// claim, so that the pass under way, if there is one, is fenced. One that is turned round already is given as it is,
// and nothing is written: its deadline stands. NotFound: nothing is under way; Conflict: the node is no longer as it
// was judged (a version of 0 takes any).
func (s *Store) InterruptOperation(ctx context.Context, in ingot.Interrupt) (ingot.Operation, error) {
	var op ingot.Operation
	err := s.write(ctx, func(t *tx) error {
		var err error
		if op, err = t.liveOperation(in.NodeUUID, in.Lane, s.dialect.forUpdate); err != nil {
			return noneLive(err, in.NodeUUID, in.Lane)
		}
		n, err := t.node("uuid = ?"+s.dialect.forUpdate, in.NodeUUID)
		if err != nil {
			return err
		}
		if op.NodeUUID != n.UUID {
			return t.locked(&n, in.Lane)
		}
		if op.Phase != ingot.Forward {
			return nil
		}
		if in.NodeVersion != 0 && in.NodeVersion != n.Version {
			return stale("Node", n.UUID)
		}
		op.Phase, op.Position, op.Slot, op.Tries, op.Error = ingot.Cancel, "", 0, 0, in.Reason
		op.Claim, op.Conductor, op.Note = "", "", ""
		op.DueAt, op.StepSince, op.PhaseSince = t.now, t.now, t.now
		if _, err := t.exec("UPDATE operations SET phase = ?, position = '', slot = 0, tries = 0, error = ?, claim = '', conductor = '', note = '', due_at = ?, step_since = ?, phase_since = ?, woken = FALSE WHERE uuid = ?",
			op.Phase, clean(op.Error), micros(t.now), micros(t.now), micros(t.now), op.UUID); err != nil {
			return err
		}
		if err := t.unreserve(op.UUID); err != nil {
			return err
		}
		t.wake = true
		return t.changeAndTell(n.UUID, in.Change, in.History, in.Events)
	})
	return op, err
}

// changeAndTell changes a node that this transaction has locked, read again because its reservation went meanwhile.
func (t *tx) changeAndTell(node string, change func(*ingot.Node), history []ingot.History, events []ingot.Event) error {
	n, err := t.changeNode(node, 0, func(n *ingot.Node) error {
		if change != nil {
			change(n)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.tell(&n, history, events)
}
