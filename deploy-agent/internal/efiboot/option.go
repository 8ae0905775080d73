// Package efiboot makes a UEFI machine start what was written to its disk: it finds the boot loader on the EFI system
// partition, gives it an entry in the firmware's boot menu and puts that first.
package efiboot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Active is the attribute of a load option that the boot manager tries by itself (LOAD_OPTION_ACTIVE).
const Active = 1

// Option is an EFI_LOAD_OPTION (UEFI 2.10, section 3.1.3): the content of a Boot#### variable.
type Option struct {
	Attributes  uint32
	Description string
	Path        []Node // device path, without its end node
	Data        []byte // for the loaded image
}

// Node is an element of a device path (section 10.2).
type Node struct {
	Type, SubType byte
	Data          []byte
}

// The nodes that the agent makes (sections 10.3.5.1 and 10.3.5.4).
const (
	typeMedia   = 4
	subHard     = 1
	subFilePath = 4
	typeEnd     = 0x7f
)

// ErrOption says that bytes are no load option.
var ErrOption = errors.New("not a UEFI load option")

// Encode gives the variable's content. It fails on what does not fit its length fields.
func (o Option) Encode() ([]byte, error) {
	var path []byte
	for _, n := range append(slices.Clone(o.Path), Node{Type: typeEnd, SubType: 0xff}) {
		if len(n.Data) > 0xffff-4 {
			return nil, fmt.Errorf("cannot encode a load option: a device path node has %d bytes", len(n.Data))
		}
		path = append(path, n.Type, n.SubType)
		path = binary.LittleEndian.AppendUint16(path, uint16(4+len(n.Data)))
		path = append(path, n.Data...)
	}
	if len(path) > 0xffff {
		return nil, fmt.Errorf("cannot encode a load option: its device path has %d bytes", len(path))
	}
	if strings.ContainsRune(o.Description, 0) {
		return nil, errors.New("cannot encode a load option: its description holds a zero character")
	}
	out := binary.LittleEndian.AppendUint32(nil, o.Attributes)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(path)))
	out = append(out, text(o.Description)...)
	out = append(out, path...)
	return append(out, o.Data...), nil
}

// Decode is the reverse of Encode. It takes the first device path of the list that an option may hold.
func Decode(b []byte) (Option, error) {
	if len(b) < 8 {
		return Option{}, fmt.Errorf("%w: it has %d bytes", ErrOption, len(b))
	}
	o := Option{Attributes: binary.LittleEndian.Uint32(b)}
	length := int(binary.LittleEndian.Uint16(b[4:]))
	rest := b[6:]
	var description []uint16
	for {
		if len(rest) < 2 {
			return Option{}, fmt.Errorf("%w: its description does not end", ErrOption)
		}
		u := binary.LittleEndian.Uint16(rest)
		rest = rest[2:]
		if u == 0 {
			break
		}
		description = append(description, u)
	}
	o.Description = string(utf16.Decode(description))
	if length > len(rest) {
		return Option{}, fmt.Errorf("%w: its device path has %d bytes of %d", ErrOption, len(rest), length)
	}
	nodes, err := nodes(rest[:length])
	if err != nil {
		return Option{}, err
	}
	o.Path = nodes
	if length < len(rest) {
		o.Data = slices.Clone(rest[length:])
	}
	return o, nil
}

// nodes splits a device path up to its first end node.
func nodes(b []byte) ([]Node, error) {
	var out []Node
	for len(b) >= 4 {
		n := int(binary.LittleEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return nil, fmt.Errorf("%w: a device path node of %d bytes in %d", ErrOption, n, len(b))
		}
		if b[0] == typeEnd {
			return out, nil
		}
		out = append(out, Node{Type: b[0], SubType: b[1], Data: slices.Clone(b[4:n])})
		b = b[n:]
	}
	return nil, fmt.Errorf("%w: its device path does not end", ErrOption)
}

// text is s in UTF-16, little endian, with the zero at its end.
func text(s string) []byte {
	var out []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// HardDrive is a partition in a device path.
type HardDrive struct {
	Number      uint32
	Start, Size uint64   // in sectors
	Signature   [16]byte // the partition's GUID as stored in a GPT; the disk's signature in the first four for an MBR
	GPT         bool
}

func (h HardDrive) node() Node {
	d := binary.LittleEndian.AppendUint32(nil, h.Number)
	d = binary.LittleEndian.AppendUint64(d, h.Start)
	d = binary.LittleEndian.AppendUint64(d, h.Size)
	d = append(d, h.Signature[:]...)
	if h.GPT {
		return Node{typeMedia, subHard, append(d, 2, 2)}
	}
	return Node{typeMedia, subHard, append(d, 1, 1)}
}

// file is a path on the partition before it, with backslashes.
func file(path string) Node { return Node{typeMedia, subFilePath, text(path)} }

// target tells which file on which partition an option starts; ok is false for other options: network, shell, device.
func (o Option) target() (signature string, path string, ok bool) {
	for _, n := range o.Path {
		switch {
		case n.Type == typeMedia && n.SubType == subHard && len(n.Data) == 38:
			signature, ok = string(n.Data[20:36]), true
		case n.Type == typeMedia && n.SubType == subFilePath:
			path += strings.ToLower(untext(n.Data))
		}
	}
	return signature, path, ok
}

func untext(b []byte) string {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
