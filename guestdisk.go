package ingot

import (
	"context"
	"io"
)

// GuestExporter is the extra ability of a guest's machine to give out what is on its disk.
type GuestExporter interface {
	// CanExport says, before anything is done, why the disk cannot be given out (Unsupported); nil where it can.
	CanExport(ctx context.Context) error
	// ExportDisk writes the disk of the machine, which is off, to a copy: an image that needs no other. The key is of this
	// copy: the same one again finds the work that is under way. Unavailable with a time in it: it goes on behind.
	ExportDisk(ctx context.Context, key string, to func(format string) (DiskCopy, error)) error
}

// GuestImporter is the extra ability of a guest's machine to have a disk that was somebody else's.
type GuestImporter interface {
	// ImportDisk gives the machine, which is off, a new disk with what open gives, and nothing below it. The key is of this
	// disk: the same one again finds the disk that was made for it, whatever has been written to it since, or the work that is
	// under way, and opens nothing then. Unavailable with a time in it: it goes on behind.
	ImportDisk(ctx context.Context, key string, open func() (GuestImage, error)) error
}

// DiskReleaser is the extra ability of a guest's machine to let go of disks that people plugged in beside its own.
type DiskReleaser interface {
	// ReleaseDisks unplugs them all from the machine, which is off, and says which they were. What is on them stays.
	ReleaseDisks(ctx context.Context) ([]string, error)
}

// DiskWatcher is the extra ability of a guest's machine to say that it stands still for its disks' sake. Its host stops it
// where there is no room for what it writes, so that nothing is lost (QEMU's werror=enospc).
type DiskWatcher interface {
	// DiskTrouble is, for people, why the machine stands still and what to do; "" for one that does not.
	DiskTrouble(ctx context.Context) (string, error)
}

// GuestInspector is the extra ability of a guest's machine to be described by its host.
type GuestInspector interface {
	// InspectGuest is what the guest is made of. It need not run, and nothing is changed.
	InspectGuest(ctx context.Context) (Inventory, error)
}

// DiskCopy takes the bytes of a disk's image, from the first to the last. One of Keep and Drop ends it.
type DiskCopy interface {
	io.Writer
	// Keep says that all is written.
	Keep() error
	// Drop leaves nothing of it behind.
	Drop()
}

// DiskKeeper keeps copies of disks on this machine, where agents and hosts get them.
type DiskKeeper interface {
	// KeptDisk is the copy that was kept under a key, judged like any image. NotFound: there is none on this machine.
	KeptDisk(ctx context.Context, key string) (ImageReady, error)
	// OpenDisk is the same copy for a guest's disk.
	OpenDisk(ctx context.Context, key string) (GuestImage, error)
	// NewDisk begins a copy of a format, raw or qcow2. Permanent, from it or from writing to it: there is no room.
	NewDisk(key, format string) (DiskCopy, error)
	// DropDisk does away with the copy of a key; one that is not there is no error.
	DropDisk(key string) error
}
