package ingot

import (
	"slices"
	"time"
)

// GuestDriver is the hardware type of guests: virtual machines that are nodes, with the compute host as their parent and
// their UUID as the domain's.
const GuestDriver = "libvirt"

// IsGuest says whether the node is a virtual machine on one of our compute hosts.
func (n *Node) IsGuest() bool { return n.Driver == GuestDriver && n.ParentNode != "" }

// IsDynamic says whether the node is a guest that was made for an allocation and vanishes with it.
func (n *Node) IsDynamic() bool {
	dynamic, _ := n.DriverInfo["dynamic"].(bool)
	return dynamic && n.IsGuest()
}

// Resource is something of which a compute host has so much, in OpenStack's words (os-resource-classes).
type Resource string

// The resources of guests.
const (
	DiskGB   Resource = "DISK_GB"
	MemoryMB Resource = "MEMORY_MB"
	VCPU     Resource = "VCPU"
)

// Resources are all resources, in the order in which they are claimed: one order for everybody, so that claims which
// wait for each other never wait in a circle.
func Resources() []Resource { return []Resource{DiskGB, MemoryMB, VCPU} }

// Known says whether r is a resource of guests.
func (r Resource) Known() bool { return slices.Contains(Resources(), r) }

// Property is the node property that says how much of r a guest has; what Ironic's inspection fills in for metal.
func (r Resource) Property() string {
	return map[Resource]string{DiskGB: "local_gb", MemoryMB: "memory_mb", VCPU: "cpus"}[r]
}

// Amounts are how much of each resource.
type Amounts map[Resource]int64

// Flavor is a resource class as the shape of a guest. It is known by its class.
type Flavor struct {
	UUID          string
	Version       int64
	ResourceClass string
	Resources     Amounts // all of Resources
	Arch          string  // x86_64, aarch64; "" is the host's
	BootMode      BootMode
	// RequiredTraits are the host's, ProvidedTraits the guest's. Of a request's traits, those in InheritTraits are held
	// against the host's; any other that ProvidedTraits has not cannot be met by a guest of this flavor.
	RequiredTraits []string
	ProvidedTraits []string
	InheritTraits  []string
	// FallbackFor are classes of metal for which guests of this flavor do, when an allocation falls back and names none.
	FallbackFor []string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// FlavorQuery selects flavors.
type FlavorQuery struct{ Page }

// Claim is what a guest has of one resource of a compute host.
type Claim struct {
	Guest     string // the node's UUID
	Host      string // the compute host's
	Resource  Resource
	Amount    int64
	CreatedAt time.Time
}

// GuestClaim is what a new guest takes of its host.
type GuestClaim struct {
	Resources Amounts
	Group     string // of which no other guest may be on the host; "" is none
}
