package pxe

import (
	"context"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// proxyPort is where firmware asks a boot server (PXE specification 2.1 section 2.2.3).
const proxyPort = 4011

// respondProxy answers beside another DHCP server, which gives the addresses. A DISCOVER on port 67 gets an offer
// without an address; a REQUEST on port 4011 gets the boot file.
func (s *Server) respondProxy(ctx context.Context, q query) (*dhcpv4.DHCPv4, error) {
	kind := dhcpv4.MessageTypeAck
	switch q.req.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform:
		if q.port != proxyPort {
			return nil, errSilent
		}
	default:
		return nil, errSilent
	}
	if q.client.Asker == askerOS {
		return nil, errSilent
	}
	f, err := s.facts(ctx, q, addr(q.req.ClientIPAddr), "")
	if err != nil {
		return nil, err
	}
	resp := proxyReply(q.req, q.client, kind, f)
	if bootFile(resp) == "" && !resp.Options.Has(dhcpv4.OptionVendorSpecificInformation) {
		return nil, errSilent
	}
	return resp, nil
}

// proxyReply builds a proxy OFFER or ACK. Option 43 with discovery control 8 (use the boot file of this packet, no
// discovery: PXE specification 2.1 table 2-3) makes BIOS ROMs and iPXE go on without asking port 4011.
func proxyReply(req *dhcpv4.DHCPv4, c client, kind dhcpv4.MessageType, f facts) *dhcpv4.DHCPv4 {
	resp := answerTo(req, kind, f.Server)
	bootOptions(req, resp, c, f)
	resp.Options.Del(optionEtherboot) // it would say that there is no proxy
	if c.Asker == askerHTTP || bootFile(resp) == "" {
		return resp
	}
	resp.ServerIPAddr = f.Server.AsSlice()
	resp.UpdateOption(dhcpv4.OptClassIdentifier("PXEClient"))
	resp.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionVendorSpecificInformation, []byte{6, 1, 8, 255}))
	if id := req.Options.Get(dhcpv4.OptionClientMachineIdentifier); id != nil {
		resp.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientMachineIdentifier, id))
	}
	return resp
}
