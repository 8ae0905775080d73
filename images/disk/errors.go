package disk

import (
	"errors"
	"fmt"
)

// What can go wrong, for errors.Is. The text of the error that carries one says what was found and what to do.
var (
	// ErrSource: the Source itself is not usable (bad URL, unknown format, checksum or compression).
	ErrSource = errors.New("unusable image source")
	// ErrNotFound: the server does not have the file (404 or 410).
	ErrNotFound = errors.New("image not found")
	// ErrHTTP: the server refuses or fails in another way.
	ErrHTTP = errors.New("image server error")
	// ErrStalled: the server stopped sending, and did so again at every attempt.
	ErrStalled = errors.New("image server stalled")
	// ErrTruncated: the file ended early, and did so again at every attempt.
	ErrTruncated = errors.New("image truncated")
	// ErrChanged: the server served different versions of the file within one write.
	ErrChanged = errors.New("image changed while being read")
	// ErrNoRanges: a qcow2 image is on a server that does not serve ranges.
	ErrNoRanges = errors.New("image server does not serve ranges")
	// ErrFormat: the image is not what was declared, or is unsafe; images/format's errors are wrapped too.
	ErrFormat = errors.New("image format refused")
	// ErrDecode: the image's compressed data or its tables are damaged.
	ErrDecode = errors.New("image damaged")
	// ErrTooLarge: the image does not fit on the disk.
	ErrTooLarge = errors.New("image larger than the disk")
	// ErrChecksum: the file's checksum is not the declared one.
	ErrChecksum = errors.New("image checksum mismatch")
	// ErrReadBack: the disk does not hold what was written to it; see MismatchError.
	ErrReadBack = errors.New("disk read-back mismatch")
	// ErrNoTable: the disk has no partition table that could be edited.
	ErrNoTable = errors.New("no partition table")
	// ErrNoRoom: the disk or its partition table has no room for a config drive.
	ErrNoRoom = errors.New("no room for the config drive")
)

// MismatchError tells where the disk did not give back what was written. It is an ErrReadBack.
type MismatchError struct {
	Offset int64 // where the range starts that differs, in bytes from the disk's start
	Length int64 // how long the compared range is; the difference is somewhere in it
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%v: the %d bytes at offset %d are not what was written; the disk or its controller is failing",
		ErrReadBack, e.Length, e.Offset)
}

// Unwrap makes errors.Is(err, ErrReadBack) true.
func (e *MismatchError) Unwrap() error { return ErrReadBack }
