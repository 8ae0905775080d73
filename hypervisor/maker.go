//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// make is onHost for a call that needs the guest's shape and its pool.
func (g *Guest) make(ctx context.Context, what string, ports []ingot.Port, call func(*libvirt.Connect, *libvirt.StoragePool, *Shape) error) error {
	_, err := onHost(ctx, g, what, func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		shape, err := shapeOf(g.node, ports, host)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, within(c, shape.Pool, func(pool *libvirt.StoragePool) error { return call(c, pool, &shape) })
	})
	return err
}

// DefineGuest has the domain and its disk on the host (ingot.GuestMaker). A domain that was there before its node is left
// as it is.
func (g *Guest) DefineGuest(ctx context.Context, ports []ingot.Port) error {
	return g.make(ctx, "define the guest", ports, func(c *libvirt.Connect, pool *libvirt.StoragePool, s *Shape) error {
		d, err := c.LookupDomainByUUIDString(g.node.UUID)
		switch {
		case is(err, libvirt.ERR_NO_DOMAIN):
			d = nil
		case err != nil:
			return err
		default:
			defer free(d)
			if ours, err := g.isMade(d); err != nil || !ours {
				return errors.Join(err, fits(d, s))
			}
		}
		if err := findFilters(c, s); err != nil {
			return err
		}
		if err := ensureDisk(pool, d, s); err != nil {
			return err
		}
		log, err := consoleLogPath(pool, g.node.UUID)
		if err != nil {
			return err
		}
		text, err := domainXML(*s, log)
		if err != nil {
			return err
		}
		doc, err := parse(text)
		if err != nil {
			return err
		}
		if d != nil {
			old, err := stored(d)
			if err != nil {
				return err
			}
			if doc, err = doc.keeping(old); err != nil {
				return err
			}
		}
		return g.define(c, "", doc)
	})
}

// findFilters looks for the filters of the guest's NICs: one that is only good to have is left out where the host has it
// not.
func findFilters(c *libvirt.Connect, s *Shape) error {
	for i := range s.NICs {
		nic := &s.NICs[i]
		if nic.Filter == "" {
			continue
		}
		filter, err := c.LookupNWFilterByName(nic.Filter)
		switch {
		case err == nil:
			free(filter)
		case nic.MustFilter:
			return ingot.Errorf(ingot.Unsupported, "port %s is to be kept from false addresses, and the host has no network filter %s: install libvirt-daemon-config-nwfilter there", nic.MAC, nic.Filter)
		default:
			nic.Filter = ""
		}
	}
	return nil
}

// consoleLogPath is where the host keeps what the guest says: beside its disk, so that it can be read as a volume. Pools
// that are no folders have no place for it.
func consoleLogPath(pool *libvirt.StoragePool, node string) (string, error) {
	folder, err := folderOf(pool)
	if err != nil || folder == "" {
		return "", err
	}
	return folder + "/" + volume(node, consoleSuffix), nil
}

// folderOf is the folder whose files a pool's volumes are; "" where they are something else.
func folderOf(pool *libvirt.StoragePool) (string, error) {
	text, err := pool.GetXMLDesc(0)
	if err != nil {
		return "", err
	}
	var p libvirtxml.StoragePool
	if err := p.Unmarshal(text); err != nil {
		return "", err
	}
	if p.Type != "dir" && p.Type != "fs" && p.Type != "netfs" || p.Target == nil {
		return "", nil
	}
	return strings.TrimSuffix(p.Target.Path, "/"), nil
}

// BlankDisk gives the guest a new disk with nothing on it.
func (g *Guest) BlankDisk(ctx context.Context) error {
	return g.newDisk(ctx, "blank the disk", "", func(pool *libvirt.StoragePool, s *Shape) error { return ensureDisk(pool, nil, s) })
}

// ImageDisk gives the guest a new disk over the image's base, which is brought to the host first.
func (g *Guest) ImageDisk(ctx context.Context, key string, image ingot.GuestImage) error {
	if image.DiskFormat != "raw" && image.DiskFormat != "qcow2" {
		return ingot.Errorf(ingot.Unsupported, "guests' disks begin as raw or qcow2 images, not %q", image.DiskFormat)
	}
	host, err := g.host(ctx, g.node.ParentNode)
	if err != nil {
		return err
	}
	s, err := shapeOf(g.node, nil, &host)
	if err != nil {
		return err
	}
	if s.DiskFormat != "qcow2" {
		return ingot.Errorf(ingot.Unsupported, "pool %s has no format qcow2, which disks over an image need", s.Pool)
	}
	if image.VirtualSize > s.DiskGB*gib {
		return ingot.Errorf(ingot.Invalid, "the image has %d bytes, and properties local_gb of guest %s is %d", image.VirtualSize, s.Node, s.DiskGB)
	}
	l, err := g.hosts.link(host.NodeUUID, host.URI)
	if err != nil {
		return err
	}
	if err := g.hosts.bring(ctx, l, host.NodeUUID, s.Pool, image); err != nil {
		return err
	}
	return g.newDisk(ctx, "make the disk", key, func(pool *libvirt.StoragePool, s *Shape) error { return overlay(pool, s, image) })
}

// overlay makes the disk over the image's base. A base that has gone while that was done, since nothing needed it, is
// brought again.
func overlay(pool *libvirt.StoragePool, s *Shape, image ingot.GuestImage) error {
	gone := ingot.Errorf(ingot.Unavailable, "the image is no longer in pool %s: it has to be brought again", s.Pool)
	names, err := pool.ListStorageVolumes()
	if err != nil {
		return err
	}
	name := baseFor(image.Checksum, names)
	if name == "" {
		return gone
	}
	path, err := pathOf(pool, name)
	if is(err, libvirt.ERR_NO_STORAGE_VOL) {
		return gone
	}
	if err != nil {
		return err
	}
	err = makeVolume(pool, s.root(), "qcow2", uint64(s.DiskGB)*gib, &libvirtxml.StorageVolumeBackingStore{
		Path: path, Format: &libvirtxml.StorageVolumeTargetFormat{Type: image.DiskFormat},
	})
	if _, still := pathOf(pool, name); is(still, libvirt.ERR_NO_STORAGE_VOL) {
		return gone
	}
	return err
}

// pathOf is where a volume is on its host.
func pathOf(pool *libvirt.StoragePool, name string) (string, error) {
	found, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return "", err
	}
	defer free(found)
	return found.GetPath()
}

// newDisk puts another disk in the place of the guest's. The key is noted in the domain when all is done; a disk that has
// it already is kept.
func (g *Guest) newDisk(ctx context.Context, what, key string, fill func(*libvirt.StoragePool, *Shape) error) error {
	return g.make(ctx, what, nil, func(c *libvirt.Connect, pool *libvirt.StoragePool, s *Shape) error {
		return g.replaceDisk(c, pool, s, key, fill)
	})
}

func (g *Guest) replaceDisk(c *libvirt.Connect, pool *libvirt.StoragePool, s *Shape, key string, fill func(*libvirt.StoragePool, *Shape) error) error {
	d, err := g.lookup(c)
	if err != nil {
		return err
	}
	defer free(d)
	doc, err := stored(d)
	if err != nil {
		return err
	}
	if err := g.made(d); err != nil {
		return err
	}
	if doc.hasDisk(key) {
		return nil
	}
	if power, err := powerOf(d); err != nil || power != ingot.PowerOff {
		return ingot.Errorf(ingot.Unavailable, "the disk of a guest that is on cannot be replaced")
	}
	if err := forgetSnapshots(d); err != nil {
		return err
	}
	if err := dropVolume(pool, s.root()); err != nil {
		return err
	}
	if err := fill(pool, s); err != nil {
		return err
	}
	note := ""
	if key != "" {
		note = `<ingot:disk key="` + escape(key) + `"/>`
	}
	doc.note("ingot:disk", note)
	return g.define(c, doc.text, doc)
}

// hasDisk says whether the domain's disk is the one that was made for a key.
func (d *document) hasDisk(key string) bool {
	return key != "" && d.at("metadata", "ingot:guest", "ingot:disk").attr("key") == key
}

// ConfigDrive has a config drive in the guest's first CD drive.
func (g *Guest) ConfigDrive(ctx context.Context, iso []byte) error {
	return g.make(ctx, "attach the config drive", nil, func(c *libvirt.Connect, pool *libvirt.StoragePool, s *Shape) error {
		d, err := g.lookup(c)
		if err != nil {
			return err
		}
		defer free(d)
		doc, err := stored(d)
		if err != nil {
			return err
		}
		name := volume(g.node.UUID, configSuffix)
		if iso == nil {
			doc.setConfigDrive("")
			if err := g.define(c, doc.text, doc); err != nil {
				return err
			}
			return dropVolume(pool, name)
		}
		if err := dropVolume(pool, name); err != nil {
			return err
		}
		if err := makeVolume(pool, name, "raw", uint64(len(iso)), nil); err != nil {
			return err
		}
		if err := upload(c, pool, name, bytes.NewReader(iso), int64(len(iso))); err != nil {
			return err
		}
		disk, err := configDisk(s.Pool, name)
		if err != nil {
			return err
		}
		doc.setConfigDrive(disk)
		return g.define(c, doc.text, doc)
	})
}
