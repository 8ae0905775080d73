//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// attach plugs a volume of the host in: now where the guest runs, and whenever it starts.
func (g *Guest) attach(ctx context.Context, args map[string]any) (any, error) {
	return onHost(ctx, g, "attach the disk", func(host *ingot.Hypervisor, c *libvirt.Connect) (any, error) {
		pool, d, err := g.plug(c, host, args)
		if err != nil {
			return nil, err
		}
		defer free(d)
		name, format := ingot.Text(args, "volume"), cmp.Or(ingot.Text(args, "format"), "raw")
		if err := within(c, pool, func(p *libvirt.StoragePool) error { return findVolume(p, name) }); err != nil {
			return nil, err
		}
		doc, err := stored(d)
		if err != nil {
			return nil, err
		}
		if have := doc.disk(pool, name); have != nil {
			return map[string]any{"target": have.child("target").attr("dev")}, nil
		}
		target := doc.freeTarget()
		if target == "" {
			return nil, ingot.Errorf(ingot.Conflict, "guest %s has no place for another disk", g.node.UUID)
		}
		flags, err := affected(d)
		if err != nil {
			return nil, err
		}
		g.tell("attach-device")
		return map[string]any{"target": target}, d.AttachDeviceFlags(dataDisk(pool, name, format, target), flags)
	})
}

// plug finds the guest's domain and the pool of a volume.
func (g *Guest) plug(c *libvirt.Connect, host *ingot.Hypervisor, args map[string]any) (pool string, d *libvirt.Domain, err error) {
	shape, err := shapeOf(g.node, nil, host)
	if err != nil {
		return "", nil, err
	}
	if want := ingot.Text(args, "pool"); want != "" {
		n := *g.node
		n.DriverInfo = map[string]any{"pool": want}
		if err := shape.setPool(&n, host); err != nil {
			return "", nil, err
		}
	}
	d, err = g.lookup(c)
	return shape.Pool, d, err
}

func findVolume(pool *libvirt.StoragePool, name string) error {
	if err := pool.Refresh(0); err != nil { // others make volumes
		return err
	}
	found, err := pool.LookupStorageVolByName(name)
	if is(err, libvirt.ERR_NO_STORAGE_VOL) {
		return ingot.Errorf(ingot.Invalid, "the pool has no volume %s", name)
	}
	if err == nil {
		free(found)
	}
	return err
}

// affected is the domain as it is stored, and the one that runs.
func affected(d *libvirt.Domain) (libvirt.DomainDeviceModifyFlags, error) {
	power, err := powerOf(d)
	if power == ingot.PowerOn {
		return libvirt.DOMAIN_DEVICE_MODIFY_CONFIG | libvirt.DOMAIN_DEVICE_MODIFY_LIVE, err
	}
	return libvirt.DOMAIN_DEVICE_MODIFY_CONFIG, err
}

// letGo is how long a guest is waited for that has to let go of a disk: within one exchange.
const letGo = 15 * time.Second

// detach unplugs a volume. A guest that runs has to let go of it, which only the event DEVICE_REMOVED says: libvirt's own
// answer was seen to say yes with the disk still there. What starts next has it until then.
func (g *Guest) detach(ctx context.Context, args map[string]any) error {
	_, err := onHost(ctx, g, "detach the disk", func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		pool, d, err := g.plug(c, host, args)
		if err != nil {
			return struct{}{}, err
		}
		defer free(d)
		name := ingot.Text(args, "volume")
		if err := g.unplug(ctx, c, d, pool, name); err != nil {
			return struct{}{}, err
		}
		doc, err := stored(d)
		if err != nil {
			return struct{}{}, err
		}
		if disk := doc.disk(pool, name); disk != nil {
			return struct{}{}, d.DetachDeviceFlags(doc.source(disk), libvirt.DOMAIN_DEVICE_MODIFY_CONFIG)
		}
		return struct{}{}, nil
	})
	return err
}

// ReleaseDisks unplugs what people plugged in (ingot.DiskReleaser). A domain that was there before its node keeps all.
func (g *Guest) ReleaseDisks(ctx context.Context) ([]string, error) {
	return inDomain(ctx, g, "unplug its disks", func(c *libvirt.Connect, d *libvirt.Domain) ([]string, error) {
		if ours, err := g.isMade(d); err != nil || !ours {
			return nil, err
		}
		doc, err := stored(d)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, disk := range doc.plugged() {
			names = append(names, mediaOf(disk))
			doc.replace(disk, "")
		}
		if len(names) == 0 {
			return nil, nil
		}
		if power, err := powerOf(d); err != nil || power != ingot.PowerOff {
			return nil, errors.Join(err, ingot.Errorf(ingot.Unavailable, "the disks of a guest that is on cannot be unplugged from it"))
		}
		return names, g.define(c, doc.text, doc)
	})
}

// unplug takes the volume from the domain that runs, if it has it.
func (g *Guest) unplug(ctx context.Context, c *libvirt.Connect, d *libvirt.Domain, pool, name string) error {
	power, err := powerOf(d)
	if err != nil || power != ingot.PowerOn {
		return err
	}
	text, err := d.GetXMLDesc(0)
	if err != nil {
		return err
	}
	doc, err := parse(text)
	if err != nil {
		return err
	}
	disk := doc.disk(pool, name)
	if disk == nil {
		return nil
	}
	removed, forget, err := removals(c, d, disk.child("alias").attr("name"))
	if err != nil {
		return err
	}
	defer forget()
	g.tell("detach-device")
	if err := d.DetachDeviceFlags(doc.source(disk), libvirt.DOMAIN_DEVICE_MODIFY_LIVE); err != nil {
		return err
	}
	late := time.NewTimer(letGo)
	defer late.Stop()
	select {
	case gone := <-removed:
		if gone {
			return nil
		}
		return ingot.Errorf(ingot.Conflict, "guest %s refuses to let go of volume %s", g.node.UUID, name)
	case <-ctx.Done():
	case <-late.C:
	}
	return ingot.Errorf(ingot.Conflict, "guest %s has been asked to let go of volume %s and has not within %v: it is still plugged in; ask again, or with the guest off", g.node.UUID, name, letGo)
}

// removals tells, once, whether a device went or was refused to go. The events come on the loop's thread, which must not
// wait.
func removals(c *libvirt.Connect, d *libvirt.Domain, alias string) (removed <-chan bool, forget func(), err error) {
	told := make(chan bool, 2)
	tell := func(device string, gone bool) {
		if device == alias {
			select {
			case told <- gone:
			default: // one answer is enough
			}
		}
	}
	went, err := c.DomainEventDeviceRemovedRegister(d, func(_ *libvirt.Connect, _ *libvirt.Domain, e *libvirt.DomainEventDeviceRemoved) {
		tell(e.DevAlias, true)
	})
	if err != nil {
		return nil, nil, err
	}
	stayed, err := c.DomainEventDeviceRemovalFailedRegister(d, func(_ *libvirt.Connect, _ *libvirt.Domain, e *libvirt.DomainEventDeviceRemovalFailed) {
		tell(e.DevAlias, false)
	})
	if err != nil {
		_ = c.DomainEventDeregister(went) // the connection that fails here is given up
		return nil, nil, err
	}
	return told, func() {
		_ = c.DomainEventDeregister(went) // of a connection that broke there is nothing to take back
		_ = c.DomainEventDeregister(stayed)
	}, nil
}
