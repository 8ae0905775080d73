//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

const gib = 1 << 30

func compare(a, b string) int { return strings.Compare(a, b) }

// readPools reads the space of the first pool, which is what is given away, and lists the images that are there. A pool that
// is missing is a problem.
func readPools(c *libvirt.Connect, pools []ingot.StoragePool, f *ingot.HostFacts) error {
	for i, p := range pools {
		pool, err := openPool(c, p.Name)
		if is(err, libvirt.ERR_NO_STORAGE_POOL) {
			f.Problems = append(f.Problems, fmt.Sprintf("it has no storage pool %q; it has: %s", p.Name, names(c.ListStoragePools, c.ListDefinedStoragePools)))
			continue
		}
		if err != nil {
			f.Problems = append(f.Problems, fmt.Sprintf("storage pool %q: %v", p.Name, plain(err)))
			continue
		}
		defer free(pool)
		if i == 0 {
			info, err := pool.GetInfo()
			if err != nil {
				return err
			}
			f.Totals[ingot.DiskGB] = int64(info.Capacity / gib)
		}
		names, err := pool.ListStorageVolumes()
		if err != nil {
			return err
		}
		f.CachedImages = append(f.CachedImages, basesIn(names)...)
	}
	return nil
}

// openPool finds a pool that runs and knows what is in it. Whoever opens it lets go of it.
func openPool(c *libvirt.Connect, name string) (*libvirt.StoragePool, error) {
	pool, err := c.LookupStoragePoolByName(name)
	if err != nil {
		return nil, err
	}
	active, err := pool.IsActive()
	if err == nil && !active {
		err = fmt.Errorf("storage pool %q is not started", name)
	}
	if err != nil {
		free(pool)
		return nil, err
	}
	return pool, nil
}

// readNetworks looks for the places where guests are plugged in. A host whose libvirt cannot list its interfaces keeps
// its bridges to itself.
func readNetworks(c *libvirt.Connect, networks []ingot.GuestNetwork, f *ingot.HostFacts) error {
	for _, n := range networks {
		if n.LibvirtNetwork != "" {
			network, err := c.LookupNetworkByName(n.LibvirtNetwork)
			if is(err, libvirt.ERR_NO_NETWORK) {
				f.Problems = append(f.Problems, fmt.Sprintf("it has no libvirt network %q; it has: %s", n.LibvirtNetwork, names(c.ListNetworks, c.ListDefinedNetworks)))
				continue
			}
			if err != nil {
				return err
			}
			defer free(network)
			if active, err := network.IsActive(); err == nil && !active {
				f.Problems = append(f.Problems, fmt.Sprintf("libvirt network %q is not started", n.LibvirtNetwork))
			}
			continue
		}
		bridge, err := c.LookupInterfaceByName(n.Bridge)
		switch {
		case err == nil:
			free(bridge)
		case is(err, libvirt.ERR_NO_INTERFACE):
			f.Problems = append(f.Problems, fmt.Sprintf("it has no bridge %q; it has: %s", n.Bridge, names(func() ([]string, error) { return bridges(c) })))
		}
	}
	return nil
}

// names are what a host has of something. They are for people who misspelt one: lists that cannot be had are left out.
func names(lists ...func() ([]string, error)) string {
	var all []string
	for _, list := range lists {
		if some, err := list(); err == nil {
			all = append(all, some...)
		}
	}
	slices.Sort(all)
	return orNone(all)
}

// bridges are the names of the host's bridges.
func bridges(c *libvirt.Connect) (found []string, err error) {
	interfaces, err := c.ListAllInterfaces(0)
	if err != nil {
		return nil, err
	}
	for i := range interfaces {
		defer free(&interfaces[i])
		text, err := interfaces[i].GetXMLDesc(0)
		if err != nil {
			continue // it went since then
		}
		var x libvirtxml.Interface
		if err := x.Unmarshal(text); err == nil && x.Bridge != nil {
			found = append(found, x.Name)
		}
	}
	return found, nil
}
