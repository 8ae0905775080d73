package redfish_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// off is a machine that is never on.
type off struct{}

func (off) Power(context.Context) (bool, error)                         { return false, nil }
func (off) SetPower(context.Context, vbmc.PowerAction, vbmc.Boot) error { return nil }

// bare makes a machine behind a virtual BMC without a virtual drive.
func bare(t *testing.T) ingot.Machine {
	t.Helper()
	server := &vbmc.Server{Machine: off{}, RedfishListen: "127.0.0.1:0", Username: "admin", Password: "secret"}
	require.NoError(t, server.Listen())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	return machine(t, server.RedfishURL(), map[string]any{"redfish_username": "admin", "redfish_password": "secret"})
}

// TestRegistry: a setting comes with what the service's attribute registry says of it.
func TestRegistry(t *testing.T) {
	bios, ok := ingot.As[ingot.BIOSSettings](bare(t))
	require.True(t, ok)
	settings, err := bios.BIOSSettings(within(t, 10*time.Second))
	require.NoError(t, err)
	named := func(name string) ingot.BIOSSetting {
		i := slices.IndexFunc(settings, func(s ingot.BIOSSetting) bool { return s.Name == name })
		require.GreaterOrEqual(t, i, 0, name)
		return settings[i]
	}
	turbo, channels, tag, quiet := named("ProcTurboMode"), named("MemoryChannels"), named("AssetTag"), named("QuietBoot")
	require.Equal(t, []string{"Enabled", "Disabled"}, turbo.Allowed)
	require.Equal(t, "Enumeration", turbo.Type)
	require.False(t, *turbo.ReadOnly)
	require.True(t, *turbo.ResetRequired)
	require.Equal(t, "4", channels.Value)
	require.Equal(t, 1, *channels.LowerBound)
	require.Equal(t, 8, *channels.UpperBound)
	require.Equal(t, 63, *tag.MaxLength)
	require.True(t, *tag.Unique)
	require.Equal(t, "true", quiet.Value)
	require.Equal(t, "Boolean", quiet.Type)
}

// TestNoDrive: a system without virtual drives says so, and the vendor method of Ironic's is held to its words.
func TestNoDrive(t *testing.T) {
	m := bare(t)
	media, ok := ingot.As[ingot.VirtualMedia](m)
	require.True(t, ok)
	err := media.InsertMedia(within(t, 10*time.Second), ingot.MediaCDROM, "http://x")
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err))
	require.ErrorContains(t, err, "has no virtual media")
	vendor, ok := ingot.As[ingot.Vendor](m)
	require.True(t, ok)
	require.NoError(t, vendor.CheckVendor("eject_vmedia", map[string]any{"boot_device": "dvd"}))
	require.ErrorContains(t, vendor.CheckVendor("eject_vmedia", map[string]any{"boot_device": "tape"}), "Boot device tape is not a valid value")
}

// TestPlainSystem: a system without the resources for it is Unsupported.
func TestPlainSystem(t *testing.T) {
	m := machine(t, newPretend("node").start(t).URL, nil)
	for what, ask := range map[string]func() error{
		"boot mode":   func() error { return m.(ingot.BootModes).SetBootMode(t.Context(), ingot.ModeBIOS) },
		"secure boot": func() error { _, err := m.(ingot.SecureBoot).SecureBoot(t.Context()); return err },
		"bios":        func() error { _, err := m.(ingot.BIOSSettings).BIOSSettings(t.Context()); return err },
	} {
		err := ask()
		require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%s: %v", what, err)
	}
	lights, err := m.(ingot.Indicators).Indicators(t.Context())
	require.NoError(t, err)
	require.Empty(t, lights)
}
