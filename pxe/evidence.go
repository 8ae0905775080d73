package pxe

import (
	"errors"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/ingot-metal/ingot"
)

// saw records evidence on a machine that is known by its MAC.
func (s *Server) saw(network, mac, what string) {
	if mac != "" && !s.DryRun {
		s.Decider.Saw(ingot.BootEvidence{Network: network, MAC: mac, What: what})
	}
}

// sawAt records evidence on the machine that has an address, if that can be told.
func (s *Server) sawAt(at netip.Addr, what string) {
	network, mac := s.whoHas(at)
	s.saw(network, mac, what)
}

// whoHas is the machine at an address: from our leases, else from the kernel's neighbour table, which knows those that
// another DHCP server gave their address.
func (s *Server) whoHas(at netip.Addr) (network, mac string) {
	name, ok := s.networkOf(at)
	if !ok {
		return "", ""
	}
	if mac := s.books[name].holder(at); mac != "" {
		return name, mac
	}
	return name, neighbour(at)
}

// networkOf is the network that an address is on.
func (s *Server) networkOf(at netip.Addr) (string, bool) {
	for _, n := range s.Networks {
		if n.Subnet.IsValid() && n.Subnet.Contains(at) {
			return n.Name, true
		}
	}
	return "", false
}

// neighbour is the MAC that the kernel has for an address; "" when none.
func neighbour(at netip.Addr) string {
	list, err := netlink.NeighList(0, netlink.FAMILY_V4)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return ""
	}
	for _, n := range list {
		if addr(n.IP) == at && len(n.HardwareAddr) == 6 {
			return n.HardwareAddr.String()
		}
	}
	return ""
}
