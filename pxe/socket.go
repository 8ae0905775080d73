package pxe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
)

// sockets are an interface's.
type sockets struct {
	raw  *packet.Conn         // for frames to machines without an address
	dhcp map[int]*net.UDPConn // by port
	tftp []*net.UDPConn       // one for each of our addresses
	icmp net.PacketConn       // for router advertisements
}

// open opens what the link's networks need; in a dry run only what listens for DHCP. The sockets have to be closed also
// when there is an error.
func (l *link) open(ctx context.Context, dry bool) (*sockets, error) {
	s := &sockets{dhcp: map[int]*net.UDPConn{}}
	ports := []uint16{dhcpv4.ServerPort}
	if l.has(ingot.DHCPProxy) {
		ports = append(ports, proxyPort)
	}
	for _, port := range ports {
		conn, err := l.listen(ctx, netip.AddrPortFrom(netip.IPv4Unspecified(), port), dry)
		if err != nil {
			return s, err
		}
		s.dhcp[int(port)] = conn
	}
	if dry {
		return s, nil
	}
	var err error
	if s.raw, err = packet.Listen(l.ifi, packet.Raw, 0, nil); err != nil { // protocol 0: it receives nothing
		return s, fmt.Errorf("cannot open a packet socket on interface %s (needs root or CAP_NET_RAW): %w", l.ifi.Name, err)
	}
	for _, at := range l.addresses() {
		conn, err := l.listen(ctx, netip.AddrPortFrom(at, tftpPort), false)
		if err != nil {
			return s, err
		}
		s.tftp = append(s.tftp, conn)
	}
	if l.advertises() {
		config := net.ListenConfig{Control: l.bind}
		if s.icmp, err = config.ListenPacket(ctx, "ip6:ipv6-icmp", "::"); err != nil {
			return s, fmt.Errorf("cannot open an ICMPv6 socket on interface %s (ra = false does without): %w", l.ifi.Name, err)
		}
	}
	return s, nil
}

// close closes all; those that a protocol has closed already are no error.
func (s *sockets) close() error {
	var all []io.Closer
	if s.raw != nil {
		all = append(all, s.raw)
	}
	if s.icmp != nil {
		all = append(all, s.icmp)
	}
	for _, conn := range s.dhcp {
		all = append(all, conn)
	}
	for _, conn := range s.tftp {
		all = append(all, conn)
	}
	var failed error
	for _, c := range all {
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// listen opens a UDP socket that hears and speaks on the interface only, so that every network has a server of its own
// and broadcasts leave where they should. Only a dry run shares the port with another DHCP server of this host: two
// that answer would be a fault, and the error says so.
func (l *link) listen(ctx context.Context, at netip.AddrPort, share bool) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) error {
		return errors.Join(l.bind(network, address, raw), option(raw, unix.SO_BROADCAST, true), option(raw, unix.SO_REUSEADDR, share))
	}}
	conn, err := config.ListenPacket(ctx, "udp4", at.String())
	if err != nil {
		return nil, fmt.Errorf("cannot listen on UDP port %d of interface %s (see who does: ss -ulnp 'sport = :%d'): %w", at.Port(), l.ifi.Name, at.Port(), err)
	}
	return conn.(*net.UDPConn), nil
}

// bind keeps a socket to the interface.
func (l *link) bind(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.BindToDevice(int(fd), l.ifi.Name) })
	return errors.Join(err, failed)
}

// option sets a socket's switch.
func option(raw syscall.RawConn, name int, on bool) error {
	value := 0
	if on {
		value = 1
	}
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, name, value) })
	return errors.Join(err, failed)
}
