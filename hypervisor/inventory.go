//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// InspectGuest reads what the guest is made of from its domain and its disks (ingot.GuestInspector).
func (g *Guest) InspectGuest(ctx context.Context) (ingot.Inventory, error) {
	return inDomain(ctx, g, "see what it is made of", func(c *libvirt.Connect, d *libvirt.Domain) (ingot.Inventory, error) {
		doc, err := stored(d)
		if err != nil {
			return ingot.Inventory{}, err
		}
		found := doc.inventory()
		for i, e := range doc.disks() {
			if found.Disks[i].Size, err = sizeOf(c, e.child("source"), g.node); err != nil {
				return ingot.Inventory{}, err
			}
		}
		return found, nil
	})
}

// sizeOf is how many bytes a disk has; of one that is still to be made, as many as it will have.
func sizeOf(c *libvirt.Connect, source *element, n *ingot.Node) (int64, error) {
	var volume *libvirt.StorageVol
	var err error
	if name := source.attr("volume"); name != "" {
		var pool *libvirt.StoragePool
		if pool, err = openPool(c, source.attr("pool")); err != nil {
			return 0, err
		}
		defer free(pool)
		volume, err = pool.LookupStorageVolByName(name)
	} else {
		volume, err = c.LookupStorageVolByPath(source.attr("file") + source.attr("dev"))
	}
	if is(err, libvirt.ERR_NO_STORAGE_VOL) {
		gb, _ := ingot.Whole(n.Properties[ingot.DiskGB.Property()])
		return gb * gib, nil
	}
	if err != nil {
		return 0, err
	}
	defer free(volume)
	info, err := volume.GetInfo()
	if err != nil {
		return 0, err
	}
	return int64(info.Capacity), nil
}
