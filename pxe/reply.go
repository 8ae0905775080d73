package pxe

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// facts is all that a reply is made of beside the request.
type facts struct {
	Network ingot.Network
	Server  netip.Addr // ours, as this client reaches it: the server identifier
	Address netip.Addr // the client's
	Host    string
	Base    string // URL of the boot listener, without a trailing slash
	Spec    ingot.BootSpec
	Loader  string // name of the loader for this client; "" when there is none
}

// reply builds an OFFER or ACK. It reads nothing but its arguments.
func reply(req *dhcpv4.DHCPv4, c client, kind dhcpv4.MessageType, f facts) *dhcpv4.DHCPv4 {
	resp := answerTo(req, kind, f.Server)
	if kind == dhcpv4.MessageTypeAck {
		resp.ClientIPAddr = req.ClientIPAddr // RFC 2131 table 3
	}
	if f.Address.IsValid() { // no lease with INFORM: RFC 2131 section 4.3.5
		resp.YourIPAddr = f.Address.AsSlice()
		life := leaseTime(f.Network)
		resp.UpdateOption(dhcpv4.OptIPAddressLeaseTime(life))
		resp.UpdateOption(dhcpv4.OptRenewTimeValue(life / 2))
		resp.UpdateOption(dhcpv4.OptRebindingTimeValue((life * 7 / 8).Truncate(time.Second)))
	}
	networkOptions(req, resp, f)
	bootOptions(req, resp, c, f)
	return resp
}

// refuse builds a NAK: the client forgets its address and starts again. A relay has to broadcast it, since the client
// has no address to be reached at (RFC 2131 section 4.1).
func refuse(req *dhcpv4.DHCPv4, server netip.Addr, why string) *dhcpv4.DHCPv4 {
	resp := answerTo(req, dhcpv4.MessageTypeNak, server)
	resp.UpdateOption(dhcpv4.OptMessage(why))
	if addr(req.GatewayIPAddr).IsValid() {
		resp.SetBroadcast()
	}
	return resp
}

// answerTo is the frame of every answer: it repeats transaction, flags, hardware address, relay, option 82 (RFC 3046
// section 2.2) and client identifier (RFC 6842).
func answerTo(req *dhcpv4.DHCPv4, kind dhcpv4.MessageType, server netip.Addr) *dhcpv4.DHCPv4 {
	resp := &dhcpv4.DHCPv4{
		OpCode: dhcpv4.OpcodeBootReply, HWType: req.HWType, TransactionID: req.TransactionID, Flags: req.Flags,
		ClientIPAddr: net.IPv4zero, YourIPAddr: net.IPv4zero, ServerIPAddr: net.IPv4zero,
		GatewayIPAddr: req.GatewayIPAddr, ClientHWAddr: req.ClientHWAddr, Options: dhcpv4.Options{},
	}
	resp.UpdateOption(dhcpv4.OptMessageType(kind))
	resp.UpdateOption(dhcpv4.OptServerIdentifier(server.AsSlice()))
	for _, code := range []dhcpv4.OptionCode{dhcpv4.OptionRelayAgentInformation, dhcpv4.OptionClientIdentifier} {
		if v := req.Options.Get(code); v != nil {
			resp.UpdateOption(dhcpv4.OptGeneric(code, v))
		}
	}
	return resp
}

// networkOptions adds what the network's configuration says.
func networkOptions(req, resp *dhcpv4.DHCPv4, f facts) {
	n := f.Network
	resp.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(n.Subnet.Bits(), 32)))
	resp.UpdateOption(dhcpv4.OptBroadcastAddress(broadcast(n.Subnet).AsSlice()))
	if n.Gateway.IsValid() {
		resp.UpdateOption(dhcpv4.OptRouter(n.Gateway.AsSlice()))
	}
	if len(n.DNS) > 0 {
		resp.UpdateOption(dhcpv4.OptDNS(slicesOf(n.DNS)...))
	}
	if len(n.NTP) > 0 {
		resp.UpdateOption(dhcpv4.OptNTPServers(slicesOf(n.NTP)...))
	}
	if n.Domain != "" {
		resp.UpdateOption(dhcpv4.OptDomainName(n.Domain))
	}
	if f.Host != "" {
		resp.UpdateOption(dhcpv4.OptHostName(f.Host))
	}
	if routes := staticRoutes(n); len(routes) > 0 && req.IsOptionRequested(dhcpv4.OptionClasslessStaticRoute) {
		resp.UpdateOption(dhcpv4.OptClasslessStaticRoute(routes...))
	}
}

// staticRoutes is option 121: the configured routes and the gateway, since a client that takes this option leaves the
// router option aside (RFC 3442). Nothing when no routes are configured.
func staticRoutes(n ingot.Network) []*dhcpv4.Route {
	var routes []*dhcpv4.Route
	for _, r := range n.Routes {
		dest := r.Destination.Masked()
		routes = append(routes, &dhcpv4.Route{
			Dest:   &net.IPNet{IP: dest.Addr().AsSlice(), Mask: net.CIDRMask(dest.Bits(), 32)},
			Router: r.Via.AsSlice(),
		})
	}
	if len(routes) > 0 && n.Gateway.IsValid() {
		all := &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
		routes = append(routes, &dhcpv4.Route{Dest: all, Router: n.Gateway.AsSlice()})
	}
	return routes
}

func slicesOf(addrs []netip.Addr) []net.IP {
	ips := make([]net.IP, len(addrs))
	for i, a := range addrs {
		ips[i] = a.AsSlice()
	}
	return ips
}
