// Package vbmc is a virtual BMC: it puts an IPMI 2.0 (RMCP+) and a Redfish
// endpoint in front of anything that can be switched on and off, and keeps a
// journal of every command that it received.
//
// One [Server] is one BMC. It answers real clients (ipmitool, sushy, gofish) and can be made to misbehave on purpose, see [Faults].
package vbmc

import (
	"context"
	"io"

	"github.com/google/uuid"
)

// Machine is what a virtual BMC controls. Extra abilities are the one-method
// interfaces below, found by type assertion on the same value.
//
// Both methods may be called from several goroutines; the server never has two
// SetPower calls of one machine under way at once. Errors reach the client as
// the protocol's "unspecified error"; a context deadline as its "timeout".
type Machine interface {
	// Power says whether the machine is on at this moment.
	Power(ctx context.Context) (on bool, err error)
	// SetPower does one of the four actions and returns when it has taken
	// effect; [PowerShutdown] returns when the request was delivered, and
	// the machine may ignore it, as operating systems do. The server asks
	// Power first and leaves out what would change nothing. boot says what
	// the firmware shall boot and has a meaning for [PowerOn] and
	// [PowerReset] only. When SetPower fails, a one-time boot stays pending.
	SetPower(ctx context.Context, action PowerAction, boot Boot) error
}

// NMIInjector is a machine that can be sent a diagnostic interrupt
// (IPMI Chassis Control 4, Redfish reset type Nmi).
type NMIInjector interface {
	InjectNMI(ctx context.Context) error
}

// SensorReader is a machine with sensors of its own; others show a small
// invented set. The order and number of sensors must not change.
type SensorReader interface {
	Sensors(ctx context.Context) ([]Sensor, error)
}

// MediaDrive is a machine with a virtual CD drive. image is the URL as the
// client gave it; "" ejects. Inserting over an inserted image replaces it.
type MediaDrive interface {
	LoadMedia(ctx context.Context, image string) error
}

// SerialConsole is a machine whose serial port can be opened, for Serial over
// LAN. The server opens it once at a time and closes it.
type SerialConsole interface {
	OpenConsole(ctx context.Context) (io.ReadWriteCloser, error)
}

// Describer is a machine that knows what it is made of. Without it, or for
// fields left empty, the server shows neutral values.
type Describer interface {
	Describe() Description
}

// Description is a machine's inventory as its BMC shows it.
type Description struct {
	Manufacturer string
	Model        string
	Serial       string
	// UUID is the SMBIOS system UUID: Redfish UUID and IPMI system GUID.
	UUID uuid.UUID
	// MACs are the network ports' addresses, aa:bb:cc:dd:ee:ff, in order.
	MACs []string
	// CPUs counts logical processors.
	CPUs int
	// MemoryMiB is the main memory in MiB.
	MemoryMiB int
	// LegacyBIOS is firmware that is not UEFI: Redfish's boot mode is then
	// Legacy until a client changes it.
	LegacyBIOS bool
}

// PowerAction is what a machine can be asked to do about its power.
type PowerAction string

// The actions that reach a machine. A power cycle reaches it as off and on.
const (
	// PowerOn starts the machine from its firmware.
	PowerOn PowerAction = "on"
	// PowerOff cuts the power; the machine is off on return.
	PowerOff PowerAction = "off"
	// PowerShutdown presses the power button for the operating system.
	PowerShutdown PowerAction = "shutdown"
	// PowerReset restarts the firmware without loss of power.
	PowerReset PowerAction = "reset"
)

// BootDevice is a class of boot source.
type BootDevice string

// Boot sources that IPMI boot flags or the Redfish boot override can name.
const (
	// BootNone is no override: the firmware's own order.
	BootNone     BootDevice = "none"
	BootPXE      BootDevice = "pxe"
	BootDisk     BootDevice = "disk"
	BootCDROM    BootDevice = "cdrom"
	BootBIOS     BootDevice = "bios"     // firmware set-up
	BootUEFIHTTP BootDevice = "uefihttp" // Redfish only
)

// Boot is a boot override: what to boot, for how long, in which firmware mode.
// The zero value and a BootNone device mean no override.
type Boot struct {
	Device BootDevice
	// Persistent keeps the override for every boot; otherwise it holds for
	// one, and the server forgets it when it has started the machine with it.
	Persistent bool
	// EFI is IPMI's "EFI boot" bit or Redfish's mode UEFI.
	EFI bool
	// URI is the loader's address for BootUEFIHTTP; empty lets DHCP name it.
	URI string
}

// Set says whether b overrides anything.
func (b Boot) Set() bool { return b.Device != "" && b.Device != BootNone }

// String is b as the journal shows it: "none", "pxe once efi",
// "disk persistent", "uefihttp once efi http://...".
func (b Boot) String() string {
	if !b.Set() {
		return string(BootNone)
	}
	text := string(b.Device) + " once"
	if b.Persistent {
		text = string(b.Device) + " persistent"
	}
	if b.EFI {
		text += " efi"
	}
	if b.URI != "" {
		text += " " + b.URI
	}
	return text
}
