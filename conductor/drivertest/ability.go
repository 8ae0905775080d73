package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// found names the extra abilities that ingot.As finds in a machine.
func found(m any) []string {
	var names []string
	note := func(name string, ok bool) {
		if ok {
			names = append(names, name)
		}
	}
	_, ok := ingot.As[ingot.Closer](m)
	note("close", ok)
	_, ok = ingot.As[ingot.BootDevices](m)
	note("boot devices", ok)
	_, ok = ingot.As[ingot.Resetter](m)
	note("reset", ok)
	_, ok = ingot.As[ingot.NMI](m)
	note("nmi", ok)
	_, ok = ingot.As[ingot.Sensors](m)
	note("sensors", ok)
	_, ok = ingot.As[ingot.EventLog](m)
	note("event log", ok)
	_, ok = ingot.As[ingot.BootModes](m)
	note("boot modes", ok)
	_, ok = ingot.As[ingot.SecureBoot](m)
	note("secure boot", ok)
	_, ok = ingot.As[ingot.HealthMonitor](m)
	note("health", ok)
	_, ok = ingot.As[ingot.MakerNamer](m)
	note("maker", ok)
	_, ok = ingot.As[ingot.Indicators](m)
	note("indicators", ok)
	_, ok = ingot.As[ingot.VirtualMedia](m)
	note("virtual media", ok)
	_, ok = ingot.As[ingot.BIOSSettings](m)
	note("bios settings", ok)
	_, ok = ingot.As[ingot.FirmwareInventory](m)
	note("firmware", ok)
	_, ok = ingot.As[ingot.Vendor](m)
	note("vendor", ok)
	return names
}

func abilities(t *testing.T, s Suite, rig Rig) {
	require.ElementsMatch(t, s.Abilities, found(open(t, rig, RightPassword)))
}

// wrapper is what the service puts around a machine: it has the two abilities of every machine only.
type wrapper struct {
	ingot.Machine
	under ingot.Machine
}

func (w wrapper) Unwrap() any { return w.under }

// assembly is a machine put together out of two.
type assembly struct {
	ingot.Machine
	parts []any
}

func (a assembly) Unwrap() []any { return a.parts }

func wrapped(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	twice := wrapper{m, wrapper{m, m}}
	require.ElementsMatch(t, s.Abilities, found(twice))
	require.ElementsMatch(t, s.Abilities, found(assembly{m, []any{struct{}{}, twice}}))
}

func nmi(t *testing.T, s Suite, rig Rig) {
	able := has[ingot.NMI](t, rig)
	rig.SetPower(t, ingot.PowerOn)
	err := able.InjectNMI(enough(t))
	if s.NoNMI {
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, 1, rig.Truth(t).NMIs)
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
}

func sensors(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.Sensors](t, rig)
	read, err := able.Sensors(enough(t))
	require.NoError(t, err)
	require.NotEmpty(t, read)
	for _, s := range read {
		require.NotEmpty(t, s.Name)
		require.NotEmpty(t, s.Kind, s.Name)
		require.Contains(t, []string{"ok", "warning", "critical", "unavailable"}, s.Status, s.Name)
		if s.Kind == "temperature" {
			require.Equal(t, "degrees C", s.Unit, s.Name)
		}
	}
}

func eventLog(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.EventLog](t, rig)
	_, err := able.EventLog(enough(t))
	require.NoError(t, err)
	require.NoError(t, able.ClearEventLog(enough(t)))
	left, err := able.EventLog(enough(t))
	require.NoError(t, err)
	require.LessOrEqual(t, len(left), 1, "a BMC may note that its log was cleared")
}

// closes: closing is harmless whenever and however often, and a closed machine may be used again.
func closes(t *testing.T, _ Suite, rig Rig) {
	closer, ok := ingot.As[ingot.Closer](rig.Machine(t, RightPassword))
	require.True(t, ok)
	require.NoError(t, closer.Close(), "never used")
	m := rig.Machine(t, RightPassword)
	closer, _ = ingot.As[ingot.Closer](m)
	for range 3 {
		_, err := m.PowerState(enough(t))
		require.NoError(t, err)
		require.NoError(t, closer.Close())
		require.NoError(t, closer.Close(), "closed already")
	}
}
