package conductor

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// Snapshots lists the snapshots of a guest, the oldest first.
func (c *Conductor) Snapshots(ctx context.Context, node ingot.Node) (all []ingot.Snapshot, err error) {
	err = manage(ctx, c, &node, "snapshots", func(ctx context.Context, m ingot.Snapshots) error {
		all, err = m.Snapshots(ctx)
		return err
	})
	return all, err
}

// createSnapshot is management.snapshot_create: the guest is kept as it is under a name.
func createSnapshot(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	return withSnapshot(ctx, r, args, func(ctx context.Context, m ingot.Snapshots, name string) error {
		return m.CreateSnapshot(ctx, name, r.commandID())
	})
}

// revertSnapshot is management.snapshot_revert. What was written since the snapshot is lost.
func revertSnapshot(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	p, err := withSnapshot(ctx, r, args, func(ctx context.Context, m ingot.Snapshots, name string) error {
		return m.RevertSnapshot(ctx, name, r.commandID())
	})
	if err != nil || !p.holds {
		return p, err
	}
	return lookAtPower(ctx, r) // it may be another one than before
}

// deleteSnapshot is management.snapshot_delete. One that is not there was deleted by an asking whose answer was lost, if
// it was there before: that is written down first.
func deleteSnapshot(ctx context.Context, r *Run, args map[string]any) (Progress, error) {
	seen := "snapshot_seen_" + r.commandID()
	name := ingot.Text(args, "name")
	if r.Op.Memory[seen] != true {
		all, err := r.c.Snapshots(ctx, *r.Node)
		if err != nil {
			return Progress{}, err
		}
		for _, s := range all {
			if s.Name == name {
				r.Remember(seen, true)
				return NotYet(0, "the snapshot is there and will be deleted"), nil
			}
		}
	}
	p, err := withSnapshot(ctx, r, args, func(ctx context.Context, m ingot.Snapshots, name string) error { return m.DeleteSnapshot(ctx, name) })
	if r.Op.Memory[seen] == true && ingot.CodeOf(err) == ingot.NotFound {
		return Holds(), nil
	}
	return p, err
}

// withSnapshot does something with the snapshot of the step's name.
func withSnapshot(ctx context.Context, r *Run, args map[string]any, do func(context.Context, ingot.Snapshots, string) error) (Progress, error) {
	name := ingot.Text(args, "name")
	if !ingot.ValidSnapshotName(name) {
		return Progress{}, ingot.Fatalf("%q is no name of a snapshot: letters, digits, dots, dashes and underscores, at most 63, the first a letter or a digit", name)
	}
	err := managed(ctx, r, "snapshots", func(ctx context.Context, m ingot.Snapshots) error { return do(ctx, m, name) })
	if err != nil {
		return Progress{}, fmt.Errorf("snapshot %s of %s: %w", name, r.Node.Label(), err)
	}
	return Holds(), nil
}
