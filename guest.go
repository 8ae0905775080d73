package ingot

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GuestDriver is the hardware type of guests: virtual machines that are nodes, with the compute host as their parent and
// their UUID as the domain's.
const GuestDriver = "libvirt"

// ImageDeploy is the deploy interface of guests whose disk begins as the image: no ramdisk, no agent.
const ImageDeploy = "libvirt-image"

// ImageDisks is the format of such disks.
const ImageDisks = "qcow2"

// VirtualTrait is what every guest has that is made in the place of metal.
const VirtualTrait = "CUSTOM_VIRTUAL"

// IsGuest says whether the node is a virtual machine on one of our compute hosts.
func (n *Node) IsGuest() bool { return n.Driver == GuestDriver && n.ParentNode != "" }

// IsDynamic says whether the node is a guest that was made for an allocation and vanishes with it.
func (n *Node) IsDynamic() bool {
	dynamic, _ := n.DriverInfo["dynamic"].(bool)
	return dynamic && n.IsGuest()
}

// Labels are nodes as sentences name them; of many, the first.
func Labels(nodes []Node) string {
	const most = 10
	var names []string
	for i := range nodes[:min(len(nodes), most)] {
		names = append(names, nodes[i].Label())
	}
	if len(nodes) > most {
		names = append(names, strconv.Itoa(len(nodes)-most)+" more")
	}
	return strings.Join(names, ", ")
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

// NewGuest is a guest that is made with the operation that is to work on it.
type NewGuest struct {
	Node  Node // with a UUID and its host
	Ports []Port
	Claim GuestClaim
}

// FlavorFor finds the flavor of a class, or else the first that does for it in place of metal; nil when there is none.
func FlavorFor(flavors []Flavor, class string) *Flavor {
	for i := range flavors {
		if flavors[i].ResourceClass == class {
			return &flavors[i]
		}
	}
	for i := range flavors {
		if slices.Contains(flavors[i].FallbackFor, class) {
			return &flavors[i]
		}
	}
	return nil
}

// Shape makes a new guest what a flavor says, where the guest does not say something else.
func (f *Flavor) Shape(n *Node) {
	properties := maps.Clone(n.Properties)
	if properties == nil {
		properties = map[string]any{}
	}
	for _, resource := range Resources() {
		if properties[resource.Property()] == nil {
			properties[resource.Property()] = f.Resources[resource]
		}
	}
	if properties["cpu_arch"] == nil && f.Arch != "" {
		properties["cpu_arch"] = f.Arch
	}
	if f.BootMode != "" && properties["capabilities"] == nil {
		properties["capabilities"] = "boot_mode:" + string(f.BootMode)
	}
	n.Properties, n.Traits = properties, Traits(slices.Concat(n.Traits, f.ProvidedTraits))
}

// GuestAmounts is what a guest is to have of each resource, by its properties. Invalid: one is missing or no number.
func GuestAmounts(n *Node) (Amounts, error) {
	amounts := Amounts{}
	for _, resource := range Resources() {
		amount, ok := whole(n.Properties[resource.Property()])
		if !ok || amount < 1 || amount >= 1<<31 {
			return nil, Errorf(Invalid, "a guest needs %s in its properties, or a resource_class that is a flavor: a whole number from 1 on, not %v",
				resource.Property(), n.Properties[resource.Property()])
		}
		amounts[resource] = amount
	}
	return amounts, nil
}

// Whole reads a whole number as properties have them; false where there is none.
func Whole(v any) (int64, bool) { return whole(v) }

// whole reads a whole number as properties have them: Ironic's clients write text too.
func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}
