package main

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// oneNode is the argument of what goes to a single node.
type oneNode struct {
	Node string `arg:"" help:"UUID or name."`
}

// someNodes are the arguments of what goes to several.
type someNodes struct {
	Nodes []string `arg:"" name:"node" help:"UUIDs or names."`
}

// nodeBootDevice is `ingot node boot-device`.
type nodeBootDevice struct {
	Show bootDeviceShow `cmd:"" help:"Show it, as the BMC says, and what there is to choose from."`
	Set  bootDeviceSet  `cmd:"" help:"Change it."`
}

// bootDeviceShow is `ingot node boot-device show`.
type bootDeviceShow struct{ oneNode }

// Run prints the boot device.
func (c *bootDeviceShow) Run(ctx context.Context, s *session) error {
	now, err := s.BootDevice(ctx, c.Node)
	if err != nil {
		return err
	}
	known, err := s.SupportedBootDevices(ctx, c.Node)
	if err != nil {
		return err
	}
	supported := make([]any, len(known))
	for i, device := range known {
		supported[i] = device
	}
	return s.printThing(object{"boot_device": string(now.Device), "persistent": now.Persistent, "supported": supported})
}

// bootDeviceSet is `ingot node boot-device set`.
type bootDeviceSet struct {
	oneNode
	Device     string `arg:"" help:"pxe, disk, cdrom, bios, safe, wanboot, floppy or uefihttp."`
	Persistent bool   `help:"For every boot, not for the next one only."`
}

// Run changes the boot device.
func (c *bootDeviceSet) Run(ctx context.Context, s *session) error {
	return s.SetBootDevice(ctx, c.Node, ingot.BootSetting{Device: ingot.BootDevice(c.Device), Persistent: c.Persistent})
}

// nodeBootMode is `ingot node boot-mode`.
type nodeBootMode struct {
	aside
	Mode string `arg:"" enum:"bios,uefi" help:"bios or uefi."`
}

// Run asks for the mode.
func (c *nodeBootMode) Run(ctx context.Context, s *session) error {
	return c.change(ctx, s, "boot mode "+c.Mode, ingot.KindBootMode, "boot_mode", object{"target": c.Mode})
}

// nodeSecureBoot is `ingot node secure-boot`.
type nodeSecureBoot struct {
	aside
	State string `arg:"" enum:"on,off" help:"on or off."`
}

// Run asks for the state.
func (c *nodeSecureBoot) Run(ctx context.Context, s *session) error {
	return c.change(ctx, s, "secure boot "+c.State, ingot.KindSecureBoot, "secure_boot", object{"target": c.State == "on"})
}

// nodeNMI is `ingot node nmi`.
type nodeNMI struct{ someNodes }

// Run interrupts.
func (c *nodeNMI) Run(ctx context.Context, s *session) error { return each(ctx, c.Nodes, s.InjectNMI) }
