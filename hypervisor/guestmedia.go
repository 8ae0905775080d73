//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"slices"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// Media is the CD drive (ingot.VirtualMedia).
func (g *Guest) Media(ctx context.Context) ([]ingot.Medium, error) {
	return inDomain(ctx, g, "read the virtual media", func(_ *libvirt.Connect, d *libvirt.Domain) ([]ingot.Medium, error) {
		doc, err := stored(d)
		if err != nil {
			return nil, err
		}
		if medium, has := doc.medium(); has {
			return []ingot.Medium{medium}, nil
		}
		return []ingot.Medium{}, nil
	})
}

// InsertMedia has the host's QEMU read the image at url whenever the guest reads its drive.
func (g *Guest) InsertMedia(ctx context.Context, device ingot.MediaDevice, url string) error {
	if device != ingot.MediaCDROM {
		return ingot.Errorf(ingot.Unsupported, "a guest has no virtual drive of sort %q: use cdrom", device)
	}
	return g.load(ctx, "insert the virtual medium", url)
}

// EjectMedia empties the drive.
func (g *Guest) EjectMedia(ctx context.Context, devices []ingot.MediaDevice) error {
	if len(devices) > 0 && !slices.Contains(devices, ingot.MediaCDROM) {
		return nil
	}
	return g.load(ctx, "eject the virtual medium", "")
}

// load changes what is in the drive, of the machine that runs and of the one that starts next.
func (g *Guest) load(ctx context.Context, what, url string) error {
	return g.domain(ctx, what, func(c *libvirt.Connect, d *libvirt.Domain) error {
		doc, err := stored(d)
		if err != nil {
			return err
		}
		if medium, has := doc.medium(); has && medium.Image == url {
			return nil
		}
		drive, err := doc.insertedDrive(url)
		if err != nil {
			return err
		}
		power, err := powerOf(d)
		if err != nil {
			return err
		}
		if power == ingot.PowerOn {
			g.tell("update-device")
			if err := d.UpdateDeviceFlags(drive, libvirt.DOMAIN_DEVICE_MODIFY_LIVE|libvirt.DOMAIN_DEVICE_MODIFY_FORCE); err != nil {
				return err
			}
		}
		doc.replace(doc.drive(), drive)
		again, err := parse(doc.String())
		if err != nil {
			return err
		}
		again.order(again.override().Device)
		return g.define(c, doc.text, again)
	})
}
