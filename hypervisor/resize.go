//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// rootTarget is where the guest's own disk is plugged in.
const rootTarget = "vda"

// GrowDisk gives the guest's disk so many GiB (ingot.GuestResizer).
func (g *Guest) GrowDisk(ctx context.Context, size int64) error {
	return g.make(ctx, "grow the disk", nil, func(c *libvirt.Connect, pool *libvirt.StoragePool, s *Shape) error {
		d, err := g.lookup(c)
		if err != nil {
			return err
		}
		defer free(d)
		if err := g.unkept(d); err != nil {
			return err
		}
		s.DiskGB = size
		return ensureDisk(pool, d, s)
	})
}

// unkept refuses to change the shape of a guest that has snapshots, or that Ingot did not make.
func (g *Guest) unkept(d *libvirt.Domain) error {
	if err := g.made(d); err != nil {
		return err
	}
	n, err := d.SnapshotNum(0)
	if err == nil && n > 0 {
		err = ingot.Errorf(ingot.Unsupported, "guest %s has %d snapshot(s), which have its shape of before: delete them first", g.node.UUID, n)
	}
	return err
}

// ReshapeGuest defines the guest as its node says now (ingot.GuestResizer).
func (g *Guest) ReshapeGuest(ctx context.Context, ports []ingot.Port) (restart bool, err error) {
	if err := g.domain(ctx, "change the shape", func(_ *libvirt.Connect, d *libvirt.Domain) error { return g.unkept(d) }); err != nil {
		return false, err
	}
	if err := g.DefineGuest(ctx, ports); err != nil {
		return false, err
	}
	return inDomain(ctx, g, "read the shape", func(_ *libvirt.Connect, d *libvirt.Domain) (bool, error) {
		power, err := powerOf(d)
		if err != nil || power != ingot.PowerOn {
			return false, err
		}
		return outgrown(d)
	})
}

// outgrown says whether a machine that runs has another shape than it will have when it starts next.
func outgrown(d *libvirt.Domain) (bool, error) {
	now, err := d.GetXMLDesc(0)
	if err != nil {
		return false, err
	}
	live, err := parse(now)
	if err != nil {
		return false, err
	}
	next, err := stored(d)
	if err != nil {
		return false, err
	}
	for _, part := range []string{"memory", "vcpu"} {
		if live.at(part).text() != next.at(part).text() {
			return true, nil
		}
	}
	return false, nil
}
