package configdrive

import (
	"encoding/binary"
	"unicode/utf16"
)

// The volume is written by hand because it is small and fixed: ECMA-119 (ISO 9660) with Rock Ridge (IEEE P1282) for
// Linux and a Joliet tree for Windows, no times, no temporary files, nothing that differs between two runs.

// sector is the logical sector and block size of the volume.
const sector = 2048

// The two trees of directories over the same files.
const (
	primary = 0
	joliet  = 1
)

// layout is the volume under construction.
type layout struct {
	root    *node
	folders []*node
	tables  [2][2]uint32 // first block of each tree's path table, little endian and big endian
	size    uint32       // of the volume in blocks
}

// image lays the tree out and returns the volume.
func (d *node) image(label string) []byte {
	l := &layout{root: d, folders: d.folders()}
	files := l.place()
	out := make([]byte, int64(l.size)*sector)
	l.descriptor(out[16*sector:], primary, label)
	l.descriptor(out[17*sector:], joliet, label)
	copy(out[18*sector:], "\xffCD001\x01")
	for tree := range 2 {
		copy(out[l.tables[tree][0]*sector:], l.pathTable(tree, binary.LittleEndian))
		copy(out[l.tables[tree][1]*sector:], l.pathTable(tree, binary.BigEndian))
		for _, f := range l.folders {
			copy(out[f.block[tree]*sector:], f.records(tree))
		}
	}
	for _, f := range files {
		copy(out[f.block[0]*sector:], f.data)
	}
	return out
}

// place gives every structure its blocks, and returns the files of which each content is stored once.
func (l *layout) place() []*node {
	next := uint32(19)
	take := func(n int) uint32 {
		at := next
		next += uint32((n + sector - 1) / sector)
		return at
	}
	for tree := range 2 {
		for i, f := range l.folders {
			f.ordinal[tree] = uint16(i + 1)
		}
		size := len(l.pathTable(tree, binary.LittleEndian))
		l.tables[tree] = [2]uint32{take(size), take(size)}
		for _, f := range l.folders {
			f.block[tree] = take(len(f.records(tree)))
		}
	}
	var files []*node
	for _, folder := range l.folders {
		for _, c := range folder.children {
			if c.isDir {
				continue
			}
			if i := sameData(files, c); i >= 0 {
				c.block = files[i].block
				continue
			}
			at := take(len(c.data))
			c.block = [2]uint32{at, at}
			files = append(files, c)
		}
	}
	l.size = next
	return files
}

// sameData finds a file that shares its content with c.
func sameData(files []*node, c *node) int {
	for i, f := range files {
		if len(f.data) == len(c.data) && len(c.data) > 0 && &f.data[0] == &c.data[0] {
			return i
		}
	}
	return -1
}

// descriptor writes the primary or supplementary volume descriptor (ECMA-119 8.4, 8.5; Joliet level 3).
func (l *layout) descriptor(out []byte, tree int, label string) {
	text := func(at, n int, s string) {
		if tree == primary {
			copy(out[at:at+n], s)
			for i := at + len(s); i < at+n; i++ {
				out[i] = ' '
			}
			return
		}
		for i := 0; i+1 < n; i += 2 {
			c := byte(' ')
			if i/2 < len(s) {
				c = s[i/2]
			}
			out[at+i], out[at+i+1] = 0, c
		}
	}
	copy(out, "\x01CD001\x01")
	if tree == joliet {
		out[0] = 2
		copy(out[88:], "%/E")
	}
	text(8, 32, "LINUX")
	text(40, 32, label)
	both32(out[80:], l.size)
	both16(out[120:], 1)
	both16(out[124:], 1)
	both16(out[128:], sector)
	both32(out[132:], uint32(len(l.pathTable(tree, binary.LittleEndian))))
	binary.LittleEndian.PutUint32(out[140:], l.tables[tree][0])
	binary.BigEndian.PutUint32(out[148:], l.tables[tree][1])
	copy(out[156:190], l.root.record(tree, "\x00", nil))
	for _, field := range [][2]int{{190, 128}, {318, 128}, {446, 128}, {574, 128}, {702, 37}, {739, 37}, {776, 37}} {
		text(field[0], field[1], "")
	}
	text(318, 128, "INGOT")
	for at := 813; at < 881; at += 17 { // four dates, not given
		copy(out[at:], "0000000000000000")
	}
	out[881] = 1
}

// pathTable is the table of all folders (ECMA-119 9.4).
func (l *layout) pathTable(tree int, order binary.AppendByteOrder) []byte {
	var out []byte
	for _, f := range l.folders {
		id := f.identifier(tree)
		out = append(out, byte(len(id)), 0)
		out = order.AppendUint32(out, f.block[tree])
		out = order.AppendUint16(out, f.parent.ordinal[tree])
		out = append(out, id...)
		if len(id)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out
}

// identifier is the name on the volume. The primary tree keeps lower case and length as genisoimage -l
// -allow-lowercase does for Ironic, since readers without Rock Ridge are given those names.
func (d *node) identifier(tree int) string {
	if d.name == "" {
		return "\x00"
	}
	name := d.name
	if !d.isDir {
		name += ";1"
	}
	if tree == primary {
		return name
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(name)) {
		out = binary.BigEndian.AppendUint16(out, unit)
	}
	return string(out)
}
