package disk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// An L2 entry (QEMU docs/interop/qcow2.txt, "L2 table entry").
const (
	l2Compressed = 1 << 62
	l2AllZero    = 1 << 0
	l2Offset     = 0x00fffffffffffe00
)

// walk reads all L2 tables and lists the extents from place from of the file on, as many as x holds. When zero is given
// it is called for each run of the disk that reads as zeros, in the order of the tables.
func (img *qcow2Image) walk(ctx context.Context, x *extents, zero func(off, n int64) error) error {
	sum := sha256.New()
	table := make([]byte, img.cluster)
	runs := &zeroRuns{emit: zero}
	for _, t := range img.tables {
		if err := img.job.remote.readRange(ctx, table, t.at); err != nil {
			return err
		}
		sum.Write(table)
		if err := img.entries(t, table, x, runs); err != nil {
			return err
		}
	}
	digest := [32]byte(sum.Sum(nil))
	if zero == nil {
		if digest != img.l2 {
			return fmt.Errorf("%w: its L2 tables differ from those read before", ErrChanged)
		}
		return nil
	}
	img.l2 = digest
	return img.unmapped(runs)
}

// unmapped adds the stretches of the disk that have no L2 table at all.
func (img *qcow2Image) unmapped(runs *zeroRuns) error {
	mapped := make([]bool, (img.size-1)/img.perL2+1)
	for _, t := range img.tables {
		mapped[t.index] = true
	}
	for i, have := range mapped {
		if off := int64(i) * img.perL2; !have {
			if err := runs.add(off, min(img.perL2, img.size-off)); err != nil {
				return err
			}
		}
	}
	return runs.flush()
}

// entries sorts the entries of one L2 table into extents and runs of zeros.
func (img *qcow2Image) entries(t l2Table, table []byte, x *extents, runs *zeroRuns) error {
	step := img.entrySize()
	for i := int64(0); i*step < img.cluster; i++ {
		guest := t.index*img.perL2 + i*img.cluster
		if guest >= img.size {
			return nil
		}
		entry := binary.BigEndian.Uint64(table[i*step:])
		var err error
		switch {
		case entry&l2Compressed != 0:
			err = img.compressed(entry, guest, x)
		case img.hdr.ExtendedL2:
			err = img.subclusters(entry, binary.BigEndian.Uint64(table[i*step+8:]), guest, x, runs)
		case entry&l2AllZero != 0 || entry&l2Offset == 0:
			err = runs.add(guest, min(img.cluster, img.size-guest))
		default:
			err = img.data(int64(entry&l2Offset), guest, img.cluster, x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// data adds n bytes of uncompressed data.
func (img *qcow2Image) data(host, guest, n int64, x *extents) error {
	n = min(n, img.size-guest)
	if host%img.piece() != 0 || host > img.file-n {
		return fmt.Errorf("%w: the data for offset %d of the disk is said to be at %d of a file of %d bytes", ErrDecode, guest, host, img.file)
	}
	x.add(extent{host: host, guest: guest, n: int32(n)})
	return nil
}

// compressed adds one compressed cluster. Its descriptor holds the place, to the byte, and how many further sectors of
// 512 bytes its data touches.
func (img *qcow2Image) compressed(entry uint64, guest int64, x *extents) error {
	shift := 62 - (img.hdr.ClusterBits - 8)
	host := int64(entry & (1<<shift - 1))
	sectors := int64(entry&(l2Compressed-1))>>shift + 1
	n := min(sectors*512-host%512, img.file-host)
	if host == 0 || n <= 0 {
		return fmt.Errorf("%w: the compressed data for offset %d of the disk is said to be at %d of a file of %d bytes", ErrDecode, guest, host, img.file)
	}
	x.add(extent{host: host, guest: guest, n: int32(n), compressed: true})
	return nil
}

// subclusters sorts the 32 subclusters of an extended L2 entry: the low half of bitmap says which have data, the high
// half which read as zeros; those with neither would come from a backing file, which there is none of.
func (img *qcow2Image) subclusters(entry, bitmap uint64, guest int64, x *extents, runs *zeroRuns) error {
	sub := img.cluster / 32
	for i := int64(0); i < 32 && guest+i*sub < img.size; i++ {
		at := guest + i*sub
		var err error
		if bitmap>>i&1 == 1 {
			err = img.data(int64(entry&l2Offset)+i*sub, at, sub, x)
		} else {
			err = runs.add(at, min(sub, img.size-at))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// zeroRuns joins neighbouring zero stretches.
type zeroRuns struct {
	emit   func(off, n int64) error // nil: they were written in an earlier walk
	off, n int64
}

func (z *zeroRuns) add(off, n int64) error {
	if z.off+z.n == off {
		z.n += n
		return nil
	}
	if err := z.flush(); err != nil {
		return err
	}
	z.off, z.n = off, n
	return nil
}

func (z *zeroRuns) flush() error {
	if z.emit == nil || z.n == 0 {
		return nil
	}
	off, n := z.off, z.n
	z.off, z.n = off+n, 0
	return z.emit(off, n)
}
