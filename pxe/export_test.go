package pxe

import (
	"context"
	"io"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// Answered is what Answer made of a packet.
type Answered struct {
	Reply *dhcpv4.DHCPv4
	To    netip.AddrPort
	HW    net.HardwareAddr // set when it goes out as a frame
}

// Write runs what writes leases until ctx ends, as Run does.
func (s *Server) Write(ctx context.Context) {
	s.begin()
	go s.writeLeases(ctx)
}

// Answer handles a packet as if it came to port of an interface with the addresses own; nil when it stays silent.
func (s *Server) Answer(own []netip.Addr, port int, data []byte, from netip.AddrPort) *Answered {
	s.begin()
	ctx := context.Background()
	l := settle(&net.Interface{Name: "test0"}, own, s.Networks)
	if err := s.loadOnce(ctx, l); err != nil {
		panic(err)
	}
	resp, to := s.answer(ctx, l, port, data, from)
	if resp == nil {
		return nil
	}
	return &Answered{Reply: resp, To: to.To, HW: to.HW}
}

// loadOnce reads the store when a server answers for the first time, as serveInterface does.
func (s *Server) loadOnce(ctx context.Context, l *link) error {
	for _, n := range l.networks {
		b := s.books[n.Name]
		b.mu.Lock()
		known := b.net.Address == n.Address
		b.mu.Unlock()
		if known {
			return nil
		}
	}
	return s.loadLeases(ctx, l.networks)
}

// Frame is frame.
func Frame(source net.HardwareAddr, from, to netip.AddrPort, hw net.HardwareAddr, payload []byte) []byte {
	return frame(source, from, target{To: to, HW: hw}, payload)
}

// Check is check.
func Check(n ingot.Network) error { return check(n) }

// Script is script.
func Script(spec ingot.BootSpec, base, again string) (string, error) {
	return script(spec, base, again)
}

// ProxyPort is proxyPort.
const ProxyPort = proxyPort

// SendLoader answers a TFTP read request.
func (s *Server) SendLoader(name string, to io.ReaderFrom) error {
	s.begin()
	return s.sendLoader(&link{ifi: &net.Interface{Name: "test0"}}, name, to)
}
