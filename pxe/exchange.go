package pxe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// reservation is what is set aside for the client of a query; errSilent when the network is for known ports only and
// this is none.
func (s *Server) reservation(ctx context.Context, q query) (ingot.Lease, error) {
	lease, known, err := s.Leases.Reservation(ctx, q.network.Name, q.client.MAC)
	if err != nil {
		return ingot.Lease{}, fmt.Errorf("cannot look for a reservation: %w", err)
	}
	if !known && q.network.DHCP == ingot.DHCPReserved {
		return ingot.Lease{}, errSilent
	}
	if lease.Until != 0 { // of the store: who is remembered to have the address had it before
		s.books[q.network.Name].give(lease.MAC, lease.Address, time.Unix(lease.Until, 0))
		lease.Address = netip.Addr{}
	}
	return lease, nil
}

// facts asks what to boot, when it is firmware or iPXE that asks, and gathers what a reply needs. An error of the
// decider leaves the client without any reply: it asks again, where an answer without boot options would send it on to
// its next boot device.
func (s *Server) facts(ctx context.Context, q query, at netip.Addr, host string) (facts, error) {
	f := facts{Network: q.network, Server: q.server, Address: at, Host: host, Base: s.base(q.network.Address)}
	if q.client.Asker == askerOS {
		return f, nil
	}
	ask := ingot.BootRequest{Network: q.network.Name, MAC: q.client.MAC, Address: at, Arch: q.client.Arch, UUID: q.client.UUID}
	if q.client.Asker == askerIPXE {
		ask.Loader = "ipxe"
	}
	spec, err := s.Decider.Decide(ctx, ask)
	if err != nil {
		return facts{}, fmt.Errorf("cannot decide what to boot: %w", err)
	}
	f.Spec = spec
	if spec.Action != ingot.BootKernel || q.client.Asker == askerIPXE {
		return f, nil
	}
	name, ok := s.loader(q.client.Arch)
	if !ok {
		q.log.Warn("no loader for this architecture", "arch", q.client.Arch, "wanted", name)
		s.saw(q.network.Name, q.client.MAC, fmt.Sprintf("has architecture %d, for which there is no loader", q.client.Arch))
		return f, nil
	}
	f.Loader = name
	return f, nil
}

// respondDiscover offers an address. A boot service that is alone writes nothing: the client may take another server's
// offer.
func (s *Server) respondDiscover(ctx context.Context, q query) (*dhcpv4.DHCPv4, error) {
	reserved, err := s.reservation(ctx, q)
	if err != nil {
		return nil, err
	}
	at, err := s.offer(ctx, q, reserved.Address)
	if err != nil {
		return nil, err
	}
	f, err := s.facts(ctx, q, at, reserved.Hostname)
	if err != nil {
		return nil, err
	}
	s.saw(q.network.Name, q.client.MAC, "offered "+at.String())
	return reply(q.req, q.client, dhcpv4.MessageTypeOffer, f), nil
}

// respondRequest commits an address, refuses it, or leaves the client to the server that it chose. The four cases of
// RFC 2131 section 4.3.2: with a server identifier the client takes an offer; else it verifies an old address after a
// restart (option 50), or renews or rebinds the one that it uses (ciaddr).
func (s *Server) respondRequest(ctx context.Context, q query) (*dhcpv4.DHCPv4, error) {
	b := s.books[q.network.Name]
	if chosen := addr(q.req.ServerIdentifier()); chosen.IsValid() && chosen != q.server {
		b.withdraw(q.client.MAC)
		return nil, errSilent
	}
	wants := addr(q.req.RequestedIPAddress())
	if !wants.IsValid() {
		wants = addr(q.req.ClientIPAddr)
	}
	if !wants.IsValid() {
		return nil, errSilent
	}
	reserved, err := s.reservation(ctx, q)
	if err != nil {
		return nil, err
	}
	if ok, err := s.allowed(ctx, q, reserved.Address, wants); err != nil {
		return nil, err
	} else if !ok {
		return s.refuse(q, wants, "this address is not yours on this network"), nil
	}
	f, err := s.facts(ctx, q, wants, reserved.Hostname)
	if err != nil {
		return nil, err
	}
	if err := s.commit(ctx, q, wants, reserved.Hostname); errors.Is(err, errTaken) {
		return s.refuse(q, wants, "this address is another machine's"), nil
	} else if err != nil {
		return nil, err
	}
	s.saw(q.network.Name, q.client.MAC, "acknowledged "+wants.String())
	return reply(q.req, q.client, dhcpv4.MessageTypeAck, f), nil
}

// refuse is a NAK, with evidence.
func (s *Server) refuse(q query, wanted netip.Addr, why string) *dhcpv4.DHCPv4 {
	q.log.Info("DHCP request refused", "address", wanted.String(), "why", why)
	s.saw(q.network.Name, q.client.MAC, "refused "+wanted.String())
	return refuse(q.req, q.server, why)
}

// commit writes a lease before its ACK leaves. When the store says that the address is another's, the book is read again,
// since another boot service has been at work, or the address has gone to another machine with its instance. One whose
// machine is not found so rests.
func (s *Server) commit(ctx context.Context, q query, at netip.Addr, host string) error {
	if s.DryRun {
		return nil
	}
	b, until := s.books[q.network.Name], leaseUntil(q.network, s.now())
	err := s.save(ctx, ingot.Lease{Network: q.network.Name, MAC: q.client.MAC, Address: at, Hostname: host, Until: until.Unix()})
	switch {
	case err == nil:
		b.give(q.client.MAC, at, until)
	case errors.Is(err, errTaken):
		if e := s.loadLeases(ctx, []ingot.Network{q.network}); e != nil {
			q.log.Warn("leases not read again", "error", e)
		}
		if !b.leased(at, q.client.MAC, s.now()) {
			b.rest(at, s.now())
		}
	default:
		err = fmt.Errorf("cannot write the lease of %s: %w", at, err)
	}
	return err
}

// respondInform gives options to a client that has its address from elsewhere (RFC 2131 section 4.3.5).
func (s *Server) respondInform(ctx context.Context, q query) (*dhcpv4.DHCPv4, error) {
	reserved, err := s.reservation(ctx, q)
	if err != nil {
		return nil, err
	}
	f, err := s.facts(ctx, q, addr(q.req.ClientIPAddr), reserved.Hostname)
	if err != nil {
		return nil, err
	}
	f.Address = netip.Addr{}
	return reply(q.req, q.client, dhcpv4.MessageTypeAck, f), nil
}

// hearDecline takes an address out of use that the client found somebody else on.
func (s *Server) hearDecline(ctx context.Context, q query) error {
	at := addr(q.req.RequestedIPAddress())
	b := s.books[q.network.Name]
	if addr(q.req.ServerIdentifier()) != q.server || b.holder(at) != q.client.MAC {
		return errSilent
	}
	q.log.Warn("address declined: another machine uses it", "address", at.String(), "rests", quarantineTime)
	s.saw(q.network.Name, q.client.MAC, "declined "+at.String())
	b.rest(at, s.now())
	return s.endLease(ctx, q, at)
}

// hearRelease frees an address.
func (s *Server) hearRelease(ctx context.Context, q query) error {
	at := addr(q.req.ClientIPAddr)
	if addr(q.req.ServerIdentifier()) != q.server || !s.books[q.network.Name].end(q.client.MAC, at, s.now()) {
		return errSilent
	}
	s.saw(q.network.Name, q.client.MAC, "released "+at.String())
	return s.endLease(ctx, q, at)
}

// endLease writes that a lease is over.
func (s *Server) endLease(ctx context.Context, q query, at netip.Addr) error {
	if s.DryRun {
		return nil
	}
	err := s.save(ctx, ingot.Lease{Network: q.network.Name, MAC: q.client.MAC, Address: at, Until: s.now().Unix()})
	if err != nil && !errors.Is(err, errTaken) {
		return fmt.Errorf("cannot end the lease of %s: %w", at, err)
	}
	return nil
}
