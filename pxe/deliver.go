package pxe

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// target is where a reply goes: to an address and port over the socket, or, with HW set, in a frame of our own.
type target struct {
	To netip.AddrPort
	HW net.HardwareAddr
}

// destination says where a reply to req goes (RFC 2131 section 4.1): to the relay; to the address that the client has;
// to everybody; or, when the client can take a frame for an address that it has not set yet, to its hardware address
// only, for which the kernel has no ARP entry.
func destination(req, resp *dhcpv4.DHCPv4, from netip.AddrPort) target {
	everybody := target{To: netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ClientPort), HW: net.HardwareAddr{255, 255, 255, 255, 255, 255}}
	if relay := addr(req.GatewayIPAddr); relay.IsValid() {
		return target{To: netip.AddrPortFrom(relay, dhcpv4.ServerPort)}
	}
	if resp.MessageType() == dhcpv4.MessageTypeNak {
		return everybody
	}
	if ci := addr(req.ClientIPAddr); ci.IsValid() && from.Addr().Unmap() == ci {
		return target{To: netip.AddrPortFrom(ci, dhcpv4.ClientPort)}
	}
	yi := addr(resp.YourIPAddr)
	if req.IsBroadcast() || !yi.IsValid() {
		return everybody
	}
	return target{To: netip.AddrPortFrom(yi, dhcpv4.ClientPort), HW: req.ClientHWAddr}
}

// frame is an Ethernet II frame with a UDP datagram over IPv4, both checksums filled in. Some PXE ROMs drop UDP without
// a checksum although RFC 768 allows it.
func frame(source net.HardwareAddr, from netip.AddrPort, t target, payload []byte) []byte {
	const ether, ip, udp = 14, 20, 8
	b := make([]byte, ether+ip+udp, ether+ip+udp+len(payload))
	copy(b[0:], t.HW)
	copy(b[6:], source)
	binary.BigEndian.PutUint16(b[12:], 0x0800)

	h := b[ether:]
	src, dst := from.Addr().As4(), t.To.Addr().As4()
	h[0] = 0x45
	binary.BigEndian.PutUint16(h[2:], uint16(ip+udp+len(payload)))
	h[8], h[9] = 64, 17
	copy(h[12:], src[:])
	copy(h[16:], dst[:])
	binary.BigEndian.PutUint16(h[10:], checksum(0, h[:ip]))

	u := b[ether+ip:]
	binary.BigEndian.PutUint16(u[0:], from.Port())
	binary.BigEndian.PutUint16(u[2:], t.To.Port())
	binary.BigEndian.PutUint16(u[4:], uint16(udp+len(payload)))
	b = append(b, payload...)
	pseudo := uint32(17) + uint32(udp+len(payload)) + sum(src[:]) + sum(dst[:])
	check := checksum(pseudo, b[ether+ip:])
	if check == 0 {
		check = 0xffff // zero means none
	}
	binary.BigEndian.PutUint16(b[ether+ip+6:], check)
	return b
}

// checksum is the Internet checksum (RFC 1071) of b, started with what was summed before.
func checksum(start uint32, b []byte) uint16 {
	total := start + sum(b)
	for total>>16 != 0 {
		total = total&0xffff + total>>16
	}
	return ^uint16(total)
}

func sum(b []byte) uint32 {
	var total uint32
	for i := 0; i+1 < len(b); i += 2 {
		total += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		total += uint32(b[len(b)-1]) << 8
	}
	return total
}
