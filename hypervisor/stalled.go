//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// DiskTrouble says why the machine stands still (ingot.DiskWatcher).
func (g *Guest) DiskTrouble(ctx context.Context) (string, error) {
	return inDomain(ctx, g, "see whether it stands still", func(_ *libvirt.Connect, d *libvirt.Domain) (string, error) {
		stalled, err := standsStill(d)
		if err != nil || !stalled {
			return "", err
		}
		const next = "then have it go on (vendor method resume) or reboot it"
		broken, err := d.GetDiskErrors(0)
		if err != nil {
			return "", err
		}
		var full, other []string
		for _, b := range broken { // the binding has an empty one for each disk that is well
			switch b.Error {
			case libvirt.DOMAIN_DISK_ERROR_NONE:
			case libvirt.DOMAIN_DISK_ERROR_NO_SPACE:
				full = append(full, b.Disk)
			default:
				other = append(other, b.Disk)
			}
		}
		if len(full) > 0 {
			return fmt.Sprintf("its host has no room left for what it writes to disk %s: make room in the storage pool, %s", strings.Join(full, ", "), next), nil
		}
		return fmt.Sprintf("its host could not write to its disk (%s): see the host's log and put it right, %s", strings.Join(other, ", "), next), nil
	})
}

// standsStill says whether a machine was stopped because of its disks.
func standsStill(d *libvirt.Domain) (bool, error) {
	state, reason, err := d.GetState()
	return state == libvirt.DOMAIN_PAUSED && libvirt.DomainPausedReason(reason) == libvirt.DOMAIN_PAUSED_IOERROR, err
}

// readStalled lists the guests that stand still because of their disks.
func readStalled(c *libvirt.Connect, guests []string, f *ingot.HostFacts) error {
	paused, err := c.ListAllDomains(libvirt.CONNECT_LIST_DOMAINS_PAUSED)
	if err != nil {
		return err
	}
	for i := range paused {
		d := &paused[i]
		defer free(d)
		id, err := d.GetUUIDString()
		if err != nil {
			return err
		}
		if !slices.Contains(guests, id) {
			continue
		}
		if stalled, err := standsStill(d); err == nil && stalled { // one that went since then stands still no more
			f.Stalled = append(f.Stalled, id)
		}
	}
	slices.Sort(f.Stalled)
	return nil
}
