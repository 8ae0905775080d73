// Package disk writes a disk image to a disk while it is being downloaded, and does the few edits that a freshly written
// disk needs: moving the backup GPT, adding a config drive partition, wiping metadata.
//
// It stages nothing: memory stays bounded (about 40 MB of heap at worst) whatever the image's size. The disk's first
// megabyte, without which no firmware and no kernel finds anything on it, is wiped first and written last, after the
// checksum was right and everything else was read back, so a write that fails or is cut off never leaves half an image
// that boots.
package disk

import (
	"errors"
	"fmt"
	"io"
)

// Target is a disk being written. *os.File fits; *Device adds the abilities below. Calls of WriteAt and ReadAt come from
// several goroutines at once, never for overlapping ranges.
type Target interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when everything written is on stable storage.
	Sync() error
}

// Sizer is a target that knows its size in bytes. Without it a target must be an io.Seeker.
type Sizer interface {
	Size() (int64, error)
}

// Zeroer is a target that can make a range read as zeros faster than by writing them.
type Zeroer interface {
	ZeroOut(off, n int64) error
}

// CacheDropper is a target whose reads may be served from memory: after DropCache they come from the medium.
type CacheDropper interface {
	DropCache() error
}

// SectorSizer is a target that knows its logical sector size in bytes. Without it 512 is assumed.
type SectorSizer interface {
	SectorSize() int
}

const (
	mib = 1 << 20
	// held is how much of the disk's start, and of its end, where the backup GPT stands, is wiped first and written last.
	held = 1 * mib
	// unit is the largest piece over which read-back sums and zero detection work.
	unit = 64 << 10
	// batch is how much is written at once.
	batch = 1 * mib
)

// sizeOf returns the size of a target.
func sizeOf(t Target) (int64, error) {
	switch d := t.(type) {
	case Sizer:
		return d.Size()
	case io.Seeker:
		n, err := d.Seek(0, io.SeekEnd)
		if err != nil {
			return 0, fmt.Errorf("cannot tell the disk's size: %w", err)
		}
		return n, nil
	}
	return 0, errors.New("cannot tell the disk's size: the target offers neither Size nor Seek")
}

// sectorOf returns the logical sector size of a target.
func sectorOf(t Target) int64 {
	if d, ok := t.(SectorSizer); ok && d.SectorSize() > 0 {
		return int64(d.SectorSize())
	}
	return 512
}

// zeroOut makes [off, off+n) read as zeros, by the target's own means or by writing.
func zeroOut(t Target, off, n int64) error {
	if z, ok := t.(Zeroer); ok && n >= unit {
		return z.ZeroOut(off, n)
	}
	return writeZeros(t, off, n)
}

// writeZeros writes zeros, whatever the target could do instead.
func writeZeros(t Target, off, n int64) error {
	zeros := make([]byte, min(n, batch))
	for n > 0 {
		k := min(n, int64(len(zeros)))
		if _, err := t.WriteAt(zeros[:k], off); err != nil {
			return fmt.Errorf("cannot write zeros at offset %d: %w", off, err)
		}
		off, n = off+k, n-k
	}
	return nil
}

// readFull reads all of p at off.
func readFull(t io.ReaderAt, p []byte, off int64) error {
	n, err := t.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("cannot read %d bytes at offset %d: %w", len(p), off, err)
}
