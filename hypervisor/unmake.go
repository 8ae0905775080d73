//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// RemoveGuest does away with the domain and with its volumes in all of the host's pools (ingot.GuestMaker). A domain that
// was there before its node is let go of, and is nobody's guest again.
func (g *Guest) RemoveGuest(ctx context.Context) error {
	if bringing := g.node.UUID + diskTrip; g.hosts.underWay(bringing) != "" {
		g.hosts.callBack(bringing)
		return &ingot.Error{Code: ingot.Unavailable, After: time.Second, Err: fmt.Errorf("the disk of guest %s is being copied: that ends first", g.node.UUID)}
	}
	_, err := onHost(ctx, g, "remove the guest", func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		if foreign, err := g.undefine(c); err != nil || foreign {
			return struct{}{}, err
		}
		for _, p := range host.Pools {
			err := within(c, p.Name, func(pool *libvirt.StoragePool) error { return dropVolumes(pool, g.node.UUID) })
			if err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

// undefine takes the domain away; foreign is one that stays.
func (g *Guest) undefine(c *libvirt.Connect) (foreign bool, err error) {
	d, err := c.LookupDomainByUUIDString(g.node.UUID)
	if is(err, libvirt.ERR_NO_DOMAIN) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer free(d)
	if ours, err := g.isMade(d); err != nil || !ours {
		return !ours, err
	}
	power, err := powerOf(d)
	if err != nil {
		return false, err
	}
	if power != ingot.PowerOff {
		g.tell("off")
		if err := d.Destroy(); err != nil && !is(err, libvirt.ERR_OPERATION_INVALID) { // which it is when it ended by itself
			return false, err
		}
	}
	g.tell("undefine")
	const all = libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | libvirt.DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.DOMAIN_UNDEFINE_NVRAM
	err = d.UndefineFlags(all)
	if is(err, libvirt.ERR_INVALID_ARG) { // a driver that does not know all of them
		err = d.UndefineFlags(libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
	}
	if is(err, libvirt.ERR_NO_DOMAIN) {
		err = nil
	}
	return false, err
}

// ConsoleLog gives the end of what the guest said on its serial console (ingot.ConsoleLog).
func (g *Guest) ConsoleLog(ctx context.Context, most int64) ([]byte, error) {
	return onHost(ctx, g, "read the console's log", func(host *ingot.Hypervisor, c *libvirt.Connect) (text []byte, err error) {
		shape, err := shapeOf(g.node, nil, host)
		if err != nil {
			return nil, err
		}
		err = within(c, shape.Pool, func(pool *libvirt.StoragePool) error {
			if err := pool.Refresh(0); err != nil {
				return err
			}
			text, err = download(c, pool, volume(g.node.UUID, consoleSuffix), most)
			return err
		})
		return text, err
	})
}
