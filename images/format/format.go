// Package format tells what a disk image is from its bytes, and judges whether it may be opened at all.
//
// Whatever opens an image by guessing (qemu-img without -f, a converter that follows backing files) can be made to read
// files of its host: CVE-2024-44082 and its relatives. So nothing in Ingot opens an image before Inspect has looked at
// its bytes and Check has compared them with what the owner declared. Inspect reads headers only, at most a few hundred
// kilobytes, allocates a bounded amount and never follows a name found in the image.
package format

import (
	"errors"
	"fmt"
	"io"
)

// The formats that Inspect tells apart. Raw is everything that is not recognised as a container; a partition table
// inside it is told by Info.Partition.
const (
	Raw       = "raw"
	QCOW2     = "qcow2"
	QCOW      = "qcow" // version 1 of qcow2's ancestor
	QED       = "qed"
	VMDK      = "vmdk"
	VHD       = "vhd"
	VHDX      = "vhdx"
	VDI       = "vdi"
	Parallels = "parallels"
	Bochs     = "bochs"
	DMG       = "dmg"
	ISO       = "iso"
	LUKS      = "luks"
	Gzip      = "gzip"
	XZ        = "xz"
	Zstd      = "zstd"
	Bzip2     = "bzip2"
	LZ4       = "lz4"
	Zip       = "zip"
	SevenZip  = "7z"
	Tar       = "tar" // an OVA is one
)

// Info is what Inspect found.
type Info struct {
	// Format is one of the constants above.
	Format string
	// VirtualSize is the size of the disk in the image, in bytes; for raw it is the file's size. Zero where it cannot be
	// known from headers (compressed streams, archives).
	VirtualSize int64
	// ClusterSize is qcow2's cluster size in bytes, zero for other formats.
	ClusterSize int64
	// CompressionType is how qcow2 compresses its compressed clusters, "zlib" or "zstd"; empty for other formats.
	CompressionType string
	// Partition is "gpt", "mbr" or empty: the partition table at the start of a raw (or hybrid ISO) image.
	Partition string
	// Hybrid tells that a raw image with a partition table is an ISO 9660 file system as well (isohybrid installers).
	Hybrid bool
	// Also lists further formats that the same bytes are valid for. A polyglot is never accepted.
	Also []string
	// Unsafe lists, as sentences, why the image must not be opened.
	Unsafe []string
	// QCOW2 holds the header of a qcow2 image, nil for other formats. Its fields are only to be trusted after Check.
	QCOW2 *QCOW2Header
}

// probe is how much of the start is read at once: up to and including the ISO 9660 volume descriptors' first sector.
const probe = 36 << 10

// Inspect looks at the headers of an image of size bytes. It fails only when reading does; what is wrong with the image
// itself is in Info.Unsafe, for Check to refuse.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	if size < 0 {
		return Info{}, fmt.Errorf("cannot inspect an image of %d bytes: the size is negative", size)
	}
	s := &scan{r: r, size: size}
	head, err := s.read(0, probe)
	if err != nil {
		return Info{}, err
	}
	s.head = head
	foot, err := s.read(max(size-512, 0), 512)
	if err != nil {
		return Info{}, err
	}
	s.foot = foot
	return s.identify()
}

// scan is one inspection: the reader, its size, and the two ends already read.
type scan struct {
	r    io.ReaderAt
	size int64
	head []byte
	foot []byte
}

// read returns up to n bytes at off, fewer at the end of the image.
func (s *scan) read(off int64, n int) ([]byte, error) {
	if off < 0 || off >= s.size {
		return nil, nil
	}
	buf := make([]byte, min(int64(n), s.size-off))
	got, err := s.r.ReadAt(buf, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot read %d bytes of the image at offset %d: %w", len(buf), off, err)
	}
	return buf[:got], nil
}

// identify runs every detector. The first container found names the image, any other makes it a polyglot.
func (s *scan) identify() (Info, error) {
	info := Info{Format: Raw, VirtualSize: s.size}
	found := s.containers()
	info.Partition = s.partition()
	isISO := s.iso()
	switch {
	case isISO && len(found) == 0 && info.Partition != "":
		info.Hybrid = true
	case isISO:
		found = append(found, ISO)
	}
	if len(found) == 0 {
		return info, nil
	}
	info.Format, info.Also = found[0], found[1:]
	return info, s.detail(&info)
}

// detail reads the format's own header into info.
func (s *scan) detail(info *Info) error {
	switch info.Format {
	case QCOW2:
		return s.qcow2(info)
	case VMDK:
		return s.vmdk(info)
	case VHDX:
		return s.vhdx(info)
	case VHD:
		s.vhd(info)
	case VDI:
		s.vdi(info)
	case QED:
		info.VirtualSize = 0
		info.Unsafe = append(info.Unsafe, "qed is abandoned and may name a backing file")
	case QCOW:
		info.VirtualSize = 0
		info.Unsafe = append(info.Unsafe, "qcow version 1 may name a backing file")
	case ISO:
	default:
		info.VirtualSize = 0
	}
	return nil
}
