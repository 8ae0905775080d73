package ipmi_test

import (
	"testing"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/ipmi"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// virtual starts a virtual BMC for machines of these options.
func virtual(host string, opt ipmi.Options) func(t testing.TB) drivertest.Rig {
	return func(t testing.TB) drivertest.Rig {
		return drivertest.NewVirtual(t, vbmc.ProtocolIPMI, host, func(t testing.TB, at drivertest.Endpoint) ingot.Machine {
			m, err := ipmi.New(map[string]any{"ipmi_address": at.Host, "ipmi_port": at.Port, "ipmi_username": at.User, "ipmi_password": ingot.Secret(at.Password)}, opt)
			if err != nil {
				t.Fatal(err)
			}
			return m
		})
	}
}

func TestDriver(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		New:     virtual("127.0.0.1", ipmi.Options{Timeout: 200 * time.Millisecond, Attempts: 3}),
		Devices: []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM, ingot.BootBIOS}, Hidden: []ingot.BootDevice{ingot.BootSafe}, Foreign: []ingot.BootDevice{ingot.BootUEFIHTTP},
		Modes: true, Abilities: []string{"close", "boot devices", "nmi", "sensors", "event log"},
	})
}

func TestDriverIPv6(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{New: virtual("::1", ipmi.Options{Timeout: 200 * time.Millisecond, Attempts: 3}), PowerOnly: true,
		Abilities: []string{"close", "boot devices", "nmi", "sensors", "event log"}})
}

// The same suite through ipmitool, which cannot read sensors in a form worth parsing.
func TestDriverTool(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			drivertest.Run(t, drivertest.Suite{
				New:     virtual(host, ipmi.Options{Backend: ipmi.BackendTool, Attempts: 1, Suites: &ipmi.Suites{}}),
				Devices: []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk}, Hidden: []ingot.BootDevice{ingot.BootSafe, ingot.BootCDROM, ingot.BootBIOS},
				Foreign: []ingot.BootDevice{ingot.BootUEFIHTTP}, Modes: true, Abilities: []string{"close", "boot devices", "nmi", "event log"},
				PowerOnly: host == "::1",
			})
		})
	}
}
