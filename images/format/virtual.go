package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// vhd judges a VHD's footer, which stands at the end and, unless the disk is fixed, at the start as well (Microsoft
// "Virtual Hard Disk Image Format Specification" 1.0).
func (s *scan) vhd(info *Info) {
	footer := s.head
	if !bytes.HasPrefix(footer, []byte("conectix")) {
		footer = s.foot
	}
	if len(footer) < 64 {
		info.VirtualSize = 0
		info.Unsafe = append(info.Unsafe, "its VHD footer is cut off")
		return
	}
	info.VirtualSize = clampSize(binary.BigEndian.Uint64(footer[48:]))
	switch kind := binary.BigEndian.Uint32(footer[60:]); kind {
	case 2, 3:
	case 4:
		info.Unsafe = append(info.Unsafe, "it is a differencing VHD that names a parent file; flatten it with qemu-img convert")
	default:
		info.Unsafe = append(info.Unsafe, fmt.Sprintf("its VHD disk type is %d, known are 2 (fixed) and 3 (dynamic)", kind))
	}
}

// vdi judges a VirtualBox image's header; types 1 and 2 stand alone, 3 (undo) and 4 (diff) need a parent.
func (s *scan) vdi(info *Info) {
	if len(s.head) < 512 {
		info.VirtualSize = 0
		info.Unsafe = append(info.Unsafe, "its VDI header is cut off")
		return
	}
	info.VirtualSize = clampSize(binary.LittleEndian.Uint64(s.head[0x170:]))
	if kind := binary.LittleEndian.Uint32(s.head[0x4c:]); kind != 1 && kind != 2 {
		info.Unsafe = append(info.Unsafe, fmt.Sprintf("its VDI type is %d, which needs a parent file", kind))
	}
}

// The GUIDs of MS-VHDX 2.2.3.1 and 2.2.4, in their byte order on disk.
const (
	vhdxMetadataRegion = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"
	vhdxFileParameters = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"
	vhdxDiskSize       = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"
	vhdxParentLocator  = "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"
)

// vhdx finds the metadata region (MS-VHDX 2.2.3), and in it the size and whether there is a parent.
func (s *scan) vhdx(info *Info) error {
	info.VirtualSize = 0
	refuse := func(format string, args ...any) { info.Unsafe = append(info.Unsafe, fmt.Sprintf(format, args...)) }
	le := binary.LittleEndian
	table, err := s.read(192<<10, 64<<10)
	if err != nil {
		return err
	}
	if len(table) < 16 || string(table[:4]) != "regi" {
		refuse("its VHDX region table is missing")
		return nil
	}
	at := int64(-1)
	for i := range int(min(le.Uint32(table[8:]), 2047)) {
		if off := 16 + 32*i; off+32 <= len(table) && string(table[off:off+16]) == vhdxMetadataRegion {
			at = clampSize(le.Uint64(table[off+16:]))
		}
	}
	meta, err := s.read(at, 64<<10)
	if err != nil {
		return err
	}
	if len(meta) < 32 || string(meta[:8]) != "metadata" {
		refuse("its VHDX metadata is missing")
		return nil
	}
	for i := range int(min(le.Uint16(meta[10:]), 2047)) {
		off := 32 + 32*i
		if off+32 > len(meta) {
			break
		}
		if err := s.vhdxItem(info, string(meta[off:off+16]), at+int64(le.Uint32(meta[off+16:])), refuse); err != nil {
			return err
		}
	}
	if info.VirtualSize == 0 {
		refuse("its VHDX metadata does not tell a size")
	}
	return nil
}

// vhdxItem reads the metadata item that guid names.
func (s *scan) vhdxItem(info *Info, guid string, at int64, refuse func(string, ...any)) error {
	item, err := s.read(at, 8)
	if err != nil {
		return err
	}
	switch {
	case guid == vhdxParentLocator:
		refuse("it names a parent file; flatten it with qemu-img convert")
	case guid == vhdxDiskSize && len(item) == 8:
		info.VirtualSize = clampSize(binary.LittleEndian.Uint64(item))
	case guid == vhdxFileParameters && len(item) == 8 && binary.LittleEndian.Uint32(item[4:])&2 != 0:
		refuse("it is a differencing VHDX; flatten it with qemu-img convert")
	}
	return nil
}

// clampSize brings a size read from an image into the range of a file's size.
func clampSize(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
