package guestbmc

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// powerPoll is how often a change of power is looked at that a client waits for.
const powerPoll = 100 * time.Millisecond

// machine is a guest as its BMC controls it.
type machine struct {
	service     *Service
	node        string
	description vbmc.Description
}

// machine finds a guest. What its BMC says of it is from now.
func (s *Service) machine(ctx context.Context, id string) (*machine, error) {
	node, err := s.Nodes.Node(ctx, id)
	if err != nil {
		return nil, err
	}
	ports, err := s.Nodes.ListPorts(ctx, ingot.PortQuery{NodeUUID: id})
	if err != nil {
		return nil, err
	}
	d := vbmc.Description{Manufacturer: "Ingot", Model: "Guest", Serial: id, LegacyBIOS: ingot.Capability(node.Properties, "boot_mode") != string(ingot.ModeUEFI)}
	if d.UUID, err = uuid.Parse(id); err != nil {
		return nil, fmt.Errorf("cannot read the UUID of %s: %w", node.Label(), err)
	}
	if amounts, err := ingot.GuestAmounts(&node); err == nil {
		d.CPUs, d.MemoryMiB = int(amounts[ingot.VCPU]), int(amounts[ingot.MemoryMB])
	}
	for i := range ports {
		d.MACs = append(d.MACs, ports[i].Address)
	}
	return &machine{service: s, node: id, description: d}, nil
}

// Describe is the inventory that the BMC shows.
func (m *machine) Describe() vbmc.Description { return m.description }

// Power is the power as the node has it.
func (m *machine) Power(ctx context.Context) (bool, error) {
	node, err := m.service.Nodes.Node(ctx, m.node)
	if err == nil && node.PowerState == "" {
		err = ingot.Errorf(ingot.Unavailable, "the power state of %s is not known", node.Label())
	}
	return node.PowerState == ingot.PowerOn, err
}

// SetPower asks for a change of power as a user does, and waits for it.
func (m *machine) SetPower(ctx context.Context, action vbmc.PowerAction, boot vbmc.Boot) error {
	target, known := map[vbmc.PowerAction]ingot.PowerTarget{
		vbmc.PowerOn: ingot.TargetPowerOn, vbmc.PowerOff: ingot.TargetPowerOff, vbmc.PowerReset: ingot.TargetReboot, vbmc.PowerShutdown: ingot.TargetSoftOff,
	}[action]
	if !known {
		return fmt.Errorf("cannot do %q to a guest", action)
	}
	ctx = ingot.WithIdentity(ctx, ingot.Identity{User: "virtual BMC", System: true, Roles: []string{ingot.RoleAdmin}})
	node, err := m.service.Nodes.Node(ctx, m.node)
	if err != nil {
		return err
	}
	if boot.Set() && (action == vbmc.PowerOn || action == vbmc.PowerReset) {
		if err := m.setBoot(ctx, &node, boot); err != nil {
			return err
		}
	}
	if err := m.service.Control.SetPower(ctx, node, target, 0); err != nil {
		return err
	}
	if action == vbmc.PowerShutdown {
		return nil
	}
	return m.await(ctx, action != vbmc.PowerOff)
}

// setBoot has the guest boot what its BMC was told, once or for good.
func (m *machine) setBoot(ctx context.Context, node *ingot.Node, boot vbmc.Boot) error {
	setting := ingot.BootSetting{Device: ingot.BootDevice(boot.Device), Persistent: boot.Persistent}
	if boot.EFI {
		setting.Mode = ingot.ModeUEFI
	}
	return m.service.Control.SetBootDevice(ctx, *node, setting)
}

// await waits for the end of the operation that changes the power.
func (m *machine) await(ctx context.Context, on bool) error {
	again := time.NewTicker(powerPoll)
	defer again.Stop()
	for {
		node, err := m.service.Nodes.Node(ctx, m.node)
		switch {
		case err != nil:
			return err
		case node.TargetPowerState != "":
		case (node.PowerState == ingot.PowerOn) != on:
			return fmt.Errorf("the power of %s did not change: %s", node.Label(), node.LastError)
		default:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the power of %s did not change in time: %w", node.Label(), ctx.Err())
		case <-again.C:
		}
	}
}

// InjectNMI interrupts the guest.
func (m *machine) InjectNMI(ctx context.Context) error {
	node, err := m.service.Nodes.Node(ctx, m.node)
	if err != nil {
		return err
	}
	return m.service.Control.InjectNMI(ctx, node)
}

// Sensors are none: a guest has nothing to measure.
func (m *machine) Sensors(context.Context) ([]vbmc.Sensor, error) { return nil, nil }

// Ports are the first and the last of "6300-6399".
func Ports(text string) (first, last int, err error) {
	_, err = fmt.Sscanf(text, "%d-%d", &first, &last)
	if err != nil || first < 1 || last > 65535 || first > last || text != strconv.Itoa(first)+"-"+strconv.Itoa(last) {
		return 0, 0, fmt.Errorf("%q is no range of ports: write FIRST-LAST", text)
	}
	return first, last, nil
}
