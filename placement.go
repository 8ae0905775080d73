package ingot

// Fallback is whether an allocation may get a guest in place of metal.
type Fallback string

// The fallbacks. Never is what Ironic does.
const (
	FallbackNever Fallback = "never"
	FallbackTo    Fallback = "virtual"      // metal first
	FallbackOnly  Fallback = "only-virtual" // no metal
)

// PlacementRequest asks where a guest could be.
type PlacementRequest struct {
	Flavor Flavor
	// Traits are asked for beside the flavor's (see Flavor.InheritTraits).
	Traits []string
	// Candidates are the UUIDs of the hosts that will do; none is all.
	Candidates []string
	// Group keeps the guest off hosts that have another guest of the group.
	Group string
	// Project confines the hosts to those that it owns or leases, or nobody does; "" is all.
	Project string
	// Excluded are hosts where it was tried already.
	Excluded []string
	// Pool is the storage pool of the guest's disk, "" the host's first; DiskFormat is what its disk is, "" whatever the pool has.
	Pool       string
	DiskFormat string
	// SharedPool is a storage pool whose files the guest needs: the host has to share it, and find the guest's disk in it. ""
	// is none.
	SharedPool string
	// VirtType is what runs the guest already, kvm or qemu: where it goes as it is, it needs the same there. "" is any.
	VirtType string
	// Source is the pool that the disk of a guest which moves is in: hosts that say otherwise of one of its name, whether it is
	// shared, are left out. A copy would begin with doing away with what it is a copy of. Nil is a new disk.
	Source *StoragePool
	// SecureBoot and TPM are needed.
	SecureBoot bool
	TPM        bool
	// PhysicalNetworks are what the guest's ports need; Image is the checksum of what it will boot, "" where not known.
	PhysicalNetworks []string
	Image            string
}

// ComputeHost is a compute host as placement sees it.
type ComputeHost struct {
	Node       Node
	Hypervisor Hypervisor
	Capacities []Capacity
	Groups     []string // that have a guest here
}

// Placement is where a guest could be, and why not elsewhere.
type Placement struct {
	Candidates []PlacementCandidate // best first
	Rejected   []Rejection
}

// PlacementCandidate is a host that has room; a greater weight is better.
type PlacementCandidate struct {
	Host     string
	Name     string
	Weight   float64
	VirtType string // what would run the guest: kvm, or qemu, which emulates; "" is not known
}

// Rejection is why a host is no candidate: the reason is short, so that equal ones can be counted.
type Rejection struct {
	Host   string
	Name   string
	Reason string // down, maintenance, no trait CUSTOM_SSD, lacks MEMORY_MB
	Detail string // asked 4096, free 1024; may be ""
}
