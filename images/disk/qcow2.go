package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/ingot-metal/ingot/images/format"
)

// A qcow2 file is a heap: where a piece of the disk lies in it is told by tables that may stand anywhere. Readers
// therefore go through the disk in order and fetch ranges of the file, which for us has two faults. The checksum is of
// the file in its own order, so it would need a second download; and what that download proves would not be the bytes
// that were written, since a server may answer two requests differently.
//
// So the conversion runs in the file's order instead. First only the tables are read, by ranges (one part in eight
// thousand of the disk's size), and turned round into a list "bytes a..b of the file belong at c on the disk", sorted by
// a. Then the file is downloaded once, from start to end, hashed whole, and cut up by that list. The bytes hashed are the
// bytes written. The tables pass by again in that stream; their digests must be the same as those of the tables that
// were used, and so the checksum covers them too.
//
// Memory stays bounded because the list is: when it would grow beyond maxExtents, only the part for the first bytes of
// the file is kept, and the tables are read again for the next part when the stream has got there.

// qcow2Image is what the header and the L1 table tell.
type qcow2Image struct {
	job     *job
	hdr     format.QCOW2Header
	cluster int64
	file    int64 // size of the file
	size    int64 // of the disk in the image
	zstd    bool
	tables  []l2Table // by place in the file
	perL2   int64     // bytes of the disk that one L2 table maps

	header, l1, l2 [32]byte // digests of the tables as they were used; l2 is of all L2 tables by place
	l1Bytes        int64
}

// l2Table is one L2 table: its place in the file and the index of the stretch of the disk that it maps.
type l2Table struct {
	at    int64
	index int64
}

const (
	// headRead is how much of the file's start is fetched at once.
	headRead = 64 << 10
	// maxL1 bounds the L1 table in memory. With the usual 64 KiB clusters it is enough for 128 TiB.
	maxL1 = 1 << 18
)

// qcow2 converts a qcow2 image while it is downloaded.
func (j *job) qcow2(ctx context.Context) (written, error) {
	img, err := j.openQCOW2(ctx)
	if err != nil {
		return written{}, err
	}
	j.m.total(img.size, img.file)
	j.m.phase(PhaseWrite, img.size)
	s := newSink(j.dst, j.disk, img.piece(), j.m)
	c := &qcow2Copy{img: img, sink: s}
	if err := c.run(ctx); err != nil {
		return written{}, err
	}
	return written{sink: s, image: img.size, file: img.file}, nil
}

// openQCOW2 reads and judges the header, then reads the L1 table.
func (j *job) openQCOW2(ctx context.Context) (*qcow2Image, error) {
	head, err := j.readHead(ctx)
	if err != nil {
		return nil, err
	}
	size, _, _ := j.remote.known()
	info, err := format.Inspect(&headReader{ctx: ctx, r: j.remote, head: head}, size)
	if err != nil {
		return nil, err
	}
	if err := format.Check(info, "qcow2"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	img := &qcow2Image{
		job: j, hdr: *info.QCOW2, cluster: info.ClusterSize, file: size, size: info.VirtualSize,
		zstd: info.CompressionType == "zstd",
	}
	if err := j.fits(img.size); err != nil {
		return nil, err
	}
	img.header = sha256.Sum256(head[:min(int64(len(head)), img.cluster)])
	return img, img.readL1(ctx)
}

// readHead fetches the start of the file, and with it the file's size.
func (j *job) readHead(ctx context.Context) ([]byte, error) {
	head := make([]byte, headRead)
	probe := head[:1]
	if err := j.remote.readRange(ctx, probe, 0); err != nil {
		return nil, err
	}
	size, _, _ := j.remote.known()
	if size < 0 {
		return nil, fmt.Errorf("%w: it does not tell the file's size", ErrNoRanges)
	}
	head = head[:min(size, headRead)]
	return head, j.remote.readRange(ctx, head, 0)
}

// headReader serves the inspection from the bytes already fetched, anything else from the server.
type headReader struct {
	ctx  context.Context
	r    *remote
	head []byte
}

func (h *headReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= int64(len(h.head)) {
		return copy(p, h.head[off:]), nil
	}
	if err := h.r.readRange(h.ctx, p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

// readL1 reads the L1 table and lists the L2 tables by their place in the file.
func (img *qcow2Image) readL1(ctx context.Context) error {
	img.perL2 = img.cluster / img.entrySize() * img.cluster
	n := (img.size-1)/img.perL2 + 1
	if n > maxL1 {
		return fmt.Errorf("%w: its clusters of %d bytes are too small for a disk of %d bytes; convert it with larger ones (qemu-img convert -o cluster_size=64k)",
			ErrFormat, img.cluster, img.size)
	}
	raw := make([]byte, n*8)
	if err := img.job.remote.readRange(ctx, raw, int64(img.hdr.L1Offset)); err != nil {
		return err
	}
	img.l1, img.l1Bytes = sha256.Sum256(raw), int64(len(raw))
	for i := range n {
		at := int64(binary.BigEndian.Uint64(raw[i*8:]) & 0x00fffffffffffe00)
		if at == 0 {
			continue
		}
		if at%img.cluster != 0 || at > img.file-img.cluster {
			return fmt.Errorf("%w: L2 table %d is said to be at offset %d of a file of %d bytes", ErrDecode, i, at, img.file)
		}
		img.tables = append(img.tables, l2Table{at: at, index: i})
	}
	slices.SortFunc(img.tables, func(a, b l2Table) int { return int(min(max(a.at-b.at, -1), 1)) })
	last := int64(-1)
	for _, region := range img.regions() {
		if region.at < last {
			return fmt.Errorf("%w: two of its tables overlap at offset %d", ErrDecode, region.at)
		}
		last = region.at + region.n
	}
	return nil
}

// entrySize is the size of an L2 entry in bytes.
func (img *qcow2Image) entrySize() int64 {
	if img.hdr.ExtendedL2 {
		return 16
	}
	return 8
}

// piece is the granularity at which parts of the disk arrive.
func (img *qcow2Image) piece() int64 {
	if img.hdr.ExtendedL2 {
		return img.cluster / 32
	}
	return img.cluster
}

// region is a stretch of the file that holds a table, and what its digest has to be part of.
type region struct {
	at, n int64
	kind  int
}

const (
	regionHeader = iota
	regionL1
	regionL2
)

// regions lists all tables that were used, by their place in the file.
func (img *qcow2Image) regions() []region {
	out := make([]region, 0, len(img.tables)+2)
	out = append(out, region{0, min(img.cluster, headRead, img.file), regionHeader})
	out = append(out, region{int64(img.hdr.L1Offset), img.l1Bytes, regionL1})
	for _, t := range img.tables {
		out = append(out, region{t.at, img.cluster, regionL2})
	}
	slices.SortFunc(out, func(a, b region) int { return int(min(max(a.at-b.at, -1), 1)) })
	return out
}

// tableCheck hashes the tables once more as the file streams by.
type tableCheck struct {
	left []region
	at   int64
	sums [3]hash.Hash
}

func (img *qcow2Image) check() *tableCheck {
	return &tableCheck{left: img.regions(), sums: [3]hash.Hash{sha256.New(), sha256.New(), sha256.New()}}
}

// Write takes the next bytes of the file.
func (t *tableCheck) Write(p []byte) (int, error) {
	end := t.at + int64(len(p))
	for len(t.left) > 0 && t.left[0].at < end {
		r := t.left[0]
		from, to := max(r.at, t.at), min(r.at+r.n, end)
		t.sums[r.kind].Write(p[from-t.at : to-t.at])
		if to < r.at+r.n {
			break
		}
		t.left = t.left[1:]
	}
	t.at = end
	return len(p), nil
}

// verify compares with the digests of the tables that were used.
func (t *tableCheck) verify(img *qcow2Image) error {
	for kind, want := range [][32]byte{img.header, img.l1, img.l2} {
		if len(t.left) > 0 || !bytes.Equal(t.sums[kind].Sum(nil), want[:]) {
			return fmt.Errorf("%w: the qcow2 tables read before the download differ from those in it", ErrChanged)
		}
	}
	return nil
}
