package ingot

import "time"

// GuestBMC is the virtual BMC in front of a guest: an IPMI and a Redfish endpoint by which other provisioners drive it.
// Its UUID is the guest's.
type GuestBMC struct {
	NodeUUID string
	Version  int64
	Port     int // UDP for IPMI, TCP for Redfish; no two guests have the same
	Username string
	Password Secret
	// Boot is what clients want the guest to boot: theirs to set, and kept for them.
	Boot      BootOverride
	CreatedAt time.Time
	UpdatedAt time.Time

	// Address is HOST:PORT where a process of this service serves it, and Problem why it does not. Neither is kept.
	Address string
	Problem string
	// Secure says that Redfish is https there.
	Secure bool
}

// BootOverride is a boot override as BMCs have it, in the words of lab/vbmc; the zero value is none.
type BootOverride struct {
	Device     string `json:"device,omitempty"`
	Persistent bool   `json:"persistent,omitempty"`
	EFI        bool   `json:"efi,omitempty"`
	URI        string `json:"uri,omitempty"`
}

// GuestBMCQuery selects virtual BMCs.
type GuestBMCQuery struct{ Page }
