package fake

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// agent is the fake ramdisk agent of one boot.
type agent struct {
	identity string
	token    ingot.Secret
	commands []command
}

type command struct {
	ingot.AgentCommand
	ends time.Time
}

// startAgent has the machine's agent call in after the boot delay. The machine is locked.
func (m *machine) startAgent() {
	m.boot++
	m.calling = m.boot
	boot := m.boot
	time.AfterFunc(m.rack.Delays.Boot.draw(), func() { m.untilHeard(callTries, func() error { return m.callIn(boot) }) })
}

// seek starts the agent of a machine that another process had boot it: here the machine is on, and nothing has called or
// is about to. The service then learns that whatever ran there is gone. The machine is locked.
func (m *machine) seek(node *ingot.Node) {
	m.settle()
	if m.agent == nil && m.power == ingot.PowerOn && (m.calling == 0 || m.calling != m.boot) && node.PowerState == ingot.PowerOn && node.Boot.Action == ingot.BootKernel {
		m.startAgent()
	}
}

// Await has a machine go on that another process had boot the ramdisk: an operation waits for its agent to call
// (conductor.AgentAwaiter). One that was off when this process last had to do with it is on, as the row says, if this
// process has never heard of that boot.
func (r *Rack) Await(node *ingot.Node) {
	m := r.find(node)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	if m.heard != node.Boot.Token && m.after == "" && node.PowerState == ingot.PowerOn && node.Boot.Action == ingot.BootKernel {
		m.power = ingot.PowerOn
	}
	m.heard = node.Boot.Token
	m.seek(node)
}

// How long an agent tries to be heard by a service that does not answer for now.
const (
	callTries = 300
	callPause = time.Second
)

// untilHeard calls, and again while that fails for now.
func (m *machine) untilHeard(tries int, call func() error) {
	if ingot.CodeOf(call()) == ingot.Unavailable && tries > 1 {
		time.AfterFunc(callPause, func() { m.untilHeard(tries-1, call) })
	}
}

// callIn is what an agent does when it has booted: look itself up, report its hardware if asked, and call.
func (m *machine) callIn(boot int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if !m.is(boot) {
		return nil
	}
	node, err := m.rack.Caller.Lookup(ctx, nil, m.node, fakeAddress)
	if err != nil {
		if ingot.CodeOf(err) != ingot.Unavailable {
			m.refused(boot)
		}
		m.rack.Log.Debug("a fake agent was not let in", "node", m.node, "error", err)
		return err
	}
	m.mu.Lock()
	m.agent = &agent{identity: rand.Text(), token: node.Agent.Token}
	m.mu.Unlock()
	if node.Boot.Purpose == "inspect" {
		time.AfterFunc(m.rack.Delays.Inspect.draw(), func() { m.untilHeard(callTries, func() error { return m.report(boot) }) })
		return nil
	}
	m.beat(boot)
	return nil
}

// report tells what the agent of that boot has found.
func (m *machine) report(boot int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if !m.is(boot) {
		return nil
	}
	_, err := m.rack.Caller.ContinueInspection(ctx, m.node, inventory(), map[string]any{}, fakeAddress)
	if err != nil {
		m.rack.Log.Debug("a fake agent's inventory was not taken", "node", m.node, "error", err)
	}
	return err
}

// refused notes that nothing will call in that boot.
func (m *machine) refused(boot int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calling == boot {
		m.calling = 0
	}
}

// fakeAddress is where fake agents seem to be: an address of the documentation range (RFC 5737).
const fakeAddress = "192.0.2.1"

// is says whether the machine is still in that boot.
func (m *machine) is(boot int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.boot == boot && m.power == ingot.PowerOn
}

func (m *machine) heartbeat(boot int) error {
	m.mu.Lock()
	a := m.agent
	gone := m.boot != boot || a == nil
	m.mu.Unlock()
	if gone {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := m.rack.Caller.Heartbeat(ctx, m.node, ingot.Heartbeat{
		CallbackURL: "https://" + fakeAddress + ":9999", Token: a.token, Version: "fake", CA: a.identity, From: fakeAddress,
	})
	if err != nil {
		m.rack.Log.Debug("a fake agent's heartbeat was refused", "node", m.node, "error", err)
	}
	return err
}

// beat sends a heartbeat now and then, for as long as the machine is in that boot.
func (m *machine) beat(boot int) {
	if !m.is(boot) {
		return
	}
	_ = m.heartbeat(boot) // the next one may be heard
	time.AfterFunc(m.rack.Delays.beats(), func() { m.beat(boot) })
}

// Commands lists the commands that the node's fake agent was given (the conductor's wire to agents).
func (r *Rack) Commands(_ context.Context, node *ingot.Node) ([]ingot.AgentCommand, error) {
	m := r.machine(node)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seek(node); m.agent == nil {
		return nil, ingot.Errorf(ingot.Unavailable, "no agent answers on fake node %s", node.UUID)
	}
	commands := make([]ingot.AgentCommand, 0, len(m.agent.commands))
	for i := range m.agent.commands {
		commands = append(commands, m.agent.commands[i].now())
	}
	return commands, nil
}

// now is the command as it is at this moment.
func (c *command) now() ingot.AgentCommand {
	if c.Status == ingot.CommandRunning && !time.Now().Before(c.ends) {
		c.Status = ingot.CommandSucceeded
	}
	return c.AgentCommand
}

// Send gives the node's fake agent a command.
func (r *Rack) Send(_ context.Context, node *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error) {
	m := r.machine(node)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seek(node); m.agent == nil {
		return ingot.AgentCommand{}, ingot.Errorf(ingot.Unavailable, "no agent answers on fake node %s", node.UUID)
	}
	for i := range m.agent.commands {
		if m.agent.commands[i].now().Status == ingot.CommandRunning {
			return ingot.AgentCommand{}, ingot.Errorf(ingot.Locked, "Agent is busy")
		}
	}
	done := command{AgentCommand: ingot.AgentCommand{
		ID: uuid.NewString(), Name: bareName(request.Name), Params: request.Params, Status: ingot.CommandSucceeded, Result: answer(request.Name),
	}}
	if delay := r.Delays.ofCommand(done.Name); delay > 0 && !wait {
		done.Status, done.ends = ingot.CommandRunning, time.Now().Add(delay)
		boot := m.boot
		time.AfterFunc(delay, func() { m.untilHeard(callTries, func() error { return m.heartbeat(boot) }) })
	}
	m.agent.commands = append(m.agent.commands, done)
	return done.AgentCommand, nil
}

// ReadDisk gives the disk of the node's fake machine out: there is nothing on it.
func (r *Rack) ReadDisk(_ context.Context, node *ingot.Node, wish ingot.DiskWish, into io.Writer) error {
	m := r.machine(node)
	m.mu.Lock()
	m.seek(node)
	gone := m.agent == nil
	m.mu.Unlock()
	if gone {
		return ingot.Errorf(ingot.Unavailable, "no agent answers on fake node %s", node.UUID)
	}
	_, err := io.CopyN(into, blank{}, wish.Size)
	return err
}

// blank reads as zeros.
type blank struct{}

func (blank) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// ofCommand is how long a command of the agent takes.
func (d *Delays) ofCommand(name string) time.Duration {
	delay := d.Command.draw()
	switch name {
	case "prepare_image":
		delay += d.Deploy.draw()
	case "finalize_rescue":
		delay += d.Rescue.draw()
	}
	return delay
}

// bareName is a command's name without its extension, as agents list it.
func bareName(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}

// answer is the result of the commands that are asked for their result.
func answer(name string) map[string]any {
	version := map[string]any{"fake": "1"}
	switch name {
	case "clean.get_clean_steps":
		step := map[string]any{"step": "erase_devices_metadata", "priority": 99.0, "interface": "deploy", "reboot_requested": false, "abortable": true}
		whole := map[string]any{"step": "erase_devices", "priority": 10.0, "interface": "deploy", "reboot_requested": false, "abortable": true}
		return map[string]any{"clean_steps": map[string]any{"FakeHardwareManager": []any{step, whole}}, "hardware_manager_version": version}
	case "service.get_service_steps":
		step := map[string]any{"step": "burnin_cpu", "priority": 0.0, "interface": "deploy", "reboot_requested": false, "abortable": false}
		return map[string]any{"service_steps": map[string]any{"FakeHardwareManager": []any{step}}, "hardware_manager_version": version}
	case "deploy.get_deploy_steps":
		// Off unless somebody asks for it, as ironic-python-agent has it.
		step := map[string]any{"step": "erase_devices_metadata", "priority": 0.0, "interface": "deploy", "reboot_requested": false}
		return map[string]any{"deploy_steps": map[string]any{"FakeHardwareManager": []any{step}}, "hardware_manager_version": version}
	}
	return nil
}

// inventory is what a fake machine has: no interface, so that no port is made up.
func inventory() ingot.Inventory {
	return ingot.Inventory{
		Interfaces:   []ingot.InventoryInterface{},
		CPU:          ingot.InventoryCPU{Model: "Fake CPU", Frequency: "2000.0", Count: 4, Architecture: "x86_64"},
		Disks:        []ingot.InventoryDisk{{Name: "/dev/sda", Model: "Fake disk", Size: 100 << 30}},
		Memory:       ingot.InventoryMemory{Total: 8 << 30, PhysicalMB: 8192},
		SystemVendor: ingot.InventoryVendor{Product: "Fake server", Serial: "0", Manufacturer: "Ingot"},
		Boot:         ingot.InventoryBoot{CurrentMode: "uefi"},
	}
}
