package pxe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// errSilent is the answer to a request that is not ours to answer.
var errSilent = errors.New("not ours to answer")

// query is one DHCP request that is being answered.
type query struct {
	req     *dhcpv4.DHCPv4
	client  client
	network ingot.Network
	server  netip.Addr // ours, as the client knows us
	port    int        // that it came to: 67 or 4011
	log     *slog.Logger
}

// serveDHCP answers what comes to conn until ctx ends.
func (s *Server) serveDHCP(ctx context.Context, l *link, port int, conn *net.UDPConn, raw *packet.Conn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var g errgroup.Group
	g.SetLimit(packetsMost)
	defer func() { _ = g.Wait() }()
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot receive DHCP on interface %s: %w", l.ifi.Name, err)
		}
		data := append([]byte(nil), buf[:n]...)
		g.Go(func() error {
			if resp, to := s.answer(ctx, l, port, data, from); resp != nil {
				s.send(l, port, conn, raw, resp, to)
			}
			return nil
		})
	}
}

// send puts a reply on the wire; what fails is logged, since the client asks again.
func (s *Server) send(l *link, port int, conn *net.UDPConn, raw *packet.Conn, resp *dhcpv4.DHCPv4, to target) {
	if s.DryRun {
		s.Logger.Info("would answer", "interface", l.ifi.Name, "kind", resp.MessageType().String(), "mac", resp.ClientHWAddr.String(),
			"address", resp.YourIPAddr.String(), "file", bootFile(resp), "to", to.To.String())
		return
	}
	var err error
	if to.HW != nil {
		from := netip.AddrPortFrom(addr(resp.ServerIdentifier()), uint16(port))
		_, err = raw.WriteTo(frame(*l.hw.Load(), from, to, resp.ToBytes()), &packet.Addr{HardwareAddr: to.HW})
	} else {
		_, err = conn.WriteToUDPAddrPort(resp.ToBytes(), to.To)
	}
	if err != nil {
		s.Logger.Warn("DHCP reply not sent", "interface", l.ifi.Name, "mac", resp.ClientHWAddr.String(), "to", to.To.String(), "error", err)
	}
}

// bootFile is the boot file that a reply names.
func bootFile(resp *dhcpv4.DHCPv4) string {
	if name := resp.BootFileNameOption(); name != "" {
		return name
	}
	return resp.BootFileName
}

// answer is the reply to one packet, and where it goes; nil when there is none.
func (s *Server) answer(ctx context.Context, l *link, port int, data []byte, from netip.AddrPort) (*dhcpv4.DHCPv4, target) {
	q, ok := s.read(l, port, data)
	if !ok {
		return nil, target{}
	}
	q.log.Debug("DHCP request", "kind", q.req.MessageType().String(), "asker", q.client.Asker, "arch", q.client.Arch, "uuid", q.client.UUID)
	if s.DryRun {
		q.log.Info("heard", "kind", q.req.MessageType().String(), "asker", q.client.Asker, "arch", q.client.Arch, "uuid", q.client.UUID, "from", from.String())
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	resp, err := s.respond(ctx, q)
	if err != nil {
		if !errors.Is(err, errSilent) {
			q.log.Warn("DHCP request not answered", "kind", q.req.MessageType().String(), "error", err)
		}
		return nil, target{}
	}
	if resp == nil {
		return nil, target{}
	}
	if port == proxyPort {
		return resp, target{To: from}
	}
	return resp, destination(q.req, resp, from)
}

// read makes a query of a packet; false when it is malformed or from no network of ours.
func (s *Server) read(l *link, port int, data []byte) (query, bool) {
	req, err := dhcpv4.FromBytes(data)
	if err != nil {
		s.Logger.Debug("malformed DHCP packet", "interface", l.ifi.Name, "error", err)
		return query{}, false
	}
	c, ok := clientOf(req)
	if !ok || req.OpCode != dhcpv4.OpcodeBootRequest {
		return query{}, false
	}
	n, ok := l.network(req)
	if !ok {
		s.Logger.Debug("DHCP request of no configured network", "interface", l.ifi.Name, "mac", c.MAC, "relay", req.GatewayIPAddr.String())
		return query{}, false
	}
	q := query{req: req, client: c, network: n, server: n.Address, port: port, log: s.Logger.With("network", n.Name, "mac", c.MAC)}
	if info := req.RelayAgentInfo(); info != nil { // server identifier override, RFC 5107
		if a := addr(info.Get(dhcpv4.ServerIdentifierOverrideSubOption)); a.IsValid() {
			q.server = a
		}
	}
	return q, true
}

// respond is the reply to a query. An error means silence.
func (s *Server) respond(ctx context.Context, q query) (*dhcpv4.DHCPv4, error) {
	if q.network.DHCP == ingot.DHCPProxy {
		return s.respondProxy(ctx, q)
	}
	if q.port != dhcpv4.ServerPort {
		return nil, errSilent
	}
	switch q.req.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return s.respondDiscover(ctx, q)
	case dhcpv4.MessageTypeRequest:
		return s.respondRequest(ctx, q)
	case dhcpv4.MessageTypeInform:
		return s.respondInform(ctx, q)
	case dhcpv4.MessageTypeDecline:
		return nil, s.hearDecline(ctx, q)
	case dhcpv4.MessageTypeRelease:
		return nil, s.hearRelease(ctx, q)
	}
	return nil, errSilent
}
