//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// RemoveGuest does away with the domain and with its volumes in all of the host's pools (ingot.GuestMaker).
func (g *Guest) RemoveGuest(ctx context.Context) error {
	_, err := onHost(ctx, g, "remove the guest", func(host *ingot.Hypervisor, c *libvirt.Connect) (struct{}, error) {
		if err := g.undefine(c); err != nil {
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

func (g *Guest) undefine(c *libvirt.Connect) error {
	d, err := c.LookupDomainByUUIDString(g.node.UUID)
	if is(err, libvirt.ERR_NO_DOMAIN) {
		return nil
	}
	if err != nil {
		return err
	}
	defer free(d)
	power, err := powerOf(d)
	if err != nil {
		return err
	}
	if power != ingot.PowerOff {
		g.tell("off")
		if err := d.Destroy(); err != nil && !is(err, libvirt.ERR_OPERATION_INVALID) { // which it is when it ended by itself
			return err
		}
	}
	g.tell("undefine")
	const all = libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | libvirt.DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.DOMAIN_UNDEFINE_NVRAM
	err = d.UndefineFlags(all)
	if is(err, libvirt.ERR_INVALID_ARG) { // a driver that does not know all of them
		err = d.UndefineFlags(libvirt.DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
	}
	if is(err, libvirt.ERR_NO_DOMAIN) {
		return nil
	}
	return err
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
