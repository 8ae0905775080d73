// Package fat reads FAT file systems (12, 16 and 32 bits, with long names), of which an EFI system partition is one. The
// ramdisk's kernel need not have vfat for it, and nothing on a disk that somebody else filled can make it read for ever
// or ask for more memory than MaxFile: every chain is bounded by the size of the volume.
//
// The format is that of Microsoft's "FAT: General Overview of On-Disk Format", which the UEFI specification refers to
// (2.10, section 13.3).
package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// Limits on what is read.
const (
	MaxFile    = 1 << 20   // bytes of a file that are read at most
	maxDir     = 256 << 10 // bytes of a directory
	maxCluster = 256 << 10
)

// ErrNotFAT says that there is no FAT file system, or one that is damaged.
var ErrNotFAT = errors.New("not a FAT file system")

// FS is an opened file system.
type FS struct {
	r        io.ReaderAt
	bits     int
	cluster  int64 // bytes
	fat      int64 // offset of the first FAT
	root     int64 // offset of the root directory, 0 where it is a chain (FAT32)
	rootLen  int64
	rootAt   uint32 // first cluster of the root directory on FAT32
	data     int64  // offset of cluster 2
	clusters uint32 // number of clusters
}

// Entry is a file or directory.
type Entry struct {
	Name  string // the long name where there is one
	Dir   bool
	Size  int64
	first uint32
}

// Open reads the boot sector at the beginning of r.
func Open(r io.ReaderAt) (*FS, error) {
	b := make([]byte, 512)
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("cannot read the boot sector: %w", err)
	}
	le := binary.LittleEndian
	sector := int64(le.Uint16(b[11:]))
	perCluster, reserved, fats := int64(b[13]), int64(le.Uint16(b[14:])), int64(b[16])
	rootEntries := int64(le.Uint16(b[17:]))
	total, fatSectors := int64(le.Uint16(b[19:])), int64(le.Uint16(b[22:]))
	if total == 0 {
		total = int64(le.Uint32(b[32:]))
	}
	if fatSectors == 0 {
		fatSectors = int64(le.Uint32(b[36:]))
	}
	power := func(n int64) bool { return n > 0 && n&(n-1) == 0 }
	if b[510] != 0x55 || b[511] != 0xaa || !power(sector) || sector < 512 || sector > 4096 || !power(perCluster) ||
		sector*perCluster > maxCluster || reserved == 0 || fats == 0 || fats > 4 || fatSectors == 0 {
		return nil, fmt.Errorf("%w: the boot sector makes no sense", ErrNotFAT)
	}
	f := &FS{r: r, cluster: sector * perCluster, fat: reserved * sector}
	rootSectors := (rootEntries*32 + sector - 1) / sector
	first := reserved + fats*fatSectors + rootSectors
	if total <= first {
		return nil, fmt.Errorf("%w: it has %d sectors, and its data begins at sector %d", ErrNotFAT, total, first)
	}
	count := (total - first) / perCluster
	f.clusters, f.data = uint32(count), first*sector
	switch { // the number of clusters alone decides
	case count < 4085:
		f.bits = 12
	case count < 65525:
		f.bits = 16
	default:
		f.bits = 32
		f.rootAt = le.Uint32(b[44:])
		return f, nil
	}
	f.root, f.rootLen = (reserved+fats*fatSectors)*sector, rootEntries*32
	return f, nil
}

// next is the cluster after c in its chain; ok is false at its end, or where it leads nowhere.
func (f *FS) next(c uint32) (uint32, bool, error) {
	var b [4]byte
	at, n := f.fat, 4
	switch f.bits {
	case 12:
		at, n = at+int64(c)+int64(c)/2, 2
	case 16:
		at, n = at+2*int64(c), 2
	default:
		at += 4 * int64(c)
	}
	if _, err := f.r.ReadAt(b[:n], at); err != nil {
		return 0, false, fmt.Errorf("cannot read the FAT: %w", err)
	}
	v := binary.LittleEndian.Uint32(b[:])
	switch {
	case f.bits == 12 && c&1 == 1:
		v >>= 4
	case f.bits == 12:
		v &= 0xfff
	case f.bits == 32:
		v &= 0x0fffffff
	}
	return v, f.valid(v), nil
}

func (f *FS) valid(c uint32) bool { return c >= 2 && c < f.clusters+2 }

// chain reads at most limit bytes of the chain that begins at cluster c.
func (f *FS) chain(c uint32, limit int64) ([]byte, error) {
	var out []byte
	buf := make([]byte, f.cluster)
	for ok := f.valid(c); ok && int64(len(out)) < limit; {
		if _, err := f.r.ReadAt(buf, f.data+int64(c-2)*f.cluster); err != nil {
			return nil, fmt.Errorf("cannot read cluster %d: %w", c, err)
		}
		out = append(out, buf...)
		var err error
		if c, ok, err = f.next(c); err != nil {
			return nil, err
		}
	}
	return out[:min(int64(len(out)), limit)], nil
}

// Root lists the root directory.
func (f *FS) Root() ([]Entry, error) {
	if f.root == 0 {
		b, err := f.chain(f.rootAt, maxDir)
		return entries(b, f.bits), err
	}
	b := make([]byte, f.rootLen)
	if _, err := f.r.ReadAt(b, f.root); err != nil {
		return nil, fmt.Errorf("cannot read the root directory: %w", err)
	}
	return entries(b, f.bits), nil
}

// List lists the directory d.
func (f *FS) List(d Entry) ([]Entry, error) {
	if !d.Dir {
		return nil, fmt.Errorf("cannot list %s: it is a file", d.Name)
	}
	b, err := f.chain(d.first, maxDir)
	return entries(b, f.bits), err
}

// Read gives the content of the file e, at most MaxFile bytes of it.
func (f *FS) Read(e Entry) ([]byte, error) { return f.chain(e.first, min(e.Size, MaxFile)) }

// entries parses a directory's 32-byte records; long names stand before the record that they belong to, last part first.
func entries(b []byte, bits int) []Entry {
	var out []Entry
	var long []uint16
	for ; len(b) >= 32 && b[0] != 0; b = b[32:] {
		attributes := b[11]
		switch {
		case b[0] == 0xe5: // deleted
			long = nil
		case attributes&0x3f == 0x0f:
			long = longPart(b[:32], long)
		case attributes&0x08 != 0: // the volume's label
			long = nil
		default:
			e := Entry{Name: name(b[:32], long), Dir: attributes&0x10 != 0, Size: int64(binary.LittleEndian.Uint32(b[28:]))}
			e.first = uint32(binary.LittleEndian.Uint16(b[26:]))
			if bits == 32 {
				e.first |= uint32(binary.LittleEndian.Uint16(b[20:])) << 16
			}
			if e.Name != "." && e.Name != ".." {
				out = append(out, e)
			}
			long = nil
		}
	}
	return out
}

// longPart puts the 13 characters of a long name's record before those that came already.
func longPart(record []byte, after []uint16) []uint16 {
	if record[0]&0x40 != 0 { // the last part, which comes first
		after = nil
	}
	if len(after) > 255 {
		return nil
	}
	var part []uint16
	for _, span := range [][2]int{{1, 11}, {14, 26}, {28, 32}} {
		for i := span[0]; i < span[1]; i += 2 {
			u := binary.LittleEndian.Uint16(record[i:])
			if u == 0 || u == 0xffff {
				return append(part, after...)
			}
			part = append(part, u)
		}
	}
	return append(part, after...)
}

func name(record []byte, long []uint16) string {
	if len(long) > 0 {
		return string(utf16.Decode(long))
	}
	const lowerBase, lowerExtension = 0x08, 0x10 // Windows NT's flags for a short name in small letters
	base, extension := strings.TrimRight(string(record[:8]), " "), strings.TrimRight(string(record[8:11]), " ")
	if record[12]&lowerBase != 0 {
		base = strings.ToLower(base)
	}
	if record[12]&lowerExtension != 0 {
		extension = strings.ToLower(extension)
	}
	if extension == "" {
		return base
	}
	return base + "." + extension
}
