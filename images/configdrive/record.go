package configdrive

import "encoding/binary"

// records is the content of a folder, one sector: itself, its parent, its children.
func (d *node) records(tree int) []byte {
	var out []byte
	add := func(rec []byte) { out = append(out, rec...) }
	self, up := d.posix(), d.parent.posix()
	if d.parent == d {
		// The root's own record announces System Use fields (SUSP SP) and Rock Ridge (ER, without its optional texts).
		announce := append([]byte("SP\x07\x01\xbe\xef\x00"), self...)
		self = append(announce, "ER\x12\x01\x0a\x00\x00\x01RRIP_1991A"...)
	}
	if tree == joliet {
		self, up = nil, nil
	}
	add(d.record(tree, "\x00", self))
	add(d.parent.record(tree, "\x01", up))
	for _, c := range d.children {
		var use []byte
		if tree == primary {
			use = append(c.posix(), 'N', 'M', byte(5+len(c.name)), 1, 0)
			use = append(use, c.name...)
		}
		add(c.record(tree, c.identifier(tree), use))
	}
	return append(out, make([]byte, sector-len(out))...)
}

// record is one directory record (ECMA-119 9.1) with the System Use area given. Its date is 1 January 1980, always.
func (d *node) record(tree int, id string, use []byte) []byte {
	out := make([]byte, 33, 255)
	size := uint32(len(d.data))
	if d.isDir {
		out[25] = 2
		size = sector // a folder of a config drive has at most five short names
	}
	both32(out[2:], d.block[tree])
	both32(out[10:], size)
	copy(out[18:], []byte{80, 1, 1, 0, 0, 0, 0})
	both16(out[28:], 1)
	out[32] = byte(len(id))
	out = append(out, id...)
	if len(id)%2 == 0 {
		out = append(out, 0)
	}
	out = append(out, use...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	out[0] = byte(len(out))
	return out
}

// posix is the Rock Ridge PX field: mode, links, owner.
func (d *node) posix() []byte {
	mode := uint32(0o100444)
	if d.isDir {
		mode = 0o040555
	}
	out := make([]byte, 36)
	copy(out, "PX\x24\x01")
	both32(out[4:], mode)
	both32(out[12:], d.links())
	return out
}

// both32 and both16 write a number in both byte orders, as most of ISO 9660's numbers are (ECMA-119 7.2.3, 7.3.3).
func both32(out []byte, n uint32) {
	binary.LittleEndian.PutUint32(out, n)
	binary.BigEndian.PutUint32(out[4:], n)
}

func both16(out []byte, n uint16) {
	binary.LittleEndian.PutUint16(out, n)
	binary.BigEndian.PutUint16(out[2:], n)
}
