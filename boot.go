package ingot

import (
	"context"
	"net/netip"
)

// Arch is a client's system architecture as DHCP option 93 gives it (RFC 4578 section 2.1, IANA "Processor
// Architecture Types").
type Arch uint16

// The architectures that Ingot answers.
const (
	ArchBIOS      Arch = 0
	ArchX64       Arch = 7
	ArchX64Alt    Arch = 9 // some firmware sends EFI BC for x64
	ArchARM64     Arch = 11
	ArchX64HTTP   Arch = 16
	ArchARM64HTTP Arch = 19
)

// Mode is the firmware interface that the architecture implies.
func (a Arch) Mode() BootMode {
	if a == ArchBIOS {
		return ModeBIOS
	}
	return ModeUEFI
}

// BootRequest is a machine asking, over DHCP or HTTP, what to boot.
type BootRequest struct {
	Network string     // name of the configured network it came in on
	MAC     string     // lower case, colons
	Address netip.Addr // the address it has or was offered; invalid when there is none yet
	Arch    Arch
	UUID    string // SMBIOS system UUID (option 97 or iPXE's ${uuid}), RFC 4122 text; "" when it sent none
	Loader  string // "" for firmware itself, "ipxe" once iPXE runs (option 77 or the script request)
}

// BootAction is the kind of answer to a BootRequest.
type BootAction string

// The boot actions.
const (
	BootSilence   BootAction = "silence"    // not ours, or nothing to boot: do not answer boot options
	BootLocalDisk BootAction = "local-disk" // leave the network, start from disk
	BootKernel    BootAction = "kernel"     // load a kernel and initramfs
)

// BootSpec is the answer to a BootRequest.
type BootSpec struct {
	Action BootAction
	Node   string // UUID of the node it is for; "" when none
	Why    string // for people: "deploy ramdisk", "no operation under way"
	// Kernel and Initrd are URL paths on the boot listener ("/boot/file/…") or whole URLs; Cmdline is the kernel's
	// command line, in which {boot} stands for the boot listener's base URL as this client reaches it.
	Kernel  string
	Initrd  string
	Cmdline string
}

// BootEvidence is something that the boot service did for a machine: kept on the node so that a failed deploy can say
// what was last seen of it.
type BootEvidence struct {
	Network string
	MAC     string
	What    string // "offered 10.0.0.7", "sent snponly.efi", "sent script: deploy ramdisk"
}

// BootDecider decides what machines boot. All methods may be called for the same machine again and again, also by
// several boot services at once.
type BootDecider interface {
	// Decide answers from the node and its operation. Unknown machines get BootSilence, never an error; an error
	// means that nothing can be said now, and the boot service stays silent.
	Decide(ctx context.Context, req BootRequest) (BootSpec, error)
	// Saw records evidence; it never blocks and may drop it.
	Saw(e BootEvidence)
}

// Lease is an address given to a machine on one network. Leases are keyed by (Network, MAC): firmware, iPXE and the
// operating system of one machine send different client IDs.
type Lease struct {
	Network  string     `db:"network"`
	MAC      string     `db:"mac"`
	Address  netip.Addr `db:"-"`
	Hostname string     `db:"hostname"`
	Until    int64      `db:"until"` // Unix seconds
}

// DHCPMode is how Ingot serves DHCP on a network.
type DHCPMode string

// The DHCP modes.
const (
	DHCPFull     DHCPMode = "full"     // addresses from the pool for every client
	DHCPReserved DHCPMode = "reserved" // addresses for enrolled ports only
	DHCPProxy    DHCPMode = "proxy"    // boot options beside somebody else's DHCP server
	DHCPOff      DHCPMode = "off"
)

// Network is a segment that machines boot on; all of it is configuration ([[network]]).
type Network struct {
	Name      string       `koanf:"name" json:"name"`
	Interface string       `koanf:"interface" json:"interface"` // the host's interface on it
	Subnet    netip.Prefix `koanf:"subnet" json:"subnet"`
	Address   netip.Addr   `koanf:"address" json:"address,omitzero"` // ours on it; found from the interface when left out
	PoolStart netip.Addr   `koanf:"pool_start" json:"pool_start,omitzero"`
	PoolEnd   netip.Addr   `koanf:"pool_end" json:"pool_end,omitzero"`
	Gateway   netip.Addr   `koanf:"gateway" json:"gateway,omitzero"`
	DNS       []netip.Addr `koanf:"dns" json:"dns,omitempty"`
	NTP       []netip.Addr `koanf:"ntp" json:"ntp,omitempty"`
	Domain    string       `koanf:"domain" json:"domain,omitempty"`
	DHCP      DHCPMode     `koanf:"dhcp" json:"dhcp"`
	VLAN      int          `koanf:"vlan" json:"vlan,omitempty"`             // shown only; the interface carries it
	LeaseTime int          `koanf:"lease_time" json:"lease_time,omitempty"` // seconds; 0 is 3600
	Routes    []Route      `koanf:"routes" json:"routes,omitempty"`         // beside the gateway (RFC 3442)
	// RA sends IPv6 router advertisements that offer nothing (no prefix, router lifetime 0), so that iPXE does not wait
	// for one; nil is on in full mode and off otherwise. Turn it off where another router speaks for the segment.
	RA *bool `koanf:"ra" json:"ra,omitempty"`
}

// Route is a static route that a network's machines are told of.
type Route struct {
	Destination netip.Prefix `koanf:"destination" json:"destination"`
	Via         netip.Addr   `koanf:"via" json:"via"`
}
