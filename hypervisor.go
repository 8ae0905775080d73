package ingot

import (
	"context"
	"strings"
	"time"
)

// Hypervisor makes a node a compute host: how its libvirt is reached, what of the machine guests may use, and how it was
// found to be. Its UUID is the node's. Version is its generation: what the host itself reports does not raise it.
type Hypervisor struct {
	NodeUUID string
	Version  int64
	Type     string // libvirt
	URI      string // of libvirt: qemu:///system, qemu+ssh://user@host/system?keyfile=…, qemu+tls://…
	// Ratios are how many times each resource may be given away, in thousandths; a missing one is DefaultRatio. Reserved
	// is what the host keeps for itself.
	Ratios   Amounts
	Reserved Amounts
	Pools    []StoragePool
	Networks []GuestNetwork
	CPU      GuestCPU
	// OnHostFailure is what becomes of the guests when the host is lost.
	OnHostFailure FailurePolicy
	// Autostart starts the host when one of its guests is started, and the guests that ran when the host has come back.
	Autostart bool
	// MigrationTLS has guests that run go to and from the host over TLS alone, with the certificates of the hosts' QEMU.
	MigrationTLS bool
	// Disabled and Draining are what an operator wants: no new guests, and no guests at all.
	Disabled bool
	Draining bool

	// The rest is what was found, never what was asked for.
	State       HypervisorState
	StateReason string // why it is not up
	Facts       HostFacts
	Missed      int       // probes in a row without an answer
	Failures    int       // guests in a row that could not be made lately
	FailedAt    time.Time // when the last of them could not
	LastSeenAt  time.Time // when it last answered
	// Fence is whether a host that is down is known to be off, and FenceReason why it is not. DownSince is when it came to
	// be down; zero for one that is not.
	Fence       FenceState
	FenceReason string
	DownSince   time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// troubles are how much speaks against new guests: what could not be made lately, and what stands still for want of room.
func (h *Hypervisor) troubles() int64 { return int64(h.Failures + len(h.Facts.Stalled)) }

// HypervisorQuery selects compute hosts.
type HypervisorQuery struct{ Page }

// HypervisorState is how a compute host is.
type HypervisorState string

// The states of compute hosts. An operator's disabled and draining hold while the host answers; one that is down is down.
const (
	HypervisorConnecting HypervisorState = "connecting" // never answered yet
	HypervisorUp         HypervisorState = "up"
	HypervisorDegraded   HypervisorState = "degraded" // answers, but not all is well or not every probe is answered: no new guests
	HypervisorDown       HypervisorState = "down"
	HypervisorDisabled   HypervisorState = "disabled"
	HypervisorDraining   HypervisorState = "draining"
)

// FailurePolicy is what becomes of guests whose host is lost.
type FailurePolicy string

// The policies.
const (
	FailureNone    FailurePolicy = "none"
	FailureRestart FailurePolicy = "restart" // elsewhere, from disks that hosts share
	FailureRebuild FailurePolicy = "rebuild" // elsewhere, from the image: what was on the disk is lost
)

// StoragePool is a libvirt pool in which guests' disks may be.
type StoragePool struct {
	Name     string   `json:"name"`
	Resource Resource `json:"resource"` // what its space counts as: DISK_GB
	Formats  []string `json:"formats"`  // qcow2, raw
	Shared   bool     `json:"shared"`   // other hosts have the same files
}

// GuestNetwork is where a guest's port of a physical network is plugged in: a bridge of the host or a network of libvirt.
type GuestNetwork struct {
	PhysicalNetwork string `json:"physical_network"`
	Bridge          string `json:"bridge,omitempty"`
	LibvirtNetwork  string `json:"libvirt_network,omitempty"`
	VLAN            bool   `json:"vlan,omitempty"` // ports may have VLAN tags
}

// GuestCPU is the processor that guests see.
type GuestCPU struct {
	Mode    string   `json:"mode,omitempty"`  // host-model (also ""), host-passthrough, custom
	Model   string   `json:"model,omitempty"` // for custom
	Require []string `json:"require,omitempty"`
	Disable []string `json:"disable,omitempty"` // features
}

// DefaultRatio is how many times a resource may be given away where the operator did not say, in thousandths.
const DefaultRatio = 1000

// HostFacts are what a probe of a compute host found out.
type HostFacts struct {
	LibvirtVersion    string   `json:"libvirt_version,omitempty"`
	HypervisorVersion string   `json:"hypervisor_version,omitempty"`
	HostUUID          string   `json:"host_uuid,omitempty"` // libvirt's; two compute hosts with one are the same machine
	Hostname          string   `json:"hostname,omitempty"`
	Arch              string   `json:"arch,omitempty"`
	VirtTypes         []string `json:"virt_types,omitempty"` // kvm only when a canary booted; best first
	CPUModel          string   `json:"cpu_model,omitempty"`
	SecureBoot        bool     `json:"secure_boot,omitempty"` // has firmware that does it
	TPM               bool     `json:"tpm,omitempty"`         // has swtpm
	UEFI              bool     `json:"uefi,omitempty"`
	// Totals is what the machine has of each resource.
	Totals Amounts `json:"totals,omitempty"`
	// Unmanaged are domains that Ingot did not make: shown, counted as reserved, never touched.
	Unmanaged []UnmanagedDomain `json:"unmanaged,omitempty"`
	// Stalled are the UUIDs of the guests that stand still because the host cannot write their disks.
	Stalled []string `json:"stalled,omitempty"`
	// CachedImages are the checksums of the images that guests' disks can be based on without a download.
	CachedImages []string `json:"cached_images,omitempty"`
	// Problems are sentences on what does not work although the host answers; any makes it degraded.
	Problems []string `json:"problems,omitempty"`
}

// VirtType is the best that guests get; "" before the host was probed.
func (f *HostFacts) VirtType() string {
	if len(f.VirtTypes) == 0 {
		return ""
	}
	return f.VirtTypes[0]
}

// UnmanagedDomain is a domain on a compute host that is no guest of ours, and what it takes while it runs.
type UnmanagedDomain struct {
	Name string  `json:"name"`
	UUID string  `json:"uuid"`
	Uses Amounts `json:"uses,omitempty"`
}

// HypervisorProber is what the rest asks of the layer that speaks libvirt about a compute host.
type HypervisorProber interface {
	// Check refuses, as Invalid, settings that cannot be right for any host: the type, the scheme of the URI, two bridges
	// for one network. It asks no host.
	Check(h *Hypervisor) error
	// Probe connects where there is no connection yet and finds out how the host is. guests are the UUIDs of the nodes that
	// are guests there: any other domain is unmanaged. It may be asked again at any time, for the same host too. An error is
	// the reason for which the host counts as down, for people.
	Probe(ctx context.Context, h Hypervisor, guests []string) (HostFacts, error)
	// Forget closes the connection to a host that is none any more, or whose URI is another one now.
	Forget(host string)
	// Answers connects anew and asks for a word, whatever the kept connection does: an error says that the host is lost.
	Answers(ctx context.Context, h Hypervisor) error
	// Changes tells the UUIDs of hosts that ought to be probed soon: the connection broke, a domain came or went. It is a
	// hint; probes come at intervals too.
	Changes() <-chan string
}

// Observation is what a probe made of a compute host.
type Observation struct {
	Host string
	// Facts are nil when the host did not answer; Reason then says why.
	Facts  *HostFacts
	Reason string
	// URI is the one that was probed: a report about an older one is dropped.
	URI string
}

// GuestRemover is the extra ability of a guest's machine to be done away with, before the node's row goes.
type GuestRemover interface {
	// RemoveGuest does away with the machine and all its disks, whether it runs or not; what is not there is gone already.
	RemoveGuest(ctx context.Context) error
}

// failureCounts is for how long a guest that could not be made speaks against a host: what was wrong there may be right by
// now, and only a guest that is made there would tell.
const failureCounts = time.Hour

// missedProbes is after how many probes without an answer a host that was up is down.
const missedProbes = 3

// Observe takes in what a probe made of the host. A report about another URI than the host has now is dropped.
func (h *Hypervisor) Observe(o Observation, now time.Time) {
	switch {
	case o.URI != h.URI:
	case o.Facts != nil:
		h.Facts, h.Missed, h.LastSeenAt, h.State = *o.Facts, 0, now, HypervisorUp
		h.DownSince, h.Fence, h.FenceReason = time.Time{}, "", ""
		if now.Sub(h.FailedAt) >= failureCounts {
			h.Failures = 0
		}
		h.Restate()
	default:
		h.Missed, h.StateReason = h.Missed+1, o.Reason
		switch {
		case h.State == HypervisorConnecting, h.State == HypervisorDown, h.Missed >= missedProbes:
			if h.State != HypervisorDown || h.DownSince.IsZero() {
				h.DownSince = now
			}
			h.State = HypervisorDown
		default:
			h.Restate()
		}
	}
}

// Restate works out the state of a host that answers from what operators want of it and from its problems.
func (h *Hypervisor) Restate() {
	if h.State == HypervisorConnecting || h.State == HypervisorDown {
		return
	}
	reason := strings.Join(h.Facts.Problems, "; ")
	if h.Missed > 0 {
		reason = h.StateReason
	}
	switch {
	case h.Draining:
		h.State = HypervisorDraining
	case h.Disabled:
		h.State = HypervisorDisabled
	case h.Missed > 0 || reason != "":
		h.State = HypervisorDegraded
	default:
		h.State = HypervisorUp
	}
	h.StateReason = reason
}
