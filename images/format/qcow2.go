package format

import (
	"encoding/binary"
	"fmt"
	"math"
)

// QCOW2Header is the part of a qcow2 header that a reader of the active disk needs, in the file's own terms
// (QEMU docs/interop/qcow2.txt, "Header"). Sizes and offsets are bytes unless said otherwise.
type QCOW2Header struct {
	Version     uint32 // 2 or 3
	ClusterBits uint32 // log2 of the cluster size, 9 to 21
	Size        uint64 // virtual disk size
	L1Size      uint32 // entries of the active L1 table
	L1Offset    uint64
	ExtendedL2  bool // L2 entries are 16 bytes, each cluster has 32 subclusters
}

// The incompatible feature bits of qcow2 version 3.
const (
	featDirty       = 1 << 0 // refcounts may be stale: harmless to a reader
	featCorrupt     = 1 << 1
	featDataFile    = 1 << 2
	featCompression = 1 << 3
	featExtendedL2  = 1 << 4
	featKnown       = featDirty | featCorrupt | featDataFile | featCompression | featExtendedL2
)

// maxL1Bytes is QEMU's own limit for an L1 table (QCOW_MAX_L1_SIZE).
const maxL1Bytes = 32 << 20

// qcow2 reads the header and lists everything that makes the image unsafe to open or impossible to read right.
func (s *scan) qcow2(info *Info) error {
	h := s.head
	refuse := func(format string, args ...any) { info.Unsafe = append(info.Unsafe, fmt.Sprintf(format, args...)) }
	if len(h) < 72 {
		refuse("its qcow2 header is cut off after %d bytes", len(h))
		return nil
	}
	be := binary.BigEndian
	hdr := &QCOW2Header{
		Version: be.Uint32(h[4:]), ClusterBits: be.Uint32(h[20:]), Size: be.Uint64(h[24:]),
		L1Size: be.Uint32(h[36:]), L1Offset: be.Uint64(h[40:]),
	}
	info.QCOW2, info.CompressionType = hdr, "zlib"
	info.VirtualSize = int64(min(hdr.Size, math.MaxInt64))
	if hdr.Version != 2 && hdr.Version != 3 {
		refuse("its qcow2 version is %d, known are 2 and 3", hdr.Version)
		return nil
	}
	if be.Uint64(h[8:]) != 0 || be.Uint32(h[16:]) != 0 {
		refuse("it names a backing file; flatten it with qemu-img convert")
	}
	if method := be.Uint32(h[32:]); method != 0 {
		refuse("it is encrypted (method %d); decrypt it with qemu-img convert", method)
	}
	headerLen := 72
	if hdr.Version == 3 {
		headerLen = s.qcow2v3(info, hdr, refuse)
	}
	if hdr.ClusterBits < 9 || hdr.ClusterBits > 21 {
		refuse("its cluster size is 2^%d bytes, allowed are 2^9 to 2^21", hdr.ClusterBits)
		return nil
	}
	info.ClusterSize = 1 << hdr.ClusterBits
	s.qcow2Sizes(info, hdr, refuse)
	return s.qcow2Extensions(int64(headerLen), refuse)
}

// qcow2v3 judges the fields that version 3 added and returns the header's length.
func (s *scan) qcow2v3(info *Info, hdr *QCOW2Header, refuse func(string, ...any)) int {
	h, be := s.head, binary.BigEndian
	if len(h) < 104 {
		refuse("its qcow2 header is cut off after %d bytes", len(h))
		return len(h)
	}
	headerLen := int(min(be.Uint32(h[100:]), math.MaxInt32))
	if headerLen < 104 || headerLen%8 != 0 || headerLen > 4096 {
		refuse("its qcow2 header claims a length of %d bytes", headerLen)
		headerLen = 104
	}
	if order := be.Uint32(h[96:]); order > 6 {
		refuse("its reference counts claim a width of 2^%d bits", order)
	}
	bits := be.Uint64(h[72:])
	hdr.ExtendedL2 = bits&featExtendedL2 != 0
	if bits&featCorrupt != 0 {
		refuse("it is marked corrupt; repair it with qemu-img check -r")
	}
	if bits&featDataFile != 0 {
		refuse("its data is in an external file; flatten it with qemu-img convert")
	}
	if bits&^uint64(featKnown) != 0 {
		refuse("it uses unknown incompatible features (bits %#x)", bits&^uint64(featKnown))
	}
	if be.Uint64(h[88:])&2 != 0 {
		refuse("it is marked as the header of an external raw data file")
	}
	var method byte
	if headerLen > 104 && len(h) > 104 {
		method = h[104]
	}
	switch {
	case bits&featCompression == 0 && method != 0, method > 1:
		refuse("its compression type is %d without being a known one", method)
	case method == 1:
		info.CompressionType = "zstd"
	}
	return headerLen
}

// qcow2Sizes refuses virtual sizes and L1 tables that cannot be.
func (s *scan) qcow2Sizes(info *Info, hdr *QCOW2Header, refuse func(string, ...any)) {
	cluster := uint64(info.ClusterSize)
	if hdr.Size == 0 || hdr.Size > math.MaxInt64-cluster {
		refuse("its virtual size is %d bytes", hdr.Size)
		return
	}
	entry := uint64(8)
	if hdr.ExtendedL2 {
		entry = 16
		if hdr.ClusterBits < 14 {
			refuse("it has extended L2 entries with clusters of only %d bytes", cluster)
		}
	}
	perL1 := cluster / entry * cluster
	need := (hdr.Size-1)/perL1 + 1
	l1Bytes := uint64(hdr.L1Size) * 8
	switch {
	case l1Bytes > maxL1Bytes:
		refuse("its L1 table claims %d bytes, the limit is %d", l1Bytes, maxL1Bytes)
	case uint64(hdr.L1Size) < need:
		refuse("its L1 table has %d entries, a disk of %d bytes needs %d", hdr.L1Size, hdr.Size, need)
	case hdr.L1Offset == 0 || hdr.L1Offset%cluster != 0:
		refuse("its L1 table is at offset %d, which is not a cluster of its own", hdr.L1Offset)
	case hdr.L1Offset > uint64(s.size) || l1Bytes > uint64(s.size)-hdr.L1Offset:
		refuse("its L1 table (offset %d, %d bytes) lies beyond the end of the file (%d bytes)", hdr.L1Offset, l1Bytes, s.size)
	}
	if n := binary.BigEndian.Uint32(s.head[60:]); n > 65536 {
		refuse("it claims %d internal snapshots", n)
	}
}

// qcow2Extensions walks the header extensions, which fill at most the first cluster, for names of other files.
func (s *scan) qcow2Extensions(at int64, refuse func(string, ...any)) error {
	for range 256 {
		ext, err := s.read(at, 8)
		if err != nil {
			return err
		}
		if len(ext) < 8 {
			return nil
		}
		kind, length := binary.BigEndian.Uint32(ext), binary.BigEndian.Uint32(ext[4:])
		switch kind {
		case 0:
			return nil
		case 0x44415441:
			refuse("it names an external data file; flatten it with qemu-img convert")
		case 0x0537be77:
			refuse("it has an encryption header; decrypt it with qemu-img convert")
		}
		if length > 1<<21 {
			refuse("a header extension claims %d bytes", length)
			return nil
		}
		at += 8 + (int64(length)+7)&^7
	}
	refuse("it has more than 256 header extensions")
	return nil
}
