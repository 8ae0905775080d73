package disk

import (
	"errors"
	"fmt"
	"io"
)

// window shows stretches of a stream, each starting at or after the start of the one before. They may overlap, as the
// compressed clusters of qcow2 do, of which two neighbours share a sector.
type window struct {
	r      io.Reader
	store  []byte
	lo, hi int   // what of store is filled
	start  int64 // place of store[lo] in the stream
}

// at returns n bytes at off, valid until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < w.start {
		return nil, fmt.Errorf("cannot go back in the image file from offset %d to %d", w.start, off)
	}
	drop := min(off-w.start, int64(w.hi-w.lo))
	w.lo += int(drop)
	w.start += drop
	if skip := off - w.start; skip > 0 {
		if _, err := io.CopyN(io.Discard, w.r, skip); err != nil {
			return nil, short(err)
		}
		w.start = off
	}
	if w.lo+n > len(w.store) {
		room := w.store
		if n > len(room) {
			room = make([]byte, max(2*n, mib))
		}
		w.hi = copy(room, w.store[w.lo:w.hi])
		w.lo, w.store = 0, room
	}
	if have := w.hi - w.lo; have < n {
		got, err := io.ReadFull(w.r, w.store[w.hi:w.lo+n])
		w.hi += got
		if err != nil {
			return nil, short(err)
		}
	}
	return w.store[w.lo : w.lo+n], nil
}

// short names an early end.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the file ended before its tables said", ErrTruncated)
	}
	return err
}
