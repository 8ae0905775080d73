//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// canaryPatience is what a canary may take: a processor needs a second, most of it the firmware's; an emulator behind KVM's
// interface, with which a kernel would not start, many times that.
const canaryPatience = 20 * time.Second

// canaryCode is a boot sector that goes to 64 bits, runs what kernels and firmware begin with and partial implementations
// of KVM cannot (FNINIT, LOCK CMPXCHG16B), counts down from 20,000,000 and switches the machine off (ACPI, port 0x604 of q35):
//
//	cli; 0 -> ds, es, ss; page tables at 0x1000 that map the first 2 MiB to themselves; cr4 = PAE OSFXSR OSXMMEXCPT;
//	cr3 = 0x1000; EFER.LME; cr0 |= PG NE MP PE; ljmp to 64 bits; fninit; lock cmpxchg16b [0x5400]; mov ecx, 20000000;
//	dec ecx, jnz; mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt
const canaryCode = "" +
	"fa31c08ed88ec08ed0bc007cfcbf00106631c0b9001866f3ab66c70600100320000066c70600200330000066c7060030" +
	"8300000066b8200600000f22e066b8001000000f22d866b9800000c00f32660d000100000f300f0116c87c0f20c06683" +
	"e0fb660d330000800f22c0ea707c0800b8100000008ed88ec08ed0dbe3bf0050000031d231c031db31c9f0480fc78f00" +
	"0400007515b9002d3101ffc975fcba04060000b80020000066eff4ebfd0f1f000000000000000000ffff0000009aaf00" +
	"ffff00000092cf001700b07c"

// song is what is known of a host's canary.
type song struct {
	singing bool // now
	heard   bool // at least one has been tried
	failed  bool // the last one could not be
	lives   bool
}

// undecided is a host's trouble until its first canary was tried.
const undecided = "a canary guest has yet to show whether its KVM runs one"

// sortVirtTypes leaves kvm out until a canary has ended by itself under it: a /dev/kvm is no proof. The canary runs behind
// the probe, once in each process for each version of a host, and has the host probed again when it is done. Until then what
// was found out of the same host and versions before holds; one of which nothing is known is in trouble for the while.
func (h *Hosts) sortVirtTypes(ctx context.Context, l *link, host *ingot.Hypervisor, f *ingot.HostFacts) error {
	if !slices.Contains(f.VirtTypes, "kvm") {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(f.VirtTypes), func(t string) bool { return t == "kvm" })
	key := fmt.Sprint(host.NodeUUID, f.HostUUID, f.LibvirtVersion, f.HypervisorVersion, host.CPU, host.Pools)
	known := &host.Facts
	same := known.HostUUID == f.HostUUID && known.LibvirtVersion == f.LibvirtVersion && known.HypervisorVersion == f.HypervisorVersion
	switch now := h.listen(ctx, l, host, key); {
	case now.heard && !now.failed && now.lives:
		f.VirtTypes = append([]string{"kvm"}, others...)
	case now.heard && !now.failed:
		f.VirtTypes = others
	case same && len(known.VirtTypes) > 0 && !slices.Contains(known.Problems, undecided):
		f.VirtTypes = known.VirtTypes
	default:
		f.VirtTypes = others
		if !now.heard && len(host.Pools) > 0 {
			f.Problems = append(f.Problems, undecided)
		}
	}
	return nil
}

// listen says what is known of a canary, and has it sing where that is not enough.
func (h *Hosts) listen(ctx context.Context, l *link, host *ingot.Hypervisor, key string) song {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.canaries[key]
	if s == nil {
		s = &song{}
		if h.canaries == nil {
			h.canaries = map[string]*song{}
		}
		h.canaries[key] = s
	}
	if len(host.Pools) > 0 && !s.singing && (!s.heard || s.failed) {
		s.singing = true
		go h.sing(context.WithoutCancel(ctx), l, *host, s)
	}
	return *s
}

// sing runs a canary and keeps what became of it. One that could not be tried is tried at the next probe.
func (h *Hosts) sing(ctx context.Context, l *link, host ingot.Hypervisor, s *song) {
	ctx, cancel := context.WithTimeout(ctx, 2*canaryPatience)
	defer cancel()
	lives, err := canary(ctx, l, "kvm", &host)
	h.mu.Lock()
	first := !s.heard
	*s = song{heard: true, failed: err != nil, lives: lives}
	h.mu.Unlock()
	if err != nil || !lives {
		h.logger().Warn("a compute host offers no KVM: the canary did not come back", "host", host.NodeUUID, "error", err)
	}
	if first || err == nil {
		h.happened(host.NodeUUID, "")
	}
}

// canary says whether a machine of the type runs to its end.
func canary(ctx context.Context, l *link, virt string, host *ingot.Hypervisor) (bool, error) {
	pool := host.Pools[0].Name
	text, err := canaryXML(virt, pool, host.CPU)
	if err != nil {
		return false, err
	}
	return ask(ctx, l, "run a canary", func(c *libvirt.Connect) (bool, error) {
		if err := within(c, pool, func(p *libvirt.StoragePool) error { return layEgg(c, p) }); err != nil {
			return false, err
		}
		d, err := c.DomainCreateXML(text, libvirt.DOMAIN_START_AUTODESTROY)
		if err != nil {
			return false, err
		}
		defer free(d)
		defer func() { _ = d.Destroy() }() // it is gone already where all is well
		return ends(ctx, d), nil
	})
}

// ends waits until a transient domain is gone; one that stops on the way does not end.
func ends(ctx context.Context, d *libvirt.Domain) bool {
	late := time.NewTimer(canaryPatience)
	defer late.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		state, _, err := d.GetState()
		switch {
		case is(err, libvirt.ERR_NO_DOMAIN):
			return true
		case err == nil && (state == libvirt.DOMAIN_PAUSED || state == libvirt.DOMAIN_CRASHED):
			return false
		}
		select {
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		case <-look.C:
		}
	}
}

// layEgg writes the canary's disk.
func layEgg(c *libvirt.Connect, pool *libvirt.StoragePool) error {
	code, err := hex.DecodeString(canaryCode)
	if err != nil {
		return err
	}
	disk := make([]byte, 1<<20) // of less the firmware boots nothing
	copy(disk, code)
	disk[510], disk[511] = 0x55, 0xaa
	if err := dropVolume(pool, canaryName); err != nil {
		return err
	}
	if err := makeVolume(pool, canaryName, "raw", uint64(len(disk)), nil); err != nil {
		return err
	}
	return upload(c, pool, canaryName, bytes.NewReader(disk), int64(len(disk)))
}

func canaryXML(virt, pool string, cpu ingot.GuestCPU) (string, error) {
	s := Shape{Virt: virt, CPU: cpu}
	d := libvirtxml.Domain{
		Type: virt, Name: canaryName, Memory: &libvirtxml.DomainMemory{Value: 64, Unit: "MiB"}, VCPU: &libvirtxml.DomainVCPU{Value: 1},
		OS: s.os(), Features: s.features(), CPU: s.cpu(), OnPoweroff: "destroy", OnReboot: "destroy", OnCrash: "destroy",
		Devices: &libvirtxml.DomainDeviceList{Disks: []libvirtxml.DomainDisk{{
			Device: "disk", Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw"},
			Source: &libvirtxml.DomainDiskSource{Volume: &libvirtxml.DomainDiskSourceVolume{Pool: pool, Volume: canaryName}},
			Target: &libvirtxml.DomainDiskTarget{Dev: "vda", Bus: "virtio"},
		}}},
	}
	return d.Marshal()
}
