//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
)

// isMade says whether Ingot made a domain.
func (g *Guest) isMade(d *libvirt.Domain) (bool, error) {
	name, err := d.GetName()
	return name == domainName(g.node.UUID), err
}

// made refuses to change what a domain is made of that Ingot did not make.
func (g *Guest) made(d *libvirt.Domain) error {
	ours, err := g.isMade(d)
	if err == nil && !ours {
		err = ingot.Errorf(ingot.Unsupported, "guest %s was adopted: its disks and its shape stay what they were before Ingot knew it", g.node.UUID)
	}
	return err
}

// fits refuses to adopt a domain that has more of its host than its node claims.
func fits(d *libvirt.Domain, s *Shape) error {
	info, err := d.GetInfo()
	if err != nil {
		return err
	}
	if info.NrVirtCpu > s.CPUs || info.MaxMem > uint64(s.MemoryMB)*1024 {
		return ingot.Errorf(ingot.Invalid, "domain %s has %d processors and %d MiB of memory, and its node claims %d and %d: make the node with what the domain has",
			s.Node, info.NrVirtCpu, (info.MaxMem+1023)/1024, s.CPUs, s.MemoryMB)
	}
	return nil
}
