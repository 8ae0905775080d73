//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"slices"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// SupportedBootDevices are those that a guest has (ingot.BootDevices).
func (g *Guest) SupportedBootDevices() []ingot.BootDevice {
	return []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM}
}

// BootDevice is what was asked for; no device where nothing was.
func (g *Guest) BootDevice(ctx context.Context) (ingot.BootSetting, error) {
	return inDomain(ctx, g, "read the boot device", func(_ *libvirt.Connect, d *libvirt.Domain) (ingot.BootSetting, error) {
		doc, err := stored(d)
		if err != nil {
			return ingot.BootSetting{}, err
		}
		return doc.override(), nil
	})
}

// SetBootDevice has the machine start from a device when it starts next.
func (g *Guest) SetBootDevice(ctx context.Context, want ingot.BootSetting) error {
	if !slices.Contains(g.SupportedBootDevices(), want.Device) {
		return ingot.Errorf(ingot.Unsupported, "a guest knows no boot device %q: use one of %v", want.Device, g.SupportedBootDevices())
	}
	return g.change(ctx, "set the boot device", func(doc *document) (*document, error) {
		doc.setMode(want.Mode)
		again, err := parse(doc.String())
		if err == nil {
			again.setOverride(want)
		}
		return again, err
	})
}

// BootMode is the firmware that the machine starts with (ingot.BootModes).
func (g *Guest) BootMode(ctx context.Context) (ingot.BootMode, error) {
	setting, err := g.BootDevice(ctx)
	return setting.Mode, err
}

// SetBootMode has other firmware from the next start on.
func (g *Guest) SetBootMode(ctx context.Context, mode ingot.BootMode) error {
	if mode != ingot.ModeBIOS && mode != ingot.ModeUEFI {
		return ingot.Errorf(ingot.Unsupported, "a guest knows no boot mode %q: use bios or uefi", mode)
	}
	return g.change(ctx, "set the boot mode", func(doc *document) (*document, error) {
		doc.setMode(mode)
		return doc, nil
	})
}

// change edits the domain as it is stored.
func (g *Guest) change(ctx context.Context, what string, edit func(*document) (*document, error)) error {
	return g.domain(ctx, what, func(c *libvirt.Connect, d *libvirt.Domain) error {
		doc, err := stored(d)
		if err != nil {
			return err
		}
		before := doc.text
		after, err := edit(doc)
		if err != nil {
			return err
		}
		return g.define(c, before, after)
	})
}
