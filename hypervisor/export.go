//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"errors"
	"io"
	"slices"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// CanExport refuses a guest of which the one disk would not be all (ingot.GuestExporter).
func (g *Guest) CanExport(ctx context.Context) error {
	return g.make(ctx, "copy the disk", nil, func(c *libvirt.Connect, _ *libvirt.StoragePool, s *Shape) error {
		if s.TPM {
			return ingot.Errorf(ingot.Unsupported, "guest %s has a TPM, whose secrets stay with it", g.node.UUID)
		}
		_, err := g.onlyDisk(c)
		return err
	})
}

// onlyDisk finds the guest's disk.
func (g *Guest) onlyDisk(c *libvirt.Connect) (volumeOf, error) {
	d, err := g.lookup(c)
	if err != nil {
		return volumeOf{}, err
	}
	defer free(d)
	if err := g.made(d); err != nil {
		return volumeOf{}, err
	}
	doc, err := stored(d)
	if err != nil {
		return volumeOf{}, err
	}
	volumes, err := doc.volumes()
	if err != nil {
		return volumeOf{}, err
	}
	volumes = slices.DeleteFunc(volumes, func(v volumeOf) bool { return v.readOnly })
	if len(volumes) != 1 {
		return volumeOf{}, ingot.Errorf(ingot.Unsupported, "guest %s has %d disks, and one can be copied: detach the others", g.node.UUID, len(volumes))
	}
	return volumes[0], nil
}

// ExportDisk writes the guest's disk out, without its base (ingot.GuestExporter). Like a move it has a connection of its own.
func (g *Guest) ExportDisk(ctx context.Context, key string, to func(format string) (ingot.DiskCopy, error)) error {
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return err
	}
	shape, err := shapeOf(g.node, nil, &host)
	if err != nil {
		return err
	}
	j := &journey{guest: g, from: host}
	return g.hosts.travel(context.WithoutCancel(ctx), g.node.UUID+diskTrip, key, func(ctx context.Context) error {
		here, err := j.open(ctx, &j.from)
		if err != nil {
			return err
		}
		defer here.leave()
		if err := g.export(ctx, here.session.conn, shape.DiskFormat, to); err != nil {
			return explain("copy the disk", host.URI, err)
		}
		return nil
	})
}

// export writes one copy, and leaves nothing of it where it failed.
func (g *Guest) export(ctx context.Context, c *libvirt.Connect, format string, to func(format string) (ingot.DiskCopy, error)) error {
	disk, err := g.stillDisk(c)
	if err != nil {
		return err
	}
	return within(c, disk.pool, func(pool *libvirt.StoragePool) error {
		name, err := flatten(pool, disk.name)
		if err != nil {
			return err
		}
		if name == disk.name {
			return keepVolume(ctx, c, pool, name, format, to)
		}
		return errors.Join(keepVolume(ctx, c, pool, name, "qcow2", to), dropVolume(pool, name))
	})
}

// keepVolume has a copy of a volume kept.
func keepVolume(ctx context.Context, c *libvirt.Connect, pool *libvirt.StoragePool, name, format string, to func(format string) (ingot.DiskCopy, error)) error {
	into, err := to(format)
	if err != nil {
		return err
	}
	if err := readVolume(ctx, c, pool, name, into); err != nil {
		into.Drop()
		return err
	}
	return into.Keep()
}

// stillDisk is the disk of the guest, which must be off: nothing changes it then.
func (g *Guest) stillDisk(c *libvirt.Connect) (volumeOf, error) {
	d, err := g.lookup(c)
	if err != nil {
		return volumeOf{}, err
	}
	defer free(d)
	if power, err := powerOf(d); err != nil || power != ingot.PowerOff {
		return volumeOf{}, errors.Join(err, ingot.Errorf(ingot.Unavailable, "the disk of a guest that is on cannot be copied"))
	}
	return g.onlyDisk(c)
}

// readVolume writes the bytes of a volume's file to into.
func readVolume(ctx context.Context, c *libvirt.Connect, pool *libvirt.StoragePool, name string, into io.Writer) error {
	size, err := length(pool, name)
	if err != nil {
		return err
	}
	source, err := openVolume(c, pool, name, size)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{into}, struct{ io.Reader }{heeding{ctx, source}}, make([]byte, chunk))
	return errors.Join(err, source.Close())
}
