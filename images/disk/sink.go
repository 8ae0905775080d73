package disk

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// sink writes image data to the disk, except its two ends, which it holds in memory until finish.
type sink struct {
	dst  Target
	disk int64 // size of the disk
	head []byte
	tail []byte
	from int64 // where tail begins on the disk
	sums *sums
	m    *meter
}

// newSink prepares for an image whose pieces start at multiples of piece.
func newSink(dst Target, disk, piece int64, m *meter) *sink {
	from := max(disk-held, held) / unit * unit
	from = max(min(from, disk), min(held, disk))
	return &sink{
		dst: dst, disk: disk, from: from, m: m,
		head: make([]byte, min(held, disk)), tail: make([]byte, disk-from),
		sums: newSums(disk, min(piece, unit)),
	}
}

// wipe makes the disk unbootable: both ends are zeros, on stable storage, when it returns.
func (s *sink) wipe() error {
	if err := writeZeros(s.dst, 0, int64(len(s.head))); err != nil {
		return fmt.Errorf("cannot wipe the disk's start: %w", err)
	}
	if err := writeZeros(s.dst, s.from, int64(len(s.tail))); err != nil {
		return fmt.Errorf("cannot wipe the disk's end: %w", err)
	}
	if err := s.dst.Sync(); err != nil {
		return fmt.Errorf("cannot sync the wiped disk: %w", err)
	}
	return nil
}

// middle cuts [off, off+n) to the part between the two held ends.
func (s *sink) middle(off, n int64) (from, to int64) {
	return max(off, int64(len(s.head))), min(off+n, s.from)
}

// write puts p at off. It is safe for concurrent use with ranges that do not overlap.
func (s *sink) write(p []byte, off int64) error {
	if off < int64(len(s.head)) {
		copy(s.head[off:], p)
	}
	if end := off + int64(len(p)); end > s.from {
		skip := max(s.from-off, 0)
		copy(s.tail[off+skip-s.from:], p[skip:])
	}
	from, to := s.middle(off, int64(len(p)))
	if from < to {
		part := p[from-off : to-off]
		if _, err := s.dst.WriteAt(part, from); err != nil {
			return fmt.Errorf("cannot write %d bytes to the disk at offset %d: %w", len(part), from, err)
		}
		s.sums.add(part, from)
	}
	s.m.done(int64(len(p)))
	return nil
}

// zero makes [off, off+n) zeros. The ends are zeros already.
func (s *sink) zero(ctx context.Context, off, n int64) error {
	const step = 1 << 30 // between looks at ctx: zeroing can be as slow as writing
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k := min(n, step)
		if from, to := s.middle(off, k); from < to {
			if err := zeroOut(s.dst, from, to-from); err != nil {
				return fmt.Errorf("cannot zero %d bytes of the disk at offset %d: %w", to-from, from, err)
			}
		}
		s.m.done(k)
		off, n = off+k, n-k
	}
	return nil
}

// verify reads back the first size bytes of the disk, without its ends, and compares.
func (s *sink) verify(ctx context.Context, size int64, workers int) error {
	from, to := s.middle(0, size)
	s.m.phase(PhaseVerify, max(to-from, 0))
	if from >= to {
		return nil
	}
	if err := s.fresh(); err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	bufs := make(chan []byte, workers)
	for range workers {
		bufs <- make([]byte, batch)
	}
	for at := from; at < to && inner.Err() == nil; {
		end := min((at/s.sums.chunk+1)*s.sums.chunk, to)
		start := at
		g.Go(func() error {
			buf := <-bufs
			defer func() { bufs <- buf }()
			return s.verifyChunk(inner, buf, start, end)
		})
		at = end
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// verifyChunk compares one chunk, or the part of one between the ends.
func (s *sink) verifyChunk(ctx context.Context, buf []byte, from, to int64) error {
	var sum uint64
	for at := from; at < to; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := buf[:min(int64(len(buf)), to-at)]
		if err := readFull(s.dst, part, at); err != nil {
			return fmt.Errorf("cannot read the disk back: %w", err)
		}
		sum += s.sums.total(part, at)
		at += int64(len(part))
		s.m.done(int64(len(part)))
	}
	if sum != s.sums.slots[from/s.sums.chunk].Load() {
		return &MismatchError{Offset: from, Length: to - from}
	}
	return nil
}

// fresh makes the next reads come from the medium.
func (s *sink) fresh() error {
	if d, ok := s.dst.(CacheDropper); ok {
		if err := d.DropCache(); err != nil {
			return fmt.Errorf("cannot read the disk back from the medium: %w", err)
		}
	}
	return nil
}

// finish writes the ends, the start last, and reads them back when asked to. The disk boots once it returns nil; when it
// fails, both ends are wiped again.
func (s *sink) finish(readBack bool) error {
	if err := s.end(s.tail, s.from, readBack); err != nil {
		return s.revoke(err)
	}
	if err := s.end(s.head, 0, readBack); err != nil {
		return s.revoke(err)
	}
	return nil
}

// revoke makes a disk that could boot already unbootable again, because of err.
func (s *sink) revoke(err error) error {
	if wiping := s.wipe(); wiping != nil {
		return fmt.Errorf("%w (and its start may have been left behind: %w)", err, wiping)
	}
	return err
}

// end writes one held end.
func (s *sink) end(p []byte, off int64, readBack bool) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := s.dst.WriteAt(p, off); err != nil {
		return fmt.Errorf("cannot write %d bytes to the disk at offset %d: %w", len(p), off, err)
	}
	if err := s.dst.Sync(); err != nil {
		return fmt.Errorf("cannot sync the disk: %w", err)
	}
	s.m.done(int64(len(p)))
	if !readBack {
		return nil
	}
	if err := s.fresh(); err != nil {
		return err
	}
	got := make([]byte, len(p))
	if err := readFull(s.dst, got, off); err != nil {
		return fmt.Errorf("cannot read the disk back: %w", err)
	}
	if !bytes.Equal(got, p) {
		return &MismatchError{Offset: off, Length: int64(len(p))}
	}
	return nil
}
