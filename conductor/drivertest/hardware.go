package drivertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// bootModes: what is set is read back, and the boot override keeps it.
func bootModes(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.BootModes](t, rig)
	for _, want := range []ingot.BootMode{ingot.ModeBIOS, ingot.ModeUEFI, ingot.ModeUEFI} {
		require.NoError(t, able.SetBootMode(enough(t), want))
		got, err := able.BootMode(enough(t))
		require.NoError(t, err)
		require.Equal(t, want, got)
		once := rig.Truth(t).BootCommands
		require.NoError(t, able.SetBootMode(enough(t), want))
		require.Equal(t, once, rig.Truth(t).BootCommands, "what holds already is not commanded again")
	}
}

func secureBoot(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.SecureBoot](t, rig)
	for _, want := range []bool{true, false} {
		require.NoError(t, able.SetSecureBoot(enough(t), want))
		once := rig.Truth(t)
		got, err := able.SecureBoot(enough(t))
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, able.SetSecureBoot(enough(t), want))
		require.Equal(t, once, rig.Truth(t), "what holds already is not commanded again")
	}
}

// indicators: every light that is listed can be read, and those that are not only for reading be in each of their states.
func indicators(t *testing.T, s Suite, rig Rig) {
	able := has[ingot.Indicators](t, rig)
	list, err := able.Indicators(enough(t))
	require.NoError(t, err)
	for _, light := range list {
		require.NotEmpty(t, light.Name)
		require.Contains(t, []string{"chassis", "system", "disk", "power", "nic"}, light.Component)
		for _, want := range light.States {
			require.NoError(t, able.SetIndicator(enough(t), light.Component, light.Name, want))
			got, err := able.Indicator(enough(t), light.Component, light.Name)
			require.NoError(t, err)
			if s.LightsUnread {
				want = ingot.IndicatorUnknown
			}
			require.Equal(t, want, got, "%+v", light)
		}
	}
	_, err = able.Indicator(enough(t), "chassis", "the moon")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "%v", err)
	err = able.SetIndicator(enough(t), "the moon", "led", ingot.IndicatorOn)
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "%v", err)
}

// virtualMedia: an image goes in, in the place of another, and out; a sort of drive that is not there is Unsupported.
func virtualMedia(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.VirtualMedia](t, rig)
	for _, url := range []string{"http://198.51.100.1/a.iso", "http://198.51.100.1/b.iso"} {
		require.NoError(t, able.InsertMedia(enough(t), ingot.MediaCDROM, url))
		once := rig.Truth(t)
		require.Equal(t, url, once.Image)
		require.NoError(t, able.InsertMedia(enough(t), ingot.MediaCDROM, url))
		require.Equal(t, once, rig.Truth(t), "what holds already is not commanded again")
		drives, err := able.Media(enough(t))
		require.NoError(t, err)
		require.Len(t, drives, 1)
		require.True(t, drives[0].Inserted)
		require.Equal(t, url, drives[0].Image)
		require.Equal(t, []ingot.MediaDevice{ingot.MediaCDROM}, drives[0].Devices)
	}
	require.NoError(t, able.EjectMedia(enough(t), []ingot.MediaDevice{ingot.MediaFloppy}))
	require.NotEmpty(t, rig.Truth(t).Image, "another drive")
	require.NoError(t, able.EjectMedia(enough(t), []ingot.MediaDevice{ingot.MediaCDROM}))
	once := rig.Truth(t)
	require.Empty(t, once.Image)
	require.NoError(t, able.EjectMedia(enough(t), nil))
	require.Equal(t, once, rig.Truth(t), "it is empty already")
	err := able.InsertMedia(enough(t), ingot.MediaFloppy, "http://198.51.100.1/a.img")
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
}

// biosSettings: each has a name, and what can be changed holds after the machine has started again.
func biosSettings(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.BIOSSettings](t, rig)
	before, err := able.BIOSSettings(enough(t))
	require.NoError(t, err)
	require.NotEmpty(t, before)
	changer, ok := ingot.As[ingot.BIOSChanger](able)
	if !ok {
		return
	}
	wanted := map[string]string{}
	for _, s := range before {
		require.NotEmpty(t, s.Name)
		if s.Type == "Enumeration" && s.Value == s.Allowed[0] {
			wanted[s.Name] = s.Allowed[1]
		}
		if s.Type == "Integer" {
			wanted[s.Name] = "2"
		}
	}
	require.NotEmpty(t, wanted)
	restart, err := changer.ApplyBIOSSettings(enough(t), wanted)
	require.NoError(t, err)
	require.True(t, restart)
	rig.Boots(t)
	require.Subset(t, valuesOf(t, able), wanted)
	once := rig.Truth(t)
	restart, err = changer.ApplyBIOSSettings(enough(t), wanted)
	require.NoError(t, err)
	require.False(t, restart)
	require.Equal(t, once, rig.Truth(t), "what holds already is not commanded again")
	for name := range wanted {
		_, err := changer.ApplyBIOSSettings(enough(t), map[string]string{name: "the moon"})
		require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	}
	_, err = changer.ApplyBIOSSettings(enough(t), map[string]string{"TheMoon": "on"})
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
	_, err = changer.ResetBIOS(enough(t))
	require.NoError(t, err)
	rig.Boots(t)
	again, err := able.BIOSSettings(enough(t))
	require.NoError(t, err)
	require.Equal(t, before, again)
}

func valuesOf(t *testing.T, able ingot.BIOSSettings) map[string]string {
	t.Helper()
	settings, err := able.BIOSSettings(enough(t))
	require.NoError(t, err)
	values := map[string]string{}
	for _, s := range settings {
		values[s.Name] = s.Value
	}
	return values
}

func firmware(t *testing.T, _ Suite, rig Rig) {
	parts, err := has[ingot.FirmwareInventory](t, rig).FirmwareComponents(enough(t))
	require.NoError(t, err)
	require.NotEmpty(t, parts)
	for _, p := range parts {
		require.NotEmpty(t, p.Component)
		require.NotEmpty(t, p.CurrentVersion, p.Component)
	}
}

// vendor: methods are named, and one that does not exist is refused.
func vendor(t *testing.T, _ Suite, rig Rig) {
	able := has[ingot.Vendor](t, rig)
	require.NotEmpty(t, able.VendorMethods())
	for _, m := range able.VendorMethods() {
		require.NotEmpty(t, m.Name)
		require.NotEmpty(t, m.HTTP, m.Name)
		require.NotEmpty(t, m.Description, m.Name)
	}
	_, err := able.CallVendor(enough(t), "to_the_moon", map[string]any{})
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
}
