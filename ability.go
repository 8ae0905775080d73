package ingot

import "context"

// What a machine can do beside power and boot device: each an extra ability, found by As. All ask the BMC once within
// ctx's deadline, as Machine's methods do.

// BootModes is the extra ability to read and choose the firmware interface that a machine starts with.
type BootModes interface {
	// BootMode is "" when the BMC does not say.
	BootMode(ctx context.Context) (BootMode, error)
	// SetBootMode changes only what differs; the machine follows when it starts next.
	SetBootMode(ctx context.Context, mode BootMode) error
}

// SecureBoot is the extra ability to read and change UEFI Secure Boot.
type SecureBoot interface {
	SecureBoot(ctx context.Context) (bool, error)
	// SetSecureBoot changes only what differs; the machine follows when it starts next.
	SetSecureBoot(ctx context.Context, on bool) error
}

// Health is how a BMC says that its machine is, in Ironic's words (since 1.109); "" when it does not say.
type Health string

// The states of health.
const (
	HealthOK       Health = "OK"
	HealthWarning  Health = "Warning"
	HealthCritical Health = "Critical"
)

// HealthMonitor is the extra ability to say how the machine is.
type HealthMonitor interface {
	Health(ctx context.Context) (Health, error)
}

// MakerNamer is the extra ability to say who made the machine; "" when the BMC does not.
type MakerNamer interface {
	Maker(ctx context.Context) (string, error)
}

// IndicatorState is what a light does, in Ironic's words.
type IndicatorState string

// The states of lights.
const (
	IndicatorOn       IndicatorState = "on"
	IndicatorOff      IndicatorState = "off"
	IndicatorBlinking IndicatorState = "blinking"
	IndicatorUnknown  IndicatorState = "unknown"
)

// Indicator is a light of a machine (Ironic since 1.63). Component is chassis, system, disk, power or nic.
type Indicator struct {
	Component string
	Name      string
	ReadOnly  bool
	States    []IndicatorState // that it can be in
}

// Indicators is the extra ability to see and switch a machine's lights.
type Indicators interface {
	Indicators(ctx context.Context) ([]Indicator, error)
	// Indicator is NotFound when the component has no light of that name.
	Indicator(ctx context.Context, component, name string) (IndicatorState, error)
	SetIndicator(ctx context.Context, component, name string, state IndicatorState) error
}

// MediaDevice is a sort of virtual drive, in Ironic's words.
type MediaDevice string

// The virtual drives.
const (
	MediaDisk   MediaDevice = "disk"
	MediaCDROM  MediaDevice = "cdrom"
	MediaFloppy MediaDevice = "floppy"
)

// MediaDevices are all sorts of virtual drive.
func MediaDevices() []MediaDevice { return []MediaDevice{MediaDisk, MediaCDROM, MediaFloppy} }

// Medium is a virtual drive and what is in it.
type Medium struct {
	Name     string        // of the BMC's
	Devices  []MediaDevice // sorts that it can be
	Types    []string      // the same in the BMC's words: CD, DVD, USBStick, Floppy
	Inserted bool
	Image    string // URL; "" when it is empty
}

// VirtualMedia is the extra ability to put images into a machine's virtual drives.
type VirtualMedia interface {
	Media(ctx context.Context) ([]Medium, error)
	// InsertMedia has the image at url in a drive of the sort, in the place of what was there. A machine without such a
	// drive is Unsupported.
	InsertMedia(ctx context.Context, device MediaDevice, url string) error
	// EjectMedia empties the drives of the sorts, all drives for none.
	EjectMedia(ctx context.Context, devices []MediaDevice) error
}

// Console is the extra ability to let people see a machine's console.
type Console interface {
	// SetConsole starts it or stops it.
	SetConsole(ctx context.Context, on bool) error
	// ConsoleInfo says how to connect, in Ironic's words: type and url.
	ConsoleInfo(ctx context.Context) (map[string]any, error)
}

// VendorMethod is what a driver offers beyond the API's words (Ironic: vendor passthru).
type VendorMethod struct {
	Name        string
	HTTP        []string // methods, in capitals
	Async       bool     // answered before it is carried out
	Description string
	// Lock says whether the node must be free of other work meanwhile.
	Lock bool
}

// LogPassthrough is the vendor method of fake hardware that is a step of cleaning and servicing too (Ironic's log_passthrough).
const LogPassthrough = "log_passthrough"

// Vendor is the extra ability to carry out a driver's own methods.
type Vendor interface {
	VendorMethods() []VendorMethod
	// CheckVendor refuses arguments that CallVendor could not use (Invalid). It asks no BMC.
	CheckVendor(method string, args map[string]any) error
	// CallVendor carries a method out once; it is never repeated.
	CallVendor(ctx context.Context, method string, args map[string]any) (any, error)
}
