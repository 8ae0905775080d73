//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// tidy does away with the images in a host's pools that no disk has needed for long. It is no matter if it cannot: it is
// tried again.
func (h *Hosts) tidy(ctx context.Context, l *link, host *ingot.Hypervisor) {
	keep, aside := cmp.Or(h.KeepBases, keptByDefault), cmp.Or(h.aside, setAside)
	if !h.tidied.due(host.NodeUUID, min(keep/4, time.Hour), time.Now()) {
		return
	}
	for _, p := range host.Pools {
		err := l.do(ctx, "tidy the pool", func(c *libvirt.Connect) error {
			return within(c, p.Name, func(pool *libvirt.StoragePool) error { return h.tidyPool(pool, host.NodeUUID, p.Name, keep, aside) })
		})
		if err != nil {
			h.logger().Debug("a pool is not tidied this time", "host", host.NodeUUID, "pool", p.Name, "error", err)
		}
	}
}

func (h *Hosts) tidyPool(pool *libvirt.StoragePool, host, name string, keep, aside time.Duration) error {
	names, err := pool.ListStorageVolumes()
	if err != nil || !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, basePrefix) }) {
		return err
	}
	if err := pool.Refresh(0); err != nil { // others make volumes too; while they do it is refused
		return err
	}
	names, under, err := backing(pool)
	if err != nil {
		return err
	}
	v := h.tidied.judge(host+"/"+name, names, func(base string) bool { return under[base] }, keep, aside, time.Now())
	for _, mark := range v.mark {
		if err := makeVolume(pool, mark, "raw", 512, nil); err != nil {
			return err
		}
	}
	for _, volume := range v.drop {
		h.logger().Info("doing away with an image that no guest's disk needs", "host", host, "pool", name, "volume", volume)
		if err := dropVolume(pool, volume); err != nil {
			return err
		}
	}
	return nil
}

// backing lists a pool's volumes, and which of them others are over.
func backing(pool *libvirt.StoragePool) (names []string, under map[string]bool, err error) {
	volumes, err := pool.ListAllStorageVolumes(0)
	if err != nil {
		return nil, nil, err
	}
	under = map[string]bool{}
	for i := range volumes {
		vol := &volumes[i]
		defer free(vol)
		name, err := vol.GetName()
		if err != nil {
			return nil, nil, err
		}
		names = append(names, name)
		if strings.HasSuffix(name, configSuffix) || strings.HasSuffix(name, consoleSuffix) || strings.HasSuffix(name, baseDone) {
			continue
		}
		text, err := vol.GetXMLDesc(0)
		if is(err, libvirt.ERR_NO_STORAGE_VOL) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		var x libvirtxml.StorageVolume
		if err := x.Unmarshal(text); err != nil {
			return nil, nil, err
		}
		if x.BackingStore != nil {
			under[x.BackingStore.Path[strings.LastIndex(x.BackingStore.Path, "/")+1:]] = true
		}
	}
	return names, under, nil
}
