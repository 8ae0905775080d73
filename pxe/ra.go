package pxe

import (
	"context"
	"fmt"
	"net"

	"github.com/ingot-metal/ingot"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"
)

// advertises says whether IPv6 router advertisements go out on this interface.
func (l *link) advertises() bool {
	if l.local < 0 {
		return false
	}
	n := l.networks[l.local]
	if n.RA != nil {
		return *n.RA
	}
	return n.DHCP == ingot.DHCPFull
}

// advertisement is a router advertisement (RFC 4861 section 4.2) of a router that routes nothing: lifetime 0, no
// managed or other flag, no prefix. It is all that iPXE waits for: observed, its "Configuring (net0)" takes 16 s on a
// wire without one and no time with one, as it tries IPv6 beside IPv4 and waits for both. Operating systems learn
// nothing from it.
func advertisement() icmp.Message {
	return icmp.Message{Type: ipv6.ICMPTypeRouterAdvertisement, Body: &icmp.RawBody{Data: []byte{
		64,   // current hop limit
		0,    // no flags
		0, 0, // router lifetime: not a default router
		0, 0, 0, 0, // reachable time: not given
		0, 0, 0, 0, // retransmission timer: not given
	}}}
}

// advertise answers router solicitations until ctx ends.
func (s *Server) advertise(ctx context.Context, l *link, raw net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	conn := ipv6.NewPacketConn(raw)
	if err := l.prepare(conn); err != nil {
		return fmt.Errorf("cannot listen for router solicitations on interface %s (ra = false does without): %w", l.ifi.Name, err)
	}
	message := advertisement()
	data, err := message.Marshal(nil) // the kernel puts the checksum in
	if err != nil {
		return fmt.Errorf("cannot build a router advertisement: %w", err)
	}
	everybody := &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: l.ifi.Name}
	buf := make([]byte, 1500)
	for {
		if _, err := conn.WriteTo(data, nil, everybody); err != nil && ctx.Err() == nil {
			s.Logger.Debug("router advertisement not sent", "interface", l.ifi.Name, "error", err)
		}
		if _, _, _, err := conn.ReadFrom(buf); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot receive router solicitations on interface %s: %w", l.ifi.Name, err)
		}
	}
}

// prepare sets what RFC 4861 wants of a router's socket: hop limit 255, member of all routers; and lets only
// solicitations through.
func (l *link) prepare(conn *ipv6.PacketConn) error {
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeRouterSolicitation)
	if err := conn.SetICMPFilter(&filter); err != nil {
		return err
	}
	if err := conn.SetMulticastHopLimit(255); err != nil {
		return err
	}
	if err := conn.SetMulticastInterface(l.ifi); err != nil {
		return err
	}
	return conn.JoinGroup(l.ifi, &net.IPAddr{IP: net.IPv6linklocalallrouters})
}
