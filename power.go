package ingot

import "context"

// PowerState is what a BMC said of a machine's power, in Ironic's words; "" means that nobody has looked yet (null on
// the wire).
type PowerState string

// The power states.
const (
	PowerOn    PowerState = "power on"
	PowerOff   PowerState = "power off"
	PowerError PowerState = "error"
)

// PowerTarget is what a user may ask of a machine's power (Ironic: PUT states/power; the soft ones since 1.27).
type PowerTarget string

// The power targets.
const (
	TargetPowerOn    PowerTarget = "power on"
	TargetPowerOff   PowerTarget = "power off"
	TargetReboot     PowerTarget = "rebooting"
	TargetSoftOff    PowerTarget = "soft power off"
	TargetSoftReboot PowerTarget = "soft rebooting"
)

// PowerAction is what a driver is told. All are absolute: repeating one changes nothing, so that a late duplicate is
// harmless. A reboot is off and then on, seen from above.
type PowerAction string

// The power actions.
const (
	ActionOn      PowerAction = "on"
	ActionOff     PowerAction = "off"      // at once, as if the plug were pulled
	ActionSoftOff PowerAction = "soft-off" // ask the operating system (ACPI)
)

// BootDevice names what a machine boots from next, in Ironic's words.
type BootDevice string

// The boot devices.
const (
	BootPXE      BootDevice = "pxe"
	BootDisk     BootDevice = "disk"
	BootCDROM    BootDevice = "cdrom"
	BootBIOS     BootDevice = "bios"
	BootSafe     BootDevice = "safe"
	BootUEFIHTTP BootDevice = "uefihttp"
)

// BootMode is a machine's firmware interface: "bios" or "uefi"; "" when it is not known.
type BootMode string

// The boot modes.
const (
	ModeBIOS BootMode = "bios"
	ModeUEFI BootMode = "uefi"
)

// BootSetting is a boot device with how long it holds and for which firmware it is meant.
type BootSetting struct {
	Device     BootDevice
	Persistent bool     // false: for the next boot only
	Mode       BootMode // IPMI needs it (boot flags' EFI bit); "" leaves what the BMC has
}

// Machine is a server as its BMC shows it: the two abilities every driver has. Methods ask the BMC once, within ctx's
// deadline; they never sleep or retry. They tell errors that pass (no code, or Unavailable) from those that stay
// (IsFatal): a wrong password is Unauthorized and an address that does not resolve is Invalid.
type Machine interface {
	Power
	Booter
}

// Power reads and changes a machine's power.
type Power interface {
	// PowerState asks the BMC now.
	PowerState(ctx context.Context) (PowerState, error)
	// SetPower returns when the BMC has accepted the action, not when the machine has followed it.
	SetPower(ctx context.Context, action PowerAction) error
}

// Booter reads and changes what a machine boots from.
type Booter interface {
	BootDevice(ctx context.Context) (BootSetting, error)
	// SetBootDevice changes only what differs. A device that this machine has not is Unsupported.
	SetBootDevice(ctx context.Context, want BootSetting) error
}

// Closer is the extra ability of a machine that keeps a session; whoever assembled it closes it.
type Closer interface{ Close() error }

// Resetter is the extra ability to start a machine again without switching it off (IPMI 2.0 section 28.3, chassis control
// 3; Redfish ForceRestart), for machines that must not lose power (Ironic: disable_power_off, since 1.95). A machine that is off is
// switched on. It is the one command that is not absolute: repeated, the machine starts once more.
type Resetter interface {
	Reset(ctx context.Context) error
}

// Manual is the mark of a machine that people switch: its power is what was last asked of it.
type Manual interface{ SwitchedByHand() }

// BootDevices is the extra ability to say which boot devices a machine knows.
type BootDevices interface{ SupportedBootDevices() []BootDevice }

// NMI is the extra ability to send a non-maskable interrupt (IPMI 2.0 section 28.3, chassis control 4).
type NMI interface {
	InjectNMI(ctx context.Context) error
}

// Sensors is the extra ability to read a machine's sensors.
type Sensors interface {
	Sensors(ctx context.Context) ([]Sensor, error)
}

// Sensor is one reading.
type Sensor struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind"` // temperature, fan, voltage, current, power, or discrete
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`   // degrees C, RPM, V, A, W; "" for discrete ones
	Status string  `json:"status"` // ok, warning, critical, unavailable
}

// EventLog is the extra ability to read and clear the system event log (IPMI 2.0 section 31).
type EventLog interface {
	EventLog(ctx context.Context) ([]LogEntry, error)
	ClearEventLog(ctx context.Context) error
}

// LogEntry is one line of a machine's own event log.
type LogEntry struct {
	ID       string `json:"id"`
	At       string `json:"at"` // RFC 3339, by the BMC's clock; "" when the BMC gives none
	Sensor   string `json:"sensor"`
	Message  string `json:"message"`
	Severity string `json:"severity"` // ok, warning, critical; "" when the BMC does not say
}

// As finds the ability T of a machine, looking through wrappers (Unwrap() any) and assemblies (Unwrap() []any).
func As[T any](machine any) (T, bool) {
	if ability, ok := machine.(T); ok {
		return ability, true
	}
	switch m := machine.(type) {
	case interface{ Unwrap() any }:
		return As[T](m.Unwrap())
	case interface{ Unwrap() []any }:
		for _, part := range m.Unwrap() {
			if ability, ok := As[T](part); ok {
				return ability, true
			}
		}
	}
	var none T
	return none, false
}
