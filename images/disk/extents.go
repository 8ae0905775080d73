package disk

import (
	"cmp"
	"slices"
)

// extent says that n bytes of the file at host belong at guest on the disk. When compressed, they are one cluster's
// compressed data and what follows it in its last sector.
type extent struct {
	host, guest int64
	n           int32
	compressed  bool
}

// maxExtents bounds the list of extents between two readings of the tables; twice as many, of 24 bytes, are held while
// it is made. It is enough for 8 GiB of compressed 64 KiB clusters, or for 128 GiB of uncompressed data in order.
const maxExtents = 1 << 17

// extents keeps the max extents with the lowest place in the file, of those not below from.
type extents struct {
	from  int64
	limit int64 // extents at or beyond it were dropped; 0 while none were
	max   int
	list  []extent
}

// add offers an extent. Neighbours are joined while that keeps a write within a batch.
func (x *extents) add(e extent) {
	if e.host < x.from || (x.limit > 0 && e.host >= x.limit) {
		return
	}
	if n := len(x.list); n > 0 {
		last := &x.list[n-1]
		if !last.compressed && !e.compressed && last.host+int64(last.n) == e.host &&
			last.guest+int64(last.n) == e.guest && last.n+e.n <= batch {
			last.n += e.n
			return
		}
	}
	if len(x.list) == 2*x.max {
		x.cut()
		x.add(e) // it may lie beyond the new limit
		return
	}
	x.list = append(x.list, e)
}

// cut sorts, and drops the upper half.
func (x *extents) cut() {
	x.sort()
	if len(x.list) <= x.max {
		return
	}
	x.limit = x.list[x.max].host
	// Extents at the limit itself belong to the next part, all of them.
	keep := x.max
	for keep > 0 && x.list[keep-1].host == x.limit {
		keep--
	}
	x.list = x.list[:keep]
}

func (x *extents) sort() {
	slices.SortFunc(x.list, func(a, b extent) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.guest, b.guest))
	})
}
