package inventory

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// structure is one SMBIOS structure (DSP0134 section 6.1): formatted is the part with fixed offsets, its 4-byte header
// included.
type structure struct {
	kind      byte
	formatted []byte
	strings   []string
}

// maxStructures bounds what a broken table can cost; real ones have one or two hundred.
const maxStructures = 4096

// Tables is a parsed SMBIOS table.
type Tables []structure

// ParseSMBIOS splits the structure table (/sys/firmware/dmi/tables/DMI). A table that breaks off gives what is whole.
func ParseSMBIOS(b []byte) Tables {
	var out Tables
	for len(b) >= 4 && len(out) < maxStructures {
		n := int(b[1])
		if n < 4 || n > len(b) {
			break
		}
		s := structure{kind: b[0], formatted: b[:n]}
		texts, rest, ok := stringSet(b[n:])
		if !ok {
			break
		}
		s.strings = texts
		out = append(out, s)
		if s.kind == 127 { // end of table
			break
		}
		b = rest
	}
	return out
}

// stringSet reads the texts after a structure: each ends in a zero byte, the set in one more; an empty set is two.
func stringSet(b []byte) (texts []string, rest []byte, ok bool) {
	for {
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			return nil, nil, false
		}
		if end == 0 {
			if len(texts) == 0 { // the empty set's second zero
				if len(b) < 2 {
					return nil, nil, false
				}
				return nil, b[2:], true
			}
			return texts, b[1:], true
		}
		texts = append(texts, trim(string(b[:end])))
		b = b[end+1:]
		if len(b) == 0 {
			return texts, nil, true
		}
	}
}

// text is the string that the byte at offset numbers (from 1), "" when there is none.
func (s structure) text(offset int) string {
	if offset >= len(s.formatted) {
		return ""
	}
	n := int(s.formatted[offset])
	if n == 0 || n > len(s.strings) {
		return ""
	}
	return strings.ToValidUTF8(s.strings[n-1], "?")
}

// of gives the structures of one kind.
func (t Tables) of(kind byte) []structure {
	var out []structure
	for _, s := range t {
		if s.kind == kind {
			out = append(out, s)
		}
	}
	return out
}

// PhysicalMB is the memory fitted, in MiB: the sizes of all memory devices (type 17) together, 0 when not told.
func (t Tables) PhysicalMB() int {
	total := 0
	for _, d := range t.of(17) {
		total += deviceMB(d.formatted)
	}
	return total
}

// deviceMB is a memory device's size (DSP0134 section 7.18): a word of MiB, or of KiB with the top bit set; 0x7fff
// leads to the extended size.
func deviceMB(b []byte) int {
	if len(b) < 0x0e {
		return 0
	}
	size := binary.LittleEndian.Uint16(b[0x0c:])
	switch {
	case size == 0 || size == 0xffff: // empty socket, unknown
		return 0
	case size == 0x7fff:
		if len(b) < 0x20 {
			return 0
		}
		return int(binary.LittleEndian.Uint32(b[0x1c:]) & 0x7fffffff)
	case size&0x8000 != 0:
		return int(size&0x7fff) / 1024
	}
	return int(size)
}

// Sockets counts the processor sockets (type 4) that are populated: bit 6 of the status.
func (t Tables) Sockets() int {
	n := 0
	for _, p := range t.of(4) {
		if len(p.formatted) > 0x18 && p.formatted[0x18]&0x40 != 0 {
			n++
		}
	}
	return n
}

// Processor is the first processor's version text (type 4), for architectures whose kernel does not name the model.
func (t Tables) Processor() string {
	for _, p := range t.of(4) {
		if text := p.text(0x10); text != "" {
			return text
		}
	}
	return ""
}

func trim(s string) string { return strings.TrimSpace(s) }
