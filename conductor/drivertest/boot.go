package drivertest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// settings are all that a machine must be able to boot from.
func (s Suite) settings() []ingot.BootSetting {
	modes := []ingot.BootMode{""}
	if s.Modes {
		modes = []ingot.BootMode{ingot.ModeUEFI, ingot.ModeBIOS}
	}
	var all []ingot.BootSetting
	for _, device := range s.Devices {
		for _, mode := range modes {
			if device == ingot.BootUEFIHTTP && mode == ingot.ModeBIOS {
				continue // a contradiction
			}
			for _, persistent := range []bool{false, true} {
				all = append(all, ingot.BootSetting{Device: device, Persistent: persistent, Mode: mode})
			}
		}
	}
	return all
}

// same asserts that got is want, but for a mode that want leaves open.
func same(t testing.TB, want, got ingot.BootSetting, note string) {
	t.Helper()
	if want.Mode == "" {
		got.Mode = ""
	}
	require.Equal(t, want, got, note)
}

func bootDeviceIsSet(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	got, err := m.BootDevice(enough(t))
	require.NoError(t, err)
	require.Empty(t, got.Device, "there is no override yet")
	for _, want := range s.settings() {
		require.NoError(t, m.SetBootDevice(enough(t), want), "%+v", want)
		same(t, want, rig.Truth(t).Boot, "on the other side")
		got, err := m.BootDevice(enough(t))
		require.NoError(t, err)
		same(t, want, got, "as the driver reads it")
	}
}

func bootDeviceRepeats(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, want := range s.settings() {
		before := rig.Truth(t).BootCommands
		require.NoError(t, m.SetBootDevice(enough(t), want))
		once := rig.Truth(t)
		require.Greater(t, once.BootCommands, before, "%+v is another than before", want)
		require.NoError(t, m.SetBootDevice(enough(t), want))
		another(t, rig, func(m ingot.Machine) { require.NoError(t, m.SetBootDevice(enough(t), want)) })
		require.Equal(t, once, rig.Truth(t), "what holds already is not commanded again")
	}
}

// An override for one boot is gone after it: the driver must see that, and set it again when asked.
func bootDeviceUsedUp(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	want := ingot.BootSetting{Device: s.Devices[0]}
	for range 2 {
		require.NoError(t, m.SetBootDevice(enough(t), want))
		same(t, want, rig.Truth(t).Boot, "set")
		rig.Boots(t)
		require.Empty(t, rig.Truth(t).Boot.Device)
		got, err := m.BootDevice(enough(t))
		require.NoError(t, err)
		require.Empty(t, got.Device)
	}
	want.Persistent = true
	require.NoError(t, m.SetBootDevice(enough(t), want))
	rig.Boots(t)
	same(t, want, rig.Truth(t).Boot, "persistent")
}

func bootModeIsLeft(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	for _, mode := range []ingot.BootMode{ingot.ModeBIOS, ingot.ModeUEFI} {
		require.NoError(t, m.SetBootDevice(enough(t), ingot.BootSetting{Device: s.Devices[0], Mode: mode}))
		require.NoError(t, m.SetBootDevice(enough(t), ingot.BootSetting{Device: s.Devices[1]}))
		require.Equal(t, ingot.BootSetting{Device: s.Devices[1], Mode: mode}, rig.Truth(t).Boot)
	}
}

func foreignBootDevices(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	require.NoError(t, m.SetBootDevice(enough(t), ingot.BootSetting{Device: s.Devices[0]}))
	before := rig.Truth(t)
	for _, device := range append([]ingot.BootDevice{"", "floppy-of-1985"}, s.Foreign...) {
		err := m.SetBootDevice(enough(t), ingot.BootSetting{Device: device})
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%q: %v", device, err)
	}
	require.Equal(t, before, rig.Truth(t))
	if known, ok := ingot.As[ingot.BootDevices](m); ok {
		require.ElementsMatch(t, slices.Concat(s.Devices, s.Hidden), known.SupportedBootDevices())
	}
}

func lostBootReply(t *testing.T, s Suite, rig Rig) {
	m := open(t, rig, RightPassword)
	breaks(t, rig, LostReply)
	want := ingot.BootSetting{Device: s.Devices[0], Persistent: true}
	if err := m.SetBootDevice(enough(t), want); err != nil {
		passes(t, err)
	}
	rig.Break(t, Healthy)
	require.NoError(t, m.SetBootDevice(enough(t), want))
	same(t, want, rig.Truth(t).Boot, "asked again")
}
