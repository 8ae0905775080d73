//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// incomingSuffix names the volume that a disk is brought to the host in, before it is that of the guest.
const incomingSuffix = ".coming"

// ImportDisk gives the guest a disk that was another machine's (ingot.GuestImporter): no base that others could share, since
// what is on it is one instance's. Like a move it has a connection of its own.
func (g *Guest) ImportDisk(ctx context.Context, key string, open func() (ingot.GuestImage, error)) error {
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return err
	}
	s, err := shapeOf(g.node, nil, &host)
	if err != nil {
		return err
	}
	has := false
	err = g.make(ctx, "look at the disk", nil, func(c *libvirt.Connect, _ *libvirt.StoragePool, _ *Shape) error {
		d, err := g.lookup(c)
		if err != nil {
			return err
		}
		defer free(d)
		doc, err := stored(d)
		if err == nil {
			has = doc.hasDisk(key)
		}
		return err
	})
	if err != nil || has {
		return err
	}
	var image ingot.GuestImage
	if g.hosts.underWay(g.node.UUID+diskTrip) == "" {
		if image, err = open(); err != nil {
			return err
		}
		if err := fitsDisk(&image, &s); err != nil {
			return err
		}
	}
	j := &journey{guest: g, from: host}
	return g.hosts.travel(context.WithoutCancel(ctx), g.node.UUID+diskTrip, key, func(ctx context.Context) error {
		here, err := j.open(ctx, &j.from)
		if err != nil {
			return err
		}
		defer here.leave()
		if err := g.bringIn(ctx, here.session.conn, &s, key, image); err != nil {
			return explain("bring the disk", host.URI, err)
		}
		return nil
	})
}

// fitsDisk refuses an image that cannot be the guest's disk.
func fitsDisk(image *ingot.GuestImage, s *Shape) error {
	switch {
	case image.DiskFormat != "raw":
		return ingot.Errorf(ingot.Unsupported, "a disk that is brought to a guest has to be raw, not %q", image.DiskFormat)
	case image.VirtualSize > s.DiskGB*gib:
		return ingot.Errorf(ingot.Invalid, "the disk has %d bytes, and properties local_gb of guest %s is %d", image.VirtualSize, s.Node, s.DiskGB)
	}
	return nil
}

// bringIn brings the bytes, holds them against their sum, and only then makes the guest's disk of them.
func (g *Guest) bringIn(ctx context.Context, c *libvirt.Connect, s *Shape, key string, image ingot.GuestImage) error {
	if image.Open == nil { // the work that was under way has ended between two looks: it is asked again
		return ingot.Errorf(ingot.Unavailable, "the disk has to be brought again")
	}
	return within(c, s.Pool, func(pool *libvirt.StoragePool) error {
		name := s.root() + incomingSuffix
		if err := dropVolume(pool, name); err != nil {
			return err
		}
		if err := makeVolume(pool, name, "raw", uint64(image.Size), nil); err != nil {
			return err
		}
		err := fillVolume(ctx, c, pool, name, image)
		if err == nil {
			err = g.replaceDisk(c, pool, s, key, func(pool *libvirt.StoragePool, s *Shape) error { return turnInto(pool, name, s) })
		}
		return errors.Join(err, dropVolume(pool, name))
	})
}

// fillVolume uploads the image, whose sum is that of what was sent.
func fillVolume(ctx context.Context, c *libvirt.Connect, pool *libvirt.StoragePool, name string, image ingot.GuestImage) error {
	from, err := image.Open(ctx)
	if err != nil {
		return err
	}
	defer from.Close()
	sum := newHash(image.ChecksumAlgo)
	if err := uploadSparse(c, pool, name, io.TeeReader(heeding{ctx, from}, sum), image.Size); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != image.Checksum {
		return ingot.Errorf(ingot.Unavailable, "the copy of the disk has %s %s, not %s", image.ChecksumAlgo, got, image.Checksum)
	}
	return nil
}

// turnInto makes the guest's disk out of a volume, in the format of its pool and as large as it is to be.
func turnInto(pool *libvirt.StoragePool, name string, s *Shape) error {
	source, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return err
	}
	defer free(source)
	volume := libvirtxml.StorageVolume{
		Name: s.root(), Capacity: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: uint64(s.DiskGB) * gib},
		Allocation: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: 0},
		Target:     &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: s.DiskFormat}},
	}
	text, err := volume.Marshal()
	if err != nil {
		return err
	}
	made, err := pool.StorageVolCreateXMLFrom(text, source, 0)
	if err != nil {
		return err
	}
	free(made)
	return ensureDisk(pool, nil, s) // which grows one that is smaller
}
