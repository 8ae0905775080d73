// Package fake is hardware type fake-hardware: machines and agents that live in this process and complete every verb
// after configurable delays. It replaces the machine and the agent's wire, never the plans: a fake deploy commits the
// same steps as a real one. A process that ends takes its fake agents with it, as a power cut would.
package fake

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// Delays are how long fake hardware takes (Ironic: [fake]power_delay, boot_delay, deploy_delay …). Zero is at once.
type Delays struct {
	Power   Delay // from the command to the new power state
	Boot    Delay // from power on to the agent's first call
	Inspect Delay // from there to the agent's report, when it inspects
	Command Delay // of one agent command that works on disks
	// On top of it, of the agent commands that write the image, and that make the rescue system ready.
	Deploy Delay
	Rescue Delay
	// From being asked to holding, of what the other interfaces change.
	Management Delay
	BIOS       Delay
	RAID       Delay
	Firmware   Delay
	Vendor     Delay         // of one vendor method
	Beat       time.Duration // between an agent's heartbeats; zero is a minute
}

func (d Delays) beats() time.Duration {
	if d.Beat == 0 {
		return time.Minute
	}
	return d.Beat
}

// Caller takes what fake agents say: the conductor.
type Caller interface {
	Lookup(ctx context.Context, macs []string, nodeUUID, from string) (ingot.Node, error)
	Heartbeat(ctx context.Context, nodeUUID string, hb ingot.Heartbeat) error
	ContinueInspection(ctx context.Context, nodeUUID string, inventory ingot.Inventory, plugin map[string]any, from string) (ingot.Node, error)
}

// Rack is all fake machines of a process.
type Rack struct {
	Delays Delays
	Caller Caller // set before the first machine starts
	Log    *slog.Logger

	mu       sync.Mutex
	machines map[string]*machine
}

// machine is one fake server.
type machine struct {
	rack *Rack
	node string // UUID

	mu     sync.Mutex
	power  ingot.PowerState
	after  ingot.PowerState // what power becomes at changes
	change time.Time
	device ingot.BootSetting
	boot   int // counts boots: what an earlier boot scheduled is dropped
	// calling is the boot whose agent has called or is about to; 0 is none.
	calling int
	agent   *agent
	heard   string // the token of the last boot that this process had to do with
	management
	firmware
}

// Machine is the node's fake server (ingot.Machine with all extra abilities). One that this process has not seen yet
// is taken to be as the node's row says.
func (r *Rack) Machine(node *ingot.Node) ingot.Machine { return r.machine(node) }

func (r *Rack) machine(node *ingot.Node) *machine {
	m := r.find(node)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = node.Boot.Token
	return m
}

func (r *Rack) find(node *ingot.Node) *machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.machines[node.UUID]; m != nil {
		return m
	}
	if r.machines == nil {
		r.machines = map[string]*machine{}
	}
	m := &machine{
		rack: r, node: node.UUID, power: node.PowerState, device: ingot.BootSetting{Device: ingot.BootDisk, Persistent: true},
		management: asRecorded(node), firmware: fromFactory(node),
	}
	if m.power == "" {
		m.power = ingot.PowerOff
	}
	r.machines[node.UUID] = m
	if m.power == ingot.PowerOn && node.Boot.Action == ingot.BootKernel {
		m.startAgent()
	}
	return m
}

// PowerState is the power now.
func (m *machine) PowerState(context.Context) (ingot.PowerState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	return m.power, nil
}

// settle carries out a change of power whose time has come.
func (m *machine) settle() {
	if m.after == "" || time.Now().Before(m.change) {
		return
	}
	m.power, m.after = m.after, ""
	if m.power == ingot.PowerOff {
		m.agent = nil
		m.boot++
		return
	}
	if m.device.Device == ingot.BootPXE {
		m.startAgent()
	}
	if !m.device.Persistent {
		m.device = ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}
	}
}

// SetPower changes the power after the configured delay.
func (m *machine) SetPower(_ context.Context, action ingot.PowerAction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	want := ingot.PowerOff
	if action == ingot.ActionOn {
		want = ingot.PowerOn
	}
	if m.power == want || m.after == want {
		return nil
	}
	m.after, m.change = want, time.Now().Add(m.rack.Delays.Power.draw())
	m.settle()
	return nil
}

// Reset starts the machine again without switching it off (ingot.Resetter).
func (m *machine) Reset(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	m.agent, m.power, m.after, m.change = nil, ingot.PowerOff, ingot.PowerOn, time.Now()
	m.boot++
	m.settle()
	return nil
}

// BootDevice is what the machine boots from next.
func (m *machine) BootDevice(context.Context) (ingot.BootSetting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.device, nil
}

// SetBootDevice sets it.
func (m *machine) SetBootDevice(_ context.Context, want ingot.BootSetting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device = want
	return nil
}

// SupportedBootDevices are those of Ironic's fake management.
func (m *machine) SupportedBootDevices() []ingot.BootDevice {
	return []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM}
}

// InjectNMI does what a machine without an operating system does with an NMI: nothing that can be seen.
func (m *machine) InjectNMI(context.Context) error { return nil }

// Sensors are one of each kind.
func (m *machine) Sensors(context.Context) ([]ingot.Sensor, error) {
	return []ingot.Sensor{
		{Name: "CPU1 Temp", Kind: "temperature", Value: 42, Unit: "degrees C", Status: "ok"},
		{Name: "FAN1", Kind: "fan", Value: 3000, Unit: "RPM", Status: "ok"},
	}, nil
}
