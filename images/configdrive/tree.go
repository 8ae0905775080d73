package configdrive

import (
	"slices"
	"strings"
)

// node is a file or a folder of the volume. Each name must be at most 27 bytes of ASCII: then every directory record,
// with its Rock Ridge fields, stays well below its limit of 255 bytes.
type node struct {
	name     string
	data     []byte
	isDir    bool
	parent   *node
	children []*node // sorted by name

	block   [2]uint32 // of the folder in the primary and the Joliet tree; of a file, both the same
	ordinal [2]uint16 // of the folder in the path tables, from 1
}

func newDir(name string) *node {
	d := &node{name: name, isDir: true}
	d.parent = d
	return d
}

// dir returns the folder name inside d, made when missing.
func (d *node) dir(name string) *node {
	for _, c := range d.children {
		if c.name == name {
			return c
		}
	}
	c := newDir(name)
	d.insert(c)
	return c
}

// add puts a copy of file f into d; the copies share their data, and with it their place on the volume.
func (d *node) add(f *node) { d.insert(&node{name: f.name, data: f.data}) }

func (d *node) insert(c *node) {
	c.parent = d
	d.children = append(d.children, c)
	slices.SortFunc(d.children, func(a, b *node) int { return strings.Compare(a.name, b.name) })
}

// folders lists d and the folders under it in the order of a path table: by depth, then by parent, then by name
// (ECMA-119 6.9.1).
func (d *node) folders() []*node {
	list := []*node{d}
	for i := 0; i < len(list); i++ {
		for _, c := range list[i].children {
			if c.isDir {
				list = append(list, c)
			}
		}
	}
	return list
}

// links is the POSIX link count: a folder has its own dot, its name, and its subfolders' dot-dots.
func (d *node) links() uint32 {
	if !d.isDir {
		return 1
	}
	n := uint32(2)
	for _, c := range d.children {
		if c.isDir {
			n++
		}
	}
	return n
}
