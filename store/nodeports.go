package store

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// ChangeNodePorts changes a node's ports and port groups together, one change at a time for each node; what is as it
// was is not written. NotFound: the node. Change may be called more than once, and must not call the store.
func (s *Store) ChangeNodePorts(ctx context.Context, node string, change func(*ingot.Node, []ingot.Port, []ingot.Portgroup) error, events ...ingot.Event) error {
	return s.write(ctx, func(t *tx) error {
		n, err := t.node("uuid = ?"+s.dialect.forUpdate, node)
		if err != nil {
			return err
		}
		const ofNode = "node_uuid = ? ORDER BY id"
		ports, err := s.tables.ports.selected(&t.conn, ofNode+s.dialect.forUpdate, n.UUID)
		if err != nil {
			return err
		}
		groups, err := s.tables.portgroups.selected(&t.conn, ofNode+s.dialect.forUpdate, n.UUID)
		if err != nil {
			return err
		}
		// The change is made once, to all of them; then each is written.
		changedPorts, changedGroups := append([]ingot.Port{}, ports...), append([]ingot.Portgroup{}, groups...)
		if err := change(&n, changedPorts, changedGroups); err != nil {
			return callers{err}
		}
		if err := replaceAll(t, s.tables.ports, ports, changedPorts); err != nil {
			return err
		}
		if err := replaceAll(t, s.tables.portgroups, groups, changedGroups); err != nil {
			return err
		}
		return t.appendEvents(n.UUID, events)
	})
}

// replaceAll writes each record as it is after a change of several.
func replaceAll[T, Q any](t *tx, k *kind[T, Q], before, after []T) error {
	for i := range before {
		if err := k.apply(t, &before[i], func(v *T) error { *v = after[i]; return nil }); err != nil {
			return err
		}
	}
	return nil
}
