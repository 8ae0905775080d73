package pxe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/ingot-metal/ingot"
)

// Offers keeps promises of addresses between boot services that serve the same network, so that two never offer one
// address to different machines, nor one machine different addresses.
type Offers interface {
	// OfferLease promises the lease's address to its machine until lease.Until. A machine that has a promise or a lease
	// that still lasts keeps that, and it is what is given. Conflict: the address is another machine's.
	OfferLease(ctx context.Context, lease ingot.Lease) (ingot.Lease, error)
}

// promiseTries bounds how often an address is chosen that another boot service has just promised.
const promiseTries = 8

// errPoolEmpty is why nothing is offered.
var errPoolEmpty = errors.New("cannot offer an address: the pool is used up; make it larger or lease_time shorter")

// offer chooses an address and promises it, to the other boot services too where there are any.
func (s *Server) offer(ctx context.Context, q query, reserved netip.Addr) (netip.Addr, error) {
	b, wants := s.books[q.network.Name], addr(q.req.RequestedIPAddress())
	for range promiseTries {
		at, ok := b.offer(q.client.MAC, reserved, wants, s.now())
		switch {
		case !ok && reserved.IsValid():
			return at, fmt.Errorf("cannot offer %s, which is reserved for it: another machine has it", reserved)
		case !ok:
			return at, errPoolEmpty
		case s.Offers == nil || s.DryRun:
			return at, nil
		}
		until := s.now().Add(offerTime)
		got, err := s.Offers.OfferLease(ctx, ingot.Lease{Network: q.network.Name, MAC: q.client.MAC, Address: at, Until: until.Unix()})
		switch {
		case err == nil:
			b.promised(q.client.MAC, got.Address, until)
			return got.Address, nil
		case ingot.CodeOf(err) != ingot.Conflict:
			return at, fmt.Errorf("cannot promise %s: %w", at, err)
		}
		if err := s.loadLeases(ctx, []ingot.Network{q.network}); err != nil {
			return at, err
		}
	}
	return netip.Addr{}, errPoolEmpty
}

// promised notes what the store says that a machine was offered.
func (b *book) promised(mac string, addr netip.Addr, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if had := b.byMAC[mac]; had == nil || had.addr != addr {
		b.putLocked(&entry{mac: mac, addr: addr, until: until, offered: true})
	}
}

// allowed says whether a machine that asks for an address may have it, by what the other boot services wrote too.
func (s *Server) allowed(ctx context.Context, q query, reserved, wants netip.Addr) (bool, error) {
	b := s.books[q.network.Name]
	if b.allows(q.client.MAC, reserved, wants, s.now()) {
		return true, nil
	}
	if s.Offers == nil {
		return false, nil
	}
	if err := s.loadLeases(ctx, []ingot.Network{q.network}); err != nil {
		return false, err
	}
	return b.allows(q.client.MAC, reserved, wants, s.now()), nil
}
