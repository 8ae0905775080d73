package drivertest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ingot-metal/ingot"
)

// fact is one that a driver is held to if the suite declares what it is about. What is not declared must not be there:
// the facts "abilities" and "faults" see to that.
type fact struct {
	name    string
	ability string           // of the machine; "" any machine
	fault   Fault            // of the rig; "" any rig
	where   func(Suite) bool // nil everywhere
	see     func(*testing.T, Suite, Rig)
}

// holds says whether the fact is about what the suite declares.
func (f fact) holds(s Suite) bool {
	return (f.ability == "" || slices.Contains(s.Abilities, f.ability)) &&
		(f.fault == "" || slices.Contains(s.Faults, f.fault)) && (f.where == nil || f.where(s))
}

func facts() []fact {
	login := func(s Suite) bool { return !s.NoLogin }
	anyone := func(s Suite) bool { return s.NoLogin }
	boots := func(s Suite) bool { return !s.PowerOnly }
	counted := func(s Suite) bool { return s.Counted }
	modes := func(s Suite) bool { return !s.PowerOnly && s.Modes }
	return []fact{
		{name: "power is read", see: powerIsRead},
		{name: "power is set", see: powerIsSet},
		{name: "power repeats change nothing", see: powerRepeats},
		{name: "soft off", see: softOff},
		{name: "unknown power action", see: unknownPowerAction},
		{name: "wrong password", where: login, see: wrongPassword},
		{name: "no password", where: anyone, see: noPassword},
		{name: "faults", see: faults},
		{name: "dead BMC", fault: Dead, see: deadBMC},
		{name: "cancelled exchange", fault: Dead, see: cancelled},
		{name: "recovers", fault: Dead, see: recovers},
		{name: "busy BMC", fault: Busy, see: busyBMC},
		{name: "full BMC", fault: Full, see: fullBMC},
		{name: "lost reply", fault: LostReply, see: lostReply},
		{name: "abilities", see: abilities},
		{name: "abilities through wrappers", see: wrapped},
		{name: "close", ability: "close", see: closes},
		{name: "permit", ability: "close", where: counted, see: permit},
		{name: "reset", ability: "reset", see: reset},
		{name: "nmi", ability: "nmi", see: nmi},
		{name: "sensors", ability: "sensors", see: sensors},
		{name: "event log", ability: "event log", see: eventLog},
		{name: "boot modes", ability: "boot modes", see: bootModes},
		{name: "secure boot", ability: "secure boot", see: secureBoot},
		{name: "indicators", ability: "indicators", see: indicators},
		{name: "virtual media", ability: "virtual media", see: virtualMedia},
		{name: "bios settings", ability: "bios settings", see: biosSettings},
		{name: "firmware", ability: "firmware", see: firmware},
		{name: "vendor", ability: "vendor", see: vendor},
		{name: "many machines at once", see: manyMachines},
		{name: "one machine at once", see: oneMachineShared},
		{name: "boot device is set", where: boots, see: bootDeviceIsSet},
		{name: "boot device repeats change nothing", where: boots, see: bootDeviceRepeats},
		{name: "boot device used up", where: boots, see: bootDeviceUsedUp},
		{name: "boot mode is left", where: modes, see: bootModeIsLeft},
		{name: "foreign boot devices", where: boots, see: foreignBootDevices},
		{name: "lost boot reply", fault: LostReply, where: boots, see: lostBootReply},
	}
}

// Run runs all facts about what the suite declares, each on a rig of its own.
func Run(t *testing.T, s Suite) {
	for _, f := range facts() {
		if !f.holds(s) {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the rig and its machines are gone
			f.see(t, s, s.New(t))
		})
	}
}

// Faults are all but Healthy, for rigs that can make each of them.
func Faults() []Fault { return []Fault{Dead, Busy, LostReply, Full} }

// faults: the rig can make those that the suite declares and no others, so that no fact is left out unseen.
func faults(t *testing.T, s Suite, rig Rig) {
	for _, f := range Faults() {
		require.Equal(t, slices.Contains(s.Faults, f), rig.Break(t, f), "%s", f)
	}
	rig.Break(t, Healthy)
	_, err := open(t, rig, RightPassword).PowerState(enough(t))
	require.NoError(t, err)
}

// has is an ability of a machine of the rig's.
func has[T any](t *testing.T, rig Rig) T {
	t.Helper()
	able, ok := ingot.As[T](open(t, rig, RightPassword))
	require.True(t, ok, "not one of the driver's abilities")
	return able
}
