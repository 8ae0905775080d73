//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"fmt"
	"slices"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// Check refuses settings that cannot be right for any host (ingot.HypervisorProber).
func (h *Hosts) Check(host *ingot.Hypervisor) error { return checkHost(host) }

// Probe finds out how a compute host is (ingot.HypervisorProber).
func (h *Hosts) Probe(ctx context.Context, host ingot.Hypervisor, guests []string) (ingot.HostFacts, error) {
	l, err := h.link(host.NodeUUID, host.URI)
	if err != nil {
		return ingot.HostFacts{}, err
	}
	facts, err := ask(ctx, l, "probe", func(c *libvirt.Connect) (ingot.HostFacts, error) {
		f := ingot.HostFacts{Totals: ingot.Amounts{}}
		for _, look := range []func(*libvirt.Connect, *ingot.HostFacts) error{
			readVersions, readMachine, readCapabilities, readFirmware,
			func(c *libvirt.Connect, f *ingot.HostFacts) error { return readPools(c, host.Pools, f) },
			func(c *libvirt.Connect, f *ingot.HostFacts) error { return readNetworks(c, host.Networks, f) },
			func(c *libvirt.Connect, f *ingot.HostFacts) error { return readDomains(c, guests, f) },
			func(c *libvirt.Connect, f *ingot.HostFacts) error { return readStalled(c, guests, f) },
		} {
			if err := look(c, &f); err != nil {
				return f, err
			}
		}
		return f, nil
	})
	if err != nil {
		return facts, err
	}
	h.tidy(ctx, l, &host)
	return facts, h.sortVirtTypes(ctx, l, &host, &facts)
}

// Answers connects anew and asks for a word (ingot.HypervisorProber).
func (h *Hosts) Answers(ctx context.Context, host ingot.Hypervisor) error {
	address, err := ParseURI(host.URI)
	if err != nil {
		return err
	}
	l := newLink(address, h.logger(), func(string) {})
	defer l.close()
	return l.do(ctx, "reach it", func(c *libvirt.Connect) error {
		_, err := c.GetLibVersion()
		return err
	})
}

func readVersions(c *libvirt.Connect, f *ingot.HostFacts) error {
	daemon, err := c.GetLibVersion()
	if err != nil {
		return err
	}
	f.LibvirtVersion = version(daemon)
	if emulator, err := c.GetVersion(); err == nil { // a host without QEMU has none
		f.HypervisorVersion = version(emulator)
	}
	f.Hostname, err = c.GetHostname()
	return err
}

// version spells a number of libvirt's: major * 1,000,000 + minor * 1,000 + release.
func version(n uint32) string {
	return fmt.Sprintf("%d.%d.%d", n/1_000_000, n/1000%1000, n%1000)
}

func readMachine(c *libvirt.Connect, f *ingot.HostFacts) error {
	info, err := c.GetNodeInfo()
	if err != nil {
		return err
	}
	f.Totals[ingot.VCPU], f.Totals[ingot.MemoryMB] = int64(info.Cpus), int64(info.Memory/1024)
	return nil
}

func readCapabilities(c *libvirt.Connect, f *ingot.HostFacts) error {
	text, err := c.GetCapabilities()
	if err != nil {
		return err
	}
	var caps libvirtxml.Caps
	if err := caps.Unmarshal(text); err != nil {
		return fmt.Errorf("cannot read its capabilities: %w", err)
	}
	f.HostUUID = caps.Host.UUID
	if caps.Host.CPU != nil {
		f.Arch, f.CPUModel = caps.Host.CPU.Arch, caps.Host.CPU.Model
	}
	for _, guest := range caps.Guests {
		if guest.OSType != "hvm" || guest.Arch.Name != f.Arch {
			continue
		}
		for _, d := range guest.Arch.Domains {
			if d.Type == "kvm" || d.Type == "qemu" || d.Type == "test" {
				f.VirtTypes = append(f.VirtTypes, d.Type)
			}
		}
	}
	if len(f.VirtTypes) == 0 {
		f.Problems = append(f.Problems, "it has no emulator for machines of its own architecture: install qemu-system")
	}
	return nil
}

// readFirmware asks what machines of type q35 may have. A driver that cannot say has nothing of it.
func readFirmware(c *libvirt.Connect, f *ingot.HostFacts) error {
	if f.Arch != "x86_64" {
		return nil
	}
	text, err := c.GetDomainCapabilities("", f.Arch, "q35", "", 0)
	if err != nil {
		return nil //nolint:nilerr // as said
	}
	var caps libvirtxml.DomainCaps
	if err := caps.Unmarshal(text); err != nil {
		return fmt.Errorf("cannot read its domain capabilities: %w", err)
	}
	if caps.OS != nil {
		f.UEFI = offers(caps.OS.Enums, "firmware", "efi")
		f.SecureBoot = f.UEFI && caps.OS.Loader != nil && offers(caps.OS.Loader.Enums, "secure", "yes")
	}
	if caps.Devices != nil && caps.Devices.TPM != nil {
		f.TPM = caps.Devices.TPM.Supported == "yes" && offers(caps.Devices.TPM.Enums, "backendModel", "emulator")
	}
	return nil
}

func offers(enums []libvirtxml.DomainCapsEnum, name, value string) bool {
	return slices.ContainsFunc(enums, func(e libvirtxml.DomainCapsEnum) bool { return e.Name == name && slices.Contains(e.Values, value) })
}

// readDomains lists what is not ours, with what it takes while it runs. A canary of ours that a process left behind is
// not counted.
func readDomains(c *libvirt.Connect, guests []string, f *ingot.HostFacts) error {
	domains, err := c.ListAllDomains(0)
	if err != nil {
		return err
	}
	for i := range domains {
		d := &domains[i]
		defer free(d)
		id, err := d.GetUUIDString()
		if err != nil {
			return err
		}
		name, err := d.GetName()
		if err != nil {
			return err
		}
		if slices.Contains(guests, id) || name == canaryName {
			continue
		}
		found := ingot.UnmanagedDomain{Name: name, UUID: id}
		if info, err := d.GetInfo(); err == nil && info.State != libvirt.DOMAIN_SHUTOFF {
			found.Uses = ingot.Amounts{ingot.VCPU: int64(info.NrVirtCpu), ingot.MemoryMB: int64(info.MaxMem / 1024)}
		}
		f.Unmanaged = append(f.Unmanaged, found)
	}
	slices.SortFunc(f.Unmanaged, func(a, b ingot.UnmanagedDomain) int { return compare(a.Name, b.Name) })
	return nil
}
