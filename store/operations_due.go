package store

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// WakeNode makes the live operations of a node due now. One that is claimed is due again when its pass commits.
func (s *Store) WakeNode(ctx context.Context, node string) error {
	return s.write(ctx, func(t *tx) error { return t.wakeNode(node) })
}

func (t *tx) wakeNode(node string) error {
	_, err := t.exec(`UPDATE operations SET due_at = ?, woken = (claim <> '')
		WHERE uuid IN (SELECT operation FROM operation_nodes WHERE node_uuid = ?) AND (claim <> '' OR due_at > ?)`, // only live ones hold nodes; see unreserve
		micros(t.now), node, micros(t.now))
	t.wake = true
	return err
}

// ofGroup keeps to operations of nodes of a conductor group. It is asked of row after row, in the order in which they are
// due, so that a claim looks at few.
const ofGroup = "(SELECT n.conductor_group FROM nodes n WHERE n.uuid = operations.node_uuid) = ?"

// preferredAhead bounds how many operations NextDue looks at for one that the conductor prefers.
const preferredAhead = 64

// NextDue is when the conductor may claim the next operation that nobody claims; the zero time when there is none.
func (s *Store) NextDue(ctx context.Context, by ingot.Claimer) (time.Time, error) {
	from, to := by.Share.Bounds()
	ahead := 1 // all are preferred: the first is the one
	if by.Share.Of > 1 {
		ahead = preferredAhead
	}
	return s.nextDue(ctx, `SELECT min(due) FROM (
			SELECT due_at + CASE WHEN substr(node_uuid, 33) >= ? AND substr(node_uuid, 33) < ? THEN 0 ELSE CAST(? AS BIGINT) END AS due
			FROM operations WHERE outcome = '' AND claim = '' AND `+ofGroup+` ORDER BY due_at LIMIT ?) AS ahead`,
		from, to, preferredFor.Microseconds(), by.Group, ahead)
}

func (s *Store) nextDue(ctx context.Context, query string, args ...any) (time.Time, error) {
	var due *int64
	_, err := s.read(ctx).one([]any{&due}, query, args...)
	if err != nil || due == nil {
		return time.Time{}, s.sentence(err)
	}
	return fromMicros(*due), nil
}
