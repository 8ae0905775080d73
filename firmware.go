package ingot

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// BIOSSetting is a setting of a machine's firmware, with what its registry says of it (Ironic since 1.40).
type BIOSSetting struct {
	Name  string
	Value string
	BIOSRegistry
	CreatedAt time.Time
	UpdatedAt time.Time
}

// BIOSRegistry is what a machine's registry says of a setting (Ironic since 1.74). Nil and zero fields are not known.
type BIOSRegistry struct {
	Type          string   `json:"type,omitempty"`    // Enumeration, String, Integer, Boolean, Password
	Allowed       []string `json:"allowed,omitempty"` // values of an enumeration
	LowerBound    *int     `json:"lower_bound,omitempty"`
	UpperBound    *int     `json:"upper_bound,omitempty"`
	MinLength     *int     `json:"min_length,omitempty"`
	MaxLength     *int     `json:"max_length,omitempty"`
	ReadOnly      *bool    `json:"read_only,omitempty"`
	ResetRequired *bool    `json:"reset_required,omitempty"`
	Unique        *bool    `json:"unique,omitempty"` // to each machine
}

// Check refuses a value that the registry does not allow for the setting.
func (s *BIOSSetting) Check(value string) error {
	number, notNumber := strconv.Atoi(value)
	switch {
	case s.ReadOnly != nil && *s.ReadOnly:
		return Errorf(Invalid, "BIOS setting %s is read-only", s.Name)
	case len(s.Allowed) > 0 && !slices.Contains(s.Allowed, value):
		return Errorf(Invalid, "BIOS setting %s can not be %q: it is one of %v", s.Name, value, s.Allowed)
	case s.Type == "Integer" && notNumber != nil:
		return Errorf(Invalid, "BIOS setting %s can not be %q: it is a whole number", s.Name, value)
	case s.LowerBound != nil && number < *s.LowerBound, s.UpperBound != nil && number > *s.UpperBound:
		return Errorf(Invalid, "BIOS setting %s can not be %s: it is out of bounds", s.Name, value)
	case s.MinLength != nil && len(value) < *s.MinLength, s.MaxLength != nil && len(value) > *s.MaxLength:
		return Errorf(Invalid, "BIOS setting %s can not be %q: it is too short or too long", s.Name, value)
	}
	return nil
}

// BIOSSettings is the extra ability to read a machine's firmware settings.
type BIOSSettings interface {
	BIOSSettings(ctx context.Context) ([]BIOSSetting, error)
}

// BIOSChanger is the extra ability to change firmware settings.
type BIOSChanger interface {
	// ApplyBIOSSettings changes what differs of the settings, by name; a name or value that the machine has not is
	// Invalid. restart says that some hold only after the machine has started again.
	ApplyBIOSSettings(ctx context.Context, values map[string]string) (restart bool, err error)
	// ResetBIOS puts all settings back to the factory's.
	ResetBIOS(ctx context.Context) (restart bool, err error)
}

// FirmwareComponent is a part of a machine that has firmware (Ironic since 1.86; vendor, model and serial number since
// 1.114).
type FirmwareComponent struct {
	Component          string // bios, bmc, nic:…
	InitialVersion     string // when it was first seen
	CurrentVersion     string
	LastVersionFlashed string // by a firmware update of Ingot's; "" never
	Vendor             string
	Model              string
	SerialNumber       string
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// FirmwareInventory is the extra ability to list firmware.
type FirmwareInventory interface {
	FirmwareComponents(ctx context.Context) ([]FirmwareComponent, error)
}

// FirmwareUpdate is a component and where its new firmware is.
type FirmwareUpdate struct {
	Component string
	URL       string
}

// FirmwareUpdater is the extra ability to update firmware.
type FirmwareUpdater interface {
	// UpdateFirmware begins an update, and is never repeated; a component that the machine has not is Invalid.
	UpdateFirmware(ctx context.Context, updates []FirmwareUpdate) error
	// UpdatingFirmware says whether an update is under way.
	UpdatingFirmware(ctx context.Context) (bool, error)
}

// RAIDController is the extra ability to make logical disks out of band. Configurations are Ironic's ("logical_disks").
type RAIDController interface {
	// RAID is the configuration as it is; nil when there are no logical disks.
	RAID(ctx context.Context) (map[string]any, error)
	// SetRAID has the machine have these logical disks and no others; nil takes all away. Asking again for what is being
	// made changes nothing.
	SetRAID(ctx context.Context, target map[string]any) error
}
