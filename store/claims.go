package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/ingot-metal/ingot"
)

// unreadableFor is how long an operation is set aside whose row cannot be read.
const unreadableFor = time.Minute

// preferredFor is how long an operation that became due is left to the conductor that prefers its node. A busy or dead one
// costs the others no more than that.
const preferredFor = 50 * time.Millisecond

// ClaimOperations claims up to n operations that are due and unclaimed, of nodes of the conductor's group, the longest due
// first. Each gets a claim of its own, and the nodes of all are reserved for the conductor until the pass is committed or
// fenced. Fenced: the conductor's row is another's, or it has been silent for so long that others may put its claims back.
func (s *Store) ClaimOperations(ctx context.Context, by ingot.Claimer, n int) ([]ingot.Pass, error) {
	if by.Hostname == "" {
		return nil, ingot.Errorf(ingot.Invalid, "cannot claim operations for a conductor without a name")
	}
	next, err := s.NextDue(ctx, by)
	if err != nil || n <= 0 || next.IsZero() || next.After(s.now()) {
		return nil, err // an idle conductor does not write
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	var passes []ingot.Pass
	err = s.write(ctx, func(t *tx) error {
		passes = nil
		if err := t.mayClaim(by); err != nil {
			return err
		}
		ops, err := t.claim(by, hex.EncodeToString(random), n)
		if err != nil || len(ops) == 0 {
			return err
		}
		passes, err = t.load(ops, by.Hostname)
		return err
	})
	if err != nil { // the commit too may have failed: nothing is known to be claimed
		return nil, err
	}
	return passes, nil
}

// claim marks the rows. The claim of each is the random text with its UUID, and so differs from every other claim.
func (t *tx) claim(by ingot.Claimer, random string, n int) ([]ingot.Operation, error) {
	table := t.store.tables.operations
	from, to := by.Share.Bounds()
	// Materialized, because PostgreSQL may run a subquery more than once, and would then claim more than n.
	rows, err := t.rows(`WITH due AS MATERIALIZED (
			SELECT uuid FROM operations WHERE outcome = '' AND claim = '' AND due_at <= ? AND `+ofGroup+`
			AND (due_at <= ? OR substr(node_uuid, 33) >= ? AND substr(node_uuid, 33) < ?) ORDER BY due_at, id LIMIT ?`+t.store.dialect.skipLocked+`)
		UPDATE operations SET claim = CAST(? AS TEXT) || '/' || uuid, conductor = ?, woken = FALSE
		WHERE uuid IN (SELECT uuid FROM due) RETURNING `+table.list(),
		micros(t.now), by.Group, micros(t.now.Add(-preferredFor)), from, to, n, random, by.Hostname)
	if err != nil {
		return nil, err
	}
	claimed, unreadable, err := t.readClaimed(rows)
	if err != nil {
		return nil, err
	}
	for id, cause := range unreadable {
		t.store.log.Error("cannot read an operation; it is set aside", "operation", id, "for", unreadableFor, "err", cause)
		if _, err := t.exec("UPDATE operations SET claim = '', conductor = '', due_at = ?, note = ? WHERE uuid = ?",
			micros(t.now.Add(unreadableFor)), clean(cause.Error()), id); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(claimed, func(a, b ingot.Operation) int { return a.DueAt.Compare(b.DueAt) })
	return claimed, nil
}

// readClaimed reads the rows one by one: one that cannot be read must not keep the others from being worked on.
func (t *tx) readClaimed(rows *sqlx.Rows) (claimed []ingot.Operation, unreadable map[string]error, err error) {
	defer rows.Close() //nolint:errcheck // rows.Err tells
	unreadable = map[string]error{}
	for reader := t.store.tables.operations.reader(t.store.keys); rows.Next(); {
		op, err := reader.read(rows)
		if err != nil {
			if op.UUID == "" {
				return nil, nil, err
			}
			unreadable[op.UUID] = err
			continue
		}
		claimed = append(claimed, op)
	}
	return claimed, unreadable, rows.Err()
}

// load reads what the passes look at, and reserves the nodes: all in a handful of statements, however many passes.
func (t *tx) load(ops []ingot.Operation, conductor string) ([]ingot.Pass, error) {
	ids, own := make([]string, len(ops)), make([]string, len(ops))
	for i, op := range ops {
		ids[i], own[i] = op.UUID, op.NodeUUID
	}
	// Nodes are locked in the order of their UUIDs, here as everywhere.
	query, args := in("uuid IN (SELECT node_uuid FROM operation_nodes WHERE operation IN (?)) ORDER BY uuid"+t.store.dialect.forUpdate, ids)
	nodes, err := t.nodes(query, args...)
	if err != nil {
		return nil, err
	}
	query, args = in("UPDATE nodes SET reservation = ?, conductor = ? WHERE uuid IN (SELECT node_uuid FROM operation_nodes WHERE operation IN (?))", conductor, conductor, ids)
	if _, err := t.exec(query, args...); err != nil {
		return nil, err
	}
	steps, err := t.conn.steps(ids)
	if err != nil {
		return nil, err
	}
	query, args = in("node_uuid IN (?) ORDER BY id", own)
	ports, err := t.store.tables.ports.selected(&t.conn, query, args...)
	if err != nil {
		return nil, err
	}
	passes := make([]ingot.Pass, len(ops))
	for i, op := range ops {
		at := slices.IndexFunc(nodes, func(n ingot.Node) bool { return n.UUID == op.NodeUUID })
		if at < 0 {
			return nil, ingot.Errorf(ingot.Internal, "operation %s holds no lane of its node %s", op.UUID, op.NodeUUID)
		}
		nodes[at].Reservation, nodes[at].Conductor = conductor, conductor
		passes[i] = ingot.Pass{Operation: op, Node: nodes[at], Steps: steps[op.UUID], Now: t.now}
	}
	for _, p := range ports {
		for i := range passes {
			if passes[i].Node.UUID == p.NodeUUID {
				passes[i].Ports = append(passes[i].Ports, p)
			}
		}
	}
	return passes, nil
}

// CommitPass writes what a pass found out and gives the claim back: all of it, or nothing when the claim was lost
// (Fenced). A wake that came during the pass makes the operation due now, whatever the result says. An operation with
// an outcome is ended and frees its lanes.
func (s *Store) CommitPass(ctx context.Context, result ingot.Result) error {
	return s.write(ctx, func(t *tx) error {
		op := result.Operation
		if err := t.commitOperation(&op); err != nil {
			return err
		}
		if err := t.unreserve(op.UUID); err != nil {
			return err
		}
		if op.Outcome != "" {
			if _, err := t.exec("DELETE FROM operation_nodes WHERE operation = ?", op.UUID); err != nil {
				return err
			}
			if op.Lane == ingot.LanePower { // one that works on the node may wait for its power
				if err := t.wakeNode(op.NodeUUID); err != nil {
					return err
				}
			}
		}
		if next := result.Following; next != nil {
			if err := t.follow(&op, *next); err != nil {
				return err
			}
		}
		if result.Steps != nil {
			if err := t.replaceSteps(op.UUID, result.Steps); err != nil {
				return err
			}
		}
		return t.commitNode(&op, result)
	})
}

// follow begins an operation in the place of one that has ended: its node's lane is free for nobody in between.
func (t *tx) follow(ended *ingot.Operation, next ingot.Operation) error {
	if ended.Outcome == "" || next.NodeUUID != ended.NodeUUID {
		return ingot.Errorf(ingot.Internal, "operation %s of node %s cannot follow %s of node %s, which has outcome %q", next.UUID, next.NodeUUID, ended.UUID, ended.NodeUUID, ended.Outcome)
	}
	fillOperation(&next, t.now)
	if err := t.store.tables.operations.insert(&t.conn, &next); err != nil {
		return err
	}
	t.wake = true
	_, err := t.exec("INSERT INTO operation_nodes (node_uuid, lane, operation) VALUES (?, ?, ?)", next.NodeUUID, next.Lane, next.UUID)
	return err
}

// commitOperation writes the row if the claim still holds: this is the fence.
func (t *tx) commitOperation(op *ingot.Operation) error {
	claim, lost := op.Claim, ingot.Errorf(ingot.Fenced, "the claim of operation %s was lost: what was done under it is dropped", op.UUID)
	if claim == "" { // what nobody claims has no claim either
		return lost
	}
	found, err := t.operations("uuid = ? AND claim = ?"+t.store.dialect.forUpdate, op.UUID, claim)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return lost
	}
	table, was := t.store.tables.operations, found[0]
	before, err := table.encode(&was)
	if err != nil {
		return err
	}
	op.Claim, op.Conductor = "", ""
	if op.Outcome != "" && op.EndedAt.IsZero() {
		op.EndedAt = t.now
	}
	after, err := table.encode(op)
	if err != nil {
		return err
	}
	diff, err := table.diff(t.store.keys, op.UUID, before, after)
	if err != nil {
		return err
	}
	set, values := "", []any{}
	for i, name := range diff.names {
		if name != "due_at" {
			set, values = set+name+" = ?, ", append(values, diff.values[i])
		}
	}
	values = append(values, micros(t.now), micros(op.DueAt), op.UUID, claim)
	var due int64
	changed, err := t.one([]any{&due}, "UPDATE operations SET "+set+"due_at = CASE WHEN woken THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END, woken = FALSE WHERE uuid = ? AND claim = ? RETURNING due_at", values...)
	if err == nil && !changed {
		return lost
	}
	t.wake = t.wake || op.Live() && due <= micros(t.now)
	return err
}

// commitNode writes what the result says beyond the operation itself.
func (t *tx) commitNode(op *ingot.Operation, result ingot.Result) error {
	if err := t.createNewPorts(op.NodeUUID, result.Ports); err != nil {
		return err
	}
	for _, change := range result.PortChanges {
		if err := t.changePort(change); err != nil {
			return err
		}
	}
	if result.Inventory != nil {
		if err := t.putInventory(op.NodeUUID, result.Inventory, result.Plugin); err != nil {
			return err
		}
	}
	own := ingot.NodeResult{UUID: op.NodeUUID, Changes: result.Changes, History: result.History, Events: result.Events}
	for _, about := range append(result.Others, own) {
		if err := t.commitAbout(about); err != nil {
			return err
		}
	}
	return nil
}

// commitAbout changes one node and tells of it. All nodes of the operation are locked already, in the order of their UUIDs.
func (t *tx) commitAbout(about ingot.NodeResult) error {
	if len(about.Changes) > 0 {
		if _, err := t.changeNode(about.UUID, 0, func(n *ingot.Node) error {
			for _, change := range about.Changes {
				change(n)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return t.tell(&ingot.Node{UUID: about.UUID}, about.History, about.Events)
}

// changePort changes a port, if it is there.
func (t *tx) changePort(change ingot.PortChange) error {
	ports := t.store.tables.ports
	p, err := ports.lock(t, change.UUID, 0)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return nil
	case err != nil:
		return err
	}
	return ports.apply(t, &p, change.Change)
}

// createNewPorts creates the ports whose MAC is nobody's. One that another node has stays there, and the history says so.
func (t *tx) createNewPorts(node string, ports []ingot.Port) error {
	for _, p := range ports {
		p.NodeUUID = node
		err := t.store.tables.ports.create(t, &p)
		if ingot.CodeOf(err) != ingot.Conflict {
			if err != nil {
				return err
			}
			continue
		}
		have, lookup := t.store.tables.ports.one(&t.conn, "address = ?", p.Address)
		if lookup == nil && have.NodeUUID == node {
			continue
		}
		if err := t.appendHistory(node, []ingot.History{{Severity: "ERROR", Type: "introspection", Event: "cannot create a port: " + err.Error()}}); err != nil {
			return err
		}
	}
	return nil
}

// unreserve takes the reservation from the nodes of an operation that is no longer claimed, save where an operation
// on the node's other lane is.
func (t *tx) unreserve(operation string) error {
	if t.store.dialect.forUpdate != "" {
		// Locked by a statement of its own, so that the next one sees what the other lane's transaction committed.
		if _, err := t.list("SELECT uuid FROM nodes WHERE uuid IN (SELECT node_uuid FROM operation_nodes WHERE operation = ?) ORDER BY uuid"+t.store.dialect.forUpdate, operation); err != nil {
			return err
		}
	}
	// Only live operations hold nodes. A condition on claim or outcome would have PostgreSQL go through the index of all live
	// ones, which it takes for few: then each pass costs as much as there are others.
	_, err := t.exec(`UPDATE nodes SET reservation = COALESCE((
			SELECT max(CASE WHEN o.claim <> '' THEN o.conductor ELSE '' END) FROM operations o JOIN operation_nodes h ON h.operation = o.uuid
			WHERE h.node_uuid = nodes.uuid), '')
		WHERE uuid IN (SELECT node_uuid FROM operation_nodes WHERE operation = ?)`, operation)
	return err
}
