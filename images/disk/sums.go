package disk

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"
)

// sums remembers what was written, in bounded memory and in whatever order it came, so that it can be compared with what
// the disk gives back. The disk is cut into chunks, each with one number: the sum over its pieces of a hash of place and
// content. Zeros count nothing, so runs that were never touched compare as well. It guards against failing hardware, not
// against forgery: 64 bits per chunk are plenty.
type sums struct {
	seed  maphash.Seed
	chunk int64
	piece int64 // pieces start at multiples of it; every write has to as well
	slots []atomic.Uint64
}

// maxSlots bounds the table to 2 MiB; beyond a terabyte the chunks grow instead.
const maxSlots = 1 << 18

func newSums(size, piece int64) *sums {
	chunk := int64(4 * mib)
	for size/chunk >= maxSlots {
		chunk *= 2
	}
	return &sums{seed: maphash.MakeSeed(), chunk: chunk, piece: piece, slots: make([]atomic.Uint64, size/chunk+1)}
}

// add counts p, written at off, which is a multiple of piece.
func (s *sums) add(p []byte, off int64) {
	for len(p) > 0 {
		part := p[:min(int64(len(p)), s.piece)]
		if v := s.hash(part, off); v != 0 {
			s.slots[off/s.chunk].Add(v)
		}
		p, off = p[len(part):], off+int64(len(part))
	}
}

// total is what add would have summed for p, which lies within one chunk.
func (s *sums) total(p []byte, off int64) uint64 {
	var sum uint64
	for len(p) > 0 {
		part := p[:min(int64(len(p)), s.piece)]
		sum += s.hash(part, off)
		p, off = p[len(part):], off+int64(len(part))
	}
	return sum
}

// hash mixes the place in, so that two pieces that changed places are noticed.
func (s *sums) hash(p []byte, off int64) uint64 {
	if isZero(p) {
		return 0
	}
	v := maphash.Bytes(s.seed, p) ^ uint64(off)*0x9e3779b97f4a7c15
	v *= 0xff51afd7ed558ccd
	return v ^ v>>32
}

// isZero compares p with itself shifted by one, for which bytes.Equal uses the widest instructions there are.
func isZero(p []byte) bool {
	return len(p) == 0 || p[0] == 0 && bytes.Equal(p[:len(p)-1], p[1:])
}
