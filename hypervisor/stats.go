//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"time"

	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// GuestStats are the figures of all machines that run on a host, of whomever: one call, which waits for no machine that is
// busy with something else. (The binding adds a short one for each of them.)
func (h *Hosts) GuestStats(ctx context.Context, host ingot.Hypervisor) ([]ingot.GuestStats, error) {
	l, err := h.link(host.NodeUUID, host.URI)
	if err != nil {
		return nil, err
	}
	const (
		kinds = libvirt.DOMAIN_STATS_CPU_TOTAL | libvirt.DOMAIN_STATS_BALLOON | libvirt.DOMAIN_STATS_INTERFACE | libvirt.DOMAIN_STATS_BLOCK
		which = libvirt.CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
	)
	return ask(ctx, l, "count what guests use", func(c *libvirt.Connect) ([]ingot.GuestStats, error) {
		found, err := c.GetAllDomainStats(nil, kinds, which)
		if err != nil {
			return nil, err
		}
		all := make([]ingot.GuestStats, 0, len(found))
		for i := range found {
			defer free(found[i].Domain)
			id, err := found[i].Domain.GetUUIDString()
			if err != nil {
				return nil, err
			}
			all = append(all, count(id, &found[i]))
		}
		return all, nil
	})
}

func count(id string, from *libvirt.DomainStats) ingot.GuestStats {
	const kib = 1 << 10
	s := ingot.GuestStats{Guest: id}
	if from.Cpu != nil {
		s.CPU = time.Duration(from.Cpu.Time)
	}
	if from.Balloon != nil {
		s.Memory, s.Resident = from.Balloon.Current*kib, from.Balloon.Rss*kib
	}
	for _, b := range from.Block {
		s.Disk.BytesIn, s.Disk.BytesOut = s.Disk.BytesIn+b.RdBytes, s.Disk.BytesOut+b.WrBytes
		s.Disk.CountIn, s.Disk.CountOut, s.Disk.Errors = s.Disk.CountIn+b.RdReqs, s.Disk.CountOut+b.WrReqs, s.Disk.Errors+b.Errors
	}
	for _, n := range from.Net { // libvirt tells them as its machine's NIC has them: received is the guest's in
		s.Network.BytesIn, s.Network.BytesOut = s.Network.BytesIn+n.RxBytes, s.Network.BytesOut+n.TxBytes
		s.Network.CountIn, s.Network.CountOut = s.Network.CountIn+n.RxPkts, s.Network.CountOut+n.TxPkts
		s.Network.Errors += n.RxErrs + n.RxDrop + n.TxErrs + n.TxDrop
	}
	return s
}
