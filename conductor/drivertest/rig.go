// Package drivertest is the suite that every driver must pass: the facts that the engine relies on, looked up on the
// other side of the BMC and never asked of the driver alone. A driver's own test is a dozen lines: a Rig and its Suite.
package drivertest

import (
	"testing"

	"github.com/ingot-metal/ingot"
)

// Rig is one BMC with a machine behind it, as the driver's test has set it up: off, and with no boot override.
type Rig interface {
	// Machine makes a machine of the driver under test, wrapped as the service wraps it. Each call makes another.
	Machine(t testing.TB, login Login) ingot.Machine
	// Truth is what the other side says.
	Truth(t testing.TB) Truth
	// SetPower switches the machine behind the driver's back, as somebody at its power button does.
	SetPower(t testing.TB, state ingot.PowerState)
	// Boots lets the machine's firmware start, which uses up a boot override that holds for one boot.
	Boots(t testing.TB)
	// Break makes the BMC misbehave from now on, until another Fault; false where this rig cannot.
	Break(t testing.TB, f Fault) bool
}

// Login is how a machine under test logs in.
type Login string

// The logins.
const (
	RightPassword Login = "right password"
	WrongPassword Login = "wrong password"
)

// Truth is what the other side of a BMC knows.
type Truth struct {
	// Address is the BMC's as a person would look for it in an error, host:port for instance.
	Address string
	Power   ingot.PowerState
	Boot    ingot.BootSetting // no device where there is no override
	// PowerCommands and BootCommands count the commands to change these that the BMC has received so far.
	PowerCommands, BootCommands int
	NMIs                        int // received by the machine
	// Image is the URL of what is in the virtual CD drive; "" nothing.
	Image string
	// Changes count the other commands to change something, by the other side's word for them.
	Changes map[string]int
}

// Fault is a way in which a BMC misbehaves.
type Fault string

// The faults.
const (
	Healthy Fault = "healthy"
	// Dead answers nothing at all.
	Dead Fault = "dead"
	// Busy answers every command that it cannot do it now.
	Busy Fault = "busy"
	// LostReply does the work of the next command that changes something, and its reply is lost.
	LostReply Fault = "lost reply"
	// Full refuses new sessions for want of room.
	Full Fault = "full"
)
