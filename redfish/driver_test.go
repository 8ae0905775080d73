package redfish_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/lab/vbmc"
	"github.com/ingot-metal/ingot/redfish"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDriver(t *testing.T) {
	for _, auth := range []string{"auto", "basic", "session"} {
		t.Run(auth, func(t *testing.T) {
			drivertest.Run(t, drivertest.Suite{
				New: func(t testing.TB) drivertest.Rig {
					return drivertest.NewVirtual(t, vbmc.ProtocolRedfish, "127.0.0.1", func(t testing.TB, at drivertest.Endpoint) ingot.Machine {
						m, err := redfish.New(map[string]any{"redfish_address": at.URL, "redfish_username": at.User, "redfish_password": ingot.Secret(at.Password)}, redfish.Options{AuthType: auth})
						if err != nil {
							t.Fatal(err)
						}
						return m
					})
				},
				Devices: []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM, ingot.BootBIOS, ingot.BootUEFIHTTP}, Foreign: []ingot.BootDevice{ingot.BootSafe},
				Modes: true, Counted: true, Faults: drivertest.Faults(), Abilities: []string{
					"close", "boot devices", "reset", "nmi", "sensors", "boot modes", "secure boot", "health", "maker", "indicators", "virtual media", "bios settings", "firmware", "vendor",
				},
			})
		})
	}
}
