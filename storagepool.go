package ingot

import (
	"maps"
	"slices"
	"strings"
)

// DiskFormat is what guests' disks in the pool are: qcow2 where it has that or says nothing, or else its first format.
func (p *StoragePool) DiskFormat() string {
	if len(p.Formats) == 0 || slices.Contains(p.Formats, "qcow2") {
		return "qcow2"
	}
	return p.Formats[0]
}

// Pool finds the pool of a guest's disk: the named one, or for "" the host's first. nil: the host has no such pool.
func (h *Hypervisor) Pool(name string) *StoragePool {
	for i := range h.Pools {
		if name == "" || h.Pools[i].Name == name {
			return &h.Pools[i]
		}
	}
	return nil
}

// Strays are the guests whose disks would be looked for elsewhere, or as another format, if the host had these pools.
func (h *Hypervisor) Strays(guests []Node, pools []StoragePool) (strays []Node) {
	after := Hypervisor{Pools: pools}
	for i := range guests {
		n := &guests[i]
		was, is := h.Pool(n.DiskPool()), after.Pool(n.DiskPool())
		if n.ProvisionState != Enroll && was != nil && (is == nil || is.Name != was.Name || is.DiskFormat() != was.DiskFormat()) {
			strays = append(strays, *n)
		}
	}
	return strays
}

// poolNames are the host's pools, for sentences.
func (h *Hypervisor) poolNames() string {
	var names []string
	for i := range h.Pools {
		names = append(names, h.Pools[i].Name)
	}
	return strings.Join(append(names, "no other"), ", ")
}

// Counts says whether disks in a pool ("" is the first) are of the host's DISK_GB. Those in the first are: that is where all
// go that say nothing else. Pools may be on one file system, so that their sum would give away what is not there; another
// one's own free space is looked at when a disk is made in it.
func (h *Hypervisor) Counts(pool string) bool {
	return pool == "" || len(h.Pools) == 0 || h.Pools[0].Name == pool
}

// Claim is what a guest of so much takes of the host when its disk is in the pool.
func (h *Hypervisor) Claim(pool string, amounts Amounts) Amounts {
	if h.Counts(pool) {
		return amounts
	}
	amounts = maps.Clone(amounts)
	amounts[DiskGB] = 0
	return amounts
}

// DiskPool is the pool that a guest names for its disk; "" is its host's first.
func (n *Node) DiskPool() string { return Text(n.DriverInfo, "pool") }
