package ingot

import (
	"context"
	"regexp"
	"time"
)

// Snapshot is a guest as it was at one time.
type Snapshot struct {
	Name      string
	Key       string // that it was asked for with
	Power     PowerState
	Parent    string // name of the snapshot that it came after; "" none
	Current   bool   // the guest's disk goes on from it
	CreatedAt time.Time
}

// ValidSnapshotName says whether a snapshot may have the name: it is part of paths on the host.
func ValidSnapshotName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`).MatchString(name)
}

// Snapshots is the extra ability of a guest's machine to be kept as it is, and to be brought back to that. A key is of
// one wish: asked again with it, what was done is found. Unavailable: it is still being done, ask again.
type Snapshots interface {
	Snapshots(ctx context.Context) ([]Snapshot, error)
	// CreateSnapshot keeps the disk, and the memory of a machine that runs. Invalid: the name is another one's.
	CreateSnapshot(ctx context.Context, name, key string) error
	// RevertSnapshot has the machine run, or be off, as it was then. NotFound names those that there are.
	RevertSnapshot(ctx context.Context, name, key string) error
	DeleteSnapshot(ctx context.Context, name string) error
}

// GuestResizer is the extra ability of a guest's machine to become bigger or smaller. Both look first; snapshots keep it
// as it is (Unsupported): to go back to one would bring back what the claim no longer has.
type GuestResizer interface {
	// GrowDisk gives the disk so many GiB, at once, whether the machine runs or not. A disk never shrinks (Invalid).
	GrowDisk(ctx context.Context, gib int64) error
	// ReshapeGuest defines the machine as the node says now. Restart: one that runs has its old shape until it is off.
	ReshapeGuest(ctx context.Context, ports []Port) (restart bool, err error)
}

// GuestMissing is the failure of a guest whose host answers and has no such machine: somebody did away with it.
type GuestMissing struct {
	Guest string
	Host  string
}

// Error is the sentence.
func (e *GuestMissing) Error() string {
	return "compute host " + e.Host + " has no domain " + e.Guest + ": it was deleted there, not through Ingot"
}

// Unwrap gives the code: NotFound.
func (e *GuestMissing) Unwrap() error { return Errorf(NotFound, "%s", e.Error()) }
