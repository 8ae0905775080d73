package ipmi_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
		Modes: true, Counted: true, Faults: drivertest.Faults(), Abilities: []string{"close", "boot devices", "reset", "nmi", "sensors", "event log", "indicators", "vendor"},
	})
}

func TestDriverIPv6(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		New: virtual("::1", ipmi.Options{Timeout: 200 * time.Millisecond, Attempts: 3}), PowerOnly: true, Faults: drivertest.Faults(),
		Abilities: []string{"close", "boot devices", "reset", "nmi", "sensors", "event log", "indicators", "vendor"},
	})
}

// The same suite through ipmitool, whose sensors are not read.
func TestDriverTool(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		New:     virtual("127.0.0.1", ipmi.Options{Backend: ipmi.BackendTool, Attempts: 1, Suites: &ipmi.Suites{}}),
		Devices: []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk}, Hidden: []ingot.BootDevice{ingot.BootSafe, ingot.BootCDROM, ingot.BootBIOS},
		Foreign: []ingot.BootDevice{ingot.BootUEFIHTTP}, Modes: true, Counted: true, Faults: drivertest.Faults(), Abilities: []string{"close", "boot devices", "reset", "nmi", "event log", "indicators", "vendor"},
	})
}

// bmclib's own way with addresses would leave out where to connect to.
func TestToolIPv6(t *testing.T) {
	rig := virtual("::1", ipmi.Options{Backend: ipmi.BackendTool})(t)
	m := rig.Machine(t, drivertest.RightPassword)
	require.NoError(t, m.SetPower(within(t, 20*time.Second), ingot.ActionOn))
	require.Equal(t, ingot.PowerOn, rig.Truth(t).Power)
}

// ipmi_sim as a rig: it shares no code with the driver, and cannot show boot overrides.
func TestDriverSimulator(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		New:       func(t testing.TB) drivertest.Rig { return simulated{startSimulator(t)} },
		PowerOnly: true, NoNMI: true, Faults: []drivertest.Fault{drivertest.Dead}, LightsUnread: true, Abilities: []string{"close", "boot devices", "reset", "nmi", "sensors", "event log", "indicators", "vendor"},
	})
}

type simulated struct{ *simulator }

func (s simulated) Machine(t testing.TB, login drivertest.Login) ingot.Machine {
	info := s.info()
	if login == drivertest.WrongPassword {
		info["ipmi_password"] = "guess"
	}
	m, err := ipmi.New(info, ipmi.Options{Timeout: 200 * time.Millisecond, Attempts: 3})
	require.NoError(t, err)
	return m
}

func (s simulated) Truth(t testing.TB) drivertest.Truth {
	truth := drivertest.Truth{Address: "127.0.0.1:" + strconv.Itoa(s.port), Power: ingot.PowerOff}
	if s.read(t, "power") == "1" {
		truth.Power = ingot.PowerOn
	}
	for line := range strings.Lines(s.read(t, "log")) {
		switch word, _, _ := strings.Cut(line, " "); word {
		case "power", "shutdown", "reset":
			truth.PowerCommands++
		case "boot":
			truth.BootCommands++
		}
	}
	return truth
}

func (s simulated) SetPower(t testing.TB, state ingot.PowerState) {
	s.write(t, "power", map[ingot.PowerState]string{ingot.PowerOn: "1", ingot.PowerOff: "0"}[state])
}

func (s simulated) Boots(testing.TB) {}

func (s simulated) Break(_ testing.TB, f drivertest.Fault) bool {
	signal := syscall.SIGCONT
	if f == drivertest.Dead {
		signal = syscall.SIGSTOP
	}
	return s.process.Signal(signal) == nil && (f == drivertest.Dead || f == drivertest.Healthy)
}
