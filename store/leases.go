package store

import (
	"context"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// leaseLock is the first half of the advisory lock under which PostgreSQL picks addresses of a network: "leas".
const leaseLock = 0x6c656173

// Lease gives the lease of a machine on a network, which may be over: a machine that comes back gets its address
// again. NotFound.
func (s *Store) Lease(ctx context.Context, network, mac string) (ingot.Lease, error) {
	l, found, err := s.read(ctx).lease("network = ? AND mac = ?", network, strings.ToLower(mac))
	if err == nil && !found {
		err = ingot.Errorf(ingot.NotFound, "Network %s has no lease for %s.", network, mac)
	}
	return l, s.sentence(err)
}

// LeaseByAddress gives the lease, live or over, of an address on a network. NotFound.
func (s *Store) LeaseByAddress(ctx context.Context, network string, address netip.Addr) (ingot.Lease, error) {
	n, err := addressNumber(address)
	if err != nil {
		return ingot.Lease{}, err
	}
	l, found, err := s.read(ctx).lease("network = ? AND address = ?", network, n)
	if err == nil && !found {
		err = ingot.Errorf(ingot.NotFound, "Network %s has no lease for %s.", network, address)
	}
	return l, s.sentence(err)
}

// ListLeases gives the leases of a network in the order of their addresses, those that are over included.
func (s *Store) ListLeases(ctx context.Context, network string) ([]ingot.Lease, error) {
	leases, err := s.read(ctx).leases("network = ? ORDER BY address", network)
	return leases, s.sentence(err)
}

func (c *conn) leases(tail string, args ...any) ([]ingot.Lease, error) {
	rows, err := c.rows("SELECT network, mac, address, hostname, until FROM dhcp_leases WHERE "+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var all []ingot.Lease
	for rows.Next() {
		var l ingot.Lease
		var address int64
		if err := rows.Scan(&l.Network, &l.MAC, &address, &l.Hostname, &l.Until); err != nil {
			return nil, err
		}
		l.Address = numberAddress(address)
		all = append(all, l)
	}
	return all, rows.Err()
}

func (c *conn) lease(where string, args ...any) (ingot.Lease, bool, error) {
	found, err := c.leases(where, args...)
	if err != nil || len(found) == 0 {
		return ingot.Lease{}, false, err
	}
	return found[0], true, nil
}

// CommitLeases writes leases that are to be acknowledged, in one transaction. A machine's earlier lease on the network is
// replaced, and an address is taken over from a machine whose lease is over. What was promised for longer stays promised,
// since the acknowledgement may not arrive, save by a lease that is over, which ends it. Conflict: another machine holds an
// address, and none is written.
func (s *Store) CommitLeases(ctx context.Context, leases []ingot.Lease) error {
	ordered := slices.Clone(leases)
	slices.SortFunc(ordered, func(a, b ingot.Lease) int { // one order of locks for all
		return strings.Compare(a.Network+" "+a.Address.String(), b.Network+" "+b.Address.String())
	})
	return s.write(ctx, func(t *tx) error {
		for _, l := range ordered {
			if err := t.commitLease(l); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) commitLease(l ingot.Lease) error {
	n, err := addressNumber(l.Address)
	if err != nil {
		return err
	}
	l.MAC = strings.ToLower(l.MAC)
	holder, found, err := t.lease("network = ? AND address = ?"+t.store.dialect.forUpdate, l.Network, n)
	if err != nil {
		return err
	}
	if found && holder.MAC != l.MAC {
		if holder.Until > t.now.Unix() {
			return ingot.Errorf(ingot.Conflict, "Address %s on network %s is leased to %s, not to %s.", l.Address, l.Network, holder.MAC, l.MAC)
		}
		if _, err := t.exec("DELETE FROM dhcp_leases WHERE network = ? AND mac = ?", l.Network, holder.MAC); err != nil {
			return err
		}
	}
	_, err = t.exec(`INSERT INTO dhcp_leases (network, mac, address, hostname, until) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (network, mac) DO UPDATE SET address = excluded.address, hostname = excluded.hostname,
			until = CASE WHEN dhcp_leases.address = excluded.address AND dhcp_leases.until > excluded.until AND excluded.until > ? THEN dhcp_leases.until ELSE excluded.until END`,
		l.Network, l.MAC, n, clean(l.Hostname), l.Until, t.now.Unix())
	return err
}

// OfferLease promises an address to a machine until l.Until. A machine whose lease or promise still lasts keeps that, and
// it is what is given, until l.Until at least. Conflict: the address is another machine's.
func (s *Store) OfferLease(ctx context.Context, l ingot.Lease) (ingot.Lease, error) {
	given := l
	err := s.write(ctx, func(t *tx) error {
		if err := t.lockNetwork(l.Network); err != nil {
			return err
		}
		have, found, err := t.lease("network = ? AND mac = ?", l.Network, strings.ToLower(l.MAC))
		if err != nil {
			return err
		}
		if found && have.Until > t.now.Unix() {
			given = have
			if have.Until >= l.Until {
				return nil
			}
			given.Until = l.Until // what is offered again is kept for as long as any offer
			return t.commitLease(given)
		}
		given = l
		return t.commitLease(l)
	})
	return given, err
}

// lockNetwork has those who choose addresses of a network take turns, or all who ask at once would be told the same one.
func (t *tx) lockNetwork(network string) error {
	if t.store.writer != nil {
		return nil
	}
	_, err := t.exec("SELECT pg_advisory_xact_lock(?, hashtext(?))", int32(leaseLock), network)
	return err
}

// ReserveLease gives a machine an address of the pool from start to end at once and for good, until l.Until: the one it
// had, else one that nobody had, else the one whose lease has been over for longest; never one of except. When l.Address
// is valid, it is that one or Conflict. Unavailable: the pool is full.
func (s *Store) ReserveLease(ctx context.Context, l ingot.Lease, start, end netip.Addr, except []netip.Addr) (ingot.Lease, error) {
	wanted := l.Address
	err := s.write(ctx, func(t *tx) error {
		if l.Address = wanted; wanted.IsValid() {
			return t.commitLease(l)
		}
		if err := t.lockNetwork(l.Network); err != nil {
			return err
		}
		for try := 1; ; try++ {
			var err error
			if l.Address, err = t.freeAddress(l.Network, l.MAC, start, end, except); err != nil {
				return err
			}
			err = t.commitLease(l) // refused if CommitLeases was quicker
			if ingot.CodeOf(err) != ingot.Conflict || try == mostTries {
				return err
			}
		}
	})
	return l, err
}

// FreeAddress finds an address as ReserveLease does, and writes nothing: for an offer, which commits nothing. Of two
// machines that are told the same one, CommitLeases refuses the second.
func (s *Store) FreeAddress(ctx context.Context, network, mac string, start, end netip.Addr, except []netip.Addr) (netip.Addr, error) {
	c := &tx{conn: *s.read(ctx), now: s.now()}
	address, err := c.freeAddress(network, mac, start, end, except)
	return address, s.sentence(err)
}

func (t *tx) freeAddress(network, mac string, start, end netip.Addr, except []netip.Addr) (netip.Addr, error) {
	first, err := addressNumber(start)
	if err != nil {
		return netip.Addr{}, err
	}
	last, err := addressNumber(end)
	if err != nil {
		return netip.Addr{}, err
	}
	taken := []int64{-1} // never empty, for IN
	for _, a := range except {
		if n, err := addressNumber(a); err == nil {
			taken = append(taken, n)
		}
	}
	// Candidates: what the machine had; the first of the pool and what follows a leased or excepted address, for those
	// are where the gaps begin; and what is over. An address that is over is free for its own machine first.
	var beyond strings.Builder
	args := []any{network, strings.ToLower(mac), first, network}
	for _, n := range taken[1:] {
		beyond.WriteString(" UNION ALL SELECT 1, 0, CAST(? AS BIGINT)")
		args = append(args, n+1)
	}
	args = append(args, network, t.now.Unix(), first, last, taken, network, strings.ToLower(mac))
	query, flat := in(`SELECT address FROM (
			SELECT 0 AS rank, 0 AS age, address FROM dhcp_leases WHERE network = ? AND mac = ?
			UNION ALL SELECT 1, 0, CAST(? AS BIGINT)
			UNION ALL SELECT 1, 0, address + 1 FROM dhcp_leases WHERE network = ?`+beyond.String()+`
			UNION ALL SELECT 2, until, address FROM dhcp_leases WHERE network = ? AND until <= ?
		) AS candidate
		WHERE address BETWEEN ? AND ? AND address NOT IN (?)
		AND (rank = 2 OR NOT EXISTS (SELECT 1 FROM dhcp_leases l WHERE l.network = ? AND l.address = candidate.address AND l.mac <> ?))
		ORDER BY rank, age, address LIMIT 1`, args...)
	var n int64
	found, err := t.one([]any{&n}, query, flat...)
	if err == nil && !found {
		err = ingot.Errorf(ingot.Unavailable, "Network %s has no free address from %s to %s: widen its pool or shorten its leases.", network, start, end)
	}
	return numberAddress(n), err
}

// ReleaseLease ends a lease now (DHCPRELEASE); the row stays, so that the machine gets its address again if it can.
func (s *Store) ReleaseLease(ctx context.Context, network, mac string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec("UPDATE dhcp_leases SET until = ? WHERE network = ? AND mac = ? AND until > ?", t.now.Unix(), network, strings.ToLower(mac), t.now.Unix())
		return err
	})
}

func addressNumber(a netip.Addr) (int64, error) {
	a = a.Unmap()
	if !a.Is4() {
		return 0, ingot.Errorf(ingot.Invalid, "cannot lease %s: leases are of IPv4 addresses", a)
	}
	b := a.As4()
	return int64(binary.BigEndian.Uint32(b[:])), nil
}

func numberAddress(n int64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n))
	return netip.AddrFrom4(b)
}
