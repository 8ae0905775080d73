package client

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// BootDevice is what a node's machine boots from next, as its BMC says.
func (c *Client) BootDevice(ctx context.Context, ident string) (ingot.BootSetting, error) {
	var device struct {
		Device     ingot.BootDevice `json:"boot_device"`
		Persistent bool             `json:"persistent"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/management/boot_device"), nil, nil, &device)
	return ingot.BootSetting{Device: device.Device, Persistent: device.Persistent}, err
}

// SetBootDevice changes what a node's machine boots from next.
func (c *Client) SetBootDevice(ctx context.Context, ident string, want ingot.BootSetting) error {
	body := map[string]any{"boot_device": want.Device, "persistent": want.Persistent}
	return c.call(ctx, "PUT", nodePath(ident, "/management/boot_device"), nil, body, nil)
}

// SupportedBootDevices are the devices that a node's machine can be told to boot from.
func (c *Client) SupportedBootDevices(ctx context.Context, ident string) ([]ingot.BootDevice, error) {
	var list struct {
		Devices []ingot.BootDevice `json:"supported_boot_devices"`
	}
	err := c.call(ctx, "GET", nodePath(ident, "/management/boot_device/supported"), nil, nil, &list)
	return list.Devices, err
}

// InjectNMI interrupts a node's operating system so that it dumps its memory.
func (c *Client) InjectNMI(ctx context.Context, ident string) error {
	return c.call(ctx, "PUT", nodePath(ident, "/management/inject_nmi"), nil, map[string]any{}, nil)
}
