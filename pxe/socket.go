package pxe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// listen opens a UDP socket that hears and speaks on the interface only, so that every network has a server of its own
// and broadcasts leave where they should. Only a dry run shares the port with another DHCP server of this host: two
// that answer would be a fault, and the error says so.
func (l *link) listen(ctx context.Context, at netip.AddrPort, share bool) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = errors.Join(
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, number01(share)),
				unix.BindToDevice(int(fd), l.ifi.Name),
			)
		})
		return errors.Join(err, failed)
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

// openRaw opens the socket for frames to machines without an address; nil in a dry run. It receives nothing.
func (l *link) openRaw(dry bool) (*packet.Conn, error) {
	if dry {
		return nil, nil
	}
	raw, err := packet.Listen(l.ifi, packet.Raw, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot open a packet socket on interface %s (needs root or CAP_NET_RAW): %w", l.ifi.Name, err)
	}
	return raw, nil
}

func number01(b bool) int {
	if b {
		return 1
	}
	return 0
}
