package pxe

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// LeaseStore keeps leases over restarts, and between boot services that serve the same network.
type LeaseStore interface {
	// Leases lists the leases of a network, expired ones too: a machine that comes back gets its old address again
	// while nobody else has it.
	Leases(ctx context.Context, network string) ([]ingot.Lease, error)
	// CommitLeases writes leases in one transaction, keyed by (Network, MAC). A lease whose address is another
	// machine's on that network, by reservation or by a lease that ends after now (Unix seconds), is left out, and
	// its index is in refused; an ended lease of another machine on that address goes. Until <= now ends a lease.
	CommitLeases(ctx context.Context, now int64, leases []ingot.Lease) (refused []int, err error)
	// Reservation says whether the MAC (lower case, colons) is a machine's known port, and which address and host
	// name are set aside for it; the address is invalid when the port takes any of the pool. One with an Until is the
	// machine's lease instead, ended or not, which came to it from another machine.
	Reservation(ctx context.Context, network, mac string) (lease ingot.Lease, known bool, err error)
}

// How long promises last that are kept in memory only.
const (
	offerTime      = time.Minute      // an address that was offered is kept for that machine
	quarantineTime = 10 * time.Minute // an address that a machine declined, or that another boot service gave away, rests
)

// entry is an address that is promised (offered) or given (committed) to a machine.
type entry struct {
	mac     string
	addr    netip.Addr
	until   time.Time
	offered bool
}

// book knows who has which address on one network. It holds no more entries than the pool has addresses, plus
// reservations.
type book struct {
	net     ingot.Network
	mu      sync.Mutex
	byMAC   map[string]*entry
	byAddr  map[netip.Addr]*entry
	resting map[netip.Addr]time.Time // quarantined until
}

func newBook(network ingot.Network) *book {
	return &book{net: network, byMAC: map[string]*entry{}, byAddr: map[netip.Addr]*entry{}, resting: map[netip.Addr]time.Time{}}
}

// load takes the committed leases from the store; offers stay.
func (b *book) load(leases []ingot.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.byMAC {
		if !e.offered {
			b.dropLocked(e)
		}
	}
	leases = slices.Clone(leases)
	slices.SortFunc(leases, func(x, y ingot.Lease) int { return cmp.Compare(x.Until, y.Until) }) // a running one wins
	for _, l := range leases {
		if l.Address.IsValid() {
			b.putLocked(&entry{mac: l.MAC, addr: l.Address, until: time.Unix(l.Until, 0)})
		}
	}
}

// setAddress notes which address is ours, which is known only when the interface is there.
func (b *book) setAddress(ours netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.net.Address = ours
}

// offer chooses an address for a machine and promises it for a while: the reserved one, else the one that it had, else
// the one that it wants, else one of the pool. False means that there is none.
func (b *book) offer(mac string, reserved, wants netip.Addr, now time.Time) (netip.Addr, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	had := b.byMAC[mac]
	addr := reserved
	switch {
	case reserved.IsValid():
		if !b.freeLocked(reserved, mac, now) {
			return netip.Addr{}, false
		}
	case had != nil && b.grantableLocked(had.addr, mac, now):
		addr = had.addr
	case b.grantableLocked(wants, mac, now):
		addr = wants
	default:
		var ok bool
		if addr, ok = b.searchLocked(mac, now); !ok {
			return netip.Addr{}, false
		}
	}
	if had != nil && had.addr == addr && !had.offered && had.until.After(now) {
		return addr, true // its lease still runs: nothing to promise
	}
	b.putLocked(&entry{mac: mac, addr: addr, until: now.Add(offerTime), offered: true})
	return addr, true
}

// allows says whether a machine that asks for addr may have it.
func (b *book) allows(mac string, reserved, addr netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if reserved.IsValid() {
		return addr == reserved && b.freeLocked(addr, mac, now)
	}
	return b.grantableLocked(addr, mac, now)
}

// give notes a committed lease.
func (b *book) give(mac string, addr netip.Addr, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.putLocked(&entry{mac: mac, addr: addr, until: until})
}

// withdraw forgets what was offered to a machine that chose another server.
func (b *book) withdraw(mac string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byMAC[mac]; e != nil && e.offered {
		b.dropLocked(e)
	}
}

// end lets an address of a machine go; false when it was not that machine's.
func (b *book) end(mac string, addr netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byAddr[addr]
	if e == nil || e.mac != mac {
		return false
	}
	e.until = now
	return true
}

// rest keeps an address from being given to anybody for a while, whoever has it.
func (b *book) rest(addr netip.Addr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byAddr[addr]; e != nil {
		b.dropLocked(e)
	}
	b.resting[addr] = now.Add(quarantineTime)
}

// leased says whether a machine other than mac has a lease on an address that still runs.
func (b *book) leased(addr netip.Addr, mac string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byAddr[addr]
	return e != nil && e.mac != mac && !e.offered && e.until.After(now)
}

// holder is the MAC that an address was last promised or given to; "" when nobody's.
func (b *book) holder(addr netip.Addr) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.byAddr[addr]; e != nil {
		return e.mac
	}
	return ""
}

// searchLocked looks through the pool for an address, from a place that the MAC decides: so a machine tends to get the
// same address from a boot service that knows nothing of it yet. Never used addresses come before ended ones.
func (b *book) searchLocked(mac string, now time.Time) (netip.Addr, bool) {
	maps.DeleteFunc(b.resting, func(_ netip.Addr, until time.Time) bool { return !until.After(now) })
	size := poolSize(b.net)
	if size == 0 {
		return netip.Addr{}, false
	}
	h := fnv.New32a()
	h.Write([]byte(mac))
	first := uint64(h.Sum32()) % size
	var ended netip.Addr
	// Every address that is skipped is in one of the two maps or one of the few that are never given, which bounds the
	// walk however large the pool is.
	most := min(size, uint64(len(b.byAddr)+len(b.resting)+4))
	for i := range most {
		addr := poolAddr(b.net, (first+i)%size)
		if !b.grantableLocked(addr, mac, now) {
			continue
		}
		if b.byAddr[addr] == nil {
			return addr, true
		}
		if !ended.IsValid() {
			ended = addr
		}
	}
	return ended, ended.IsValid()
}

// grantableLocked says whether addr is of the pool, not somebody else's and not resting.
func (b *book) grantableLocked(addr netip.Addr, mac string, now time.Time) bool {
	return inPool(b.net, addr) && b.freeLocked(addr, mac, now)
}

func (b *book) freeLocked(addr netip.Addr, mac string, now time.Time) bool {
	if until, ok := b.resting[addr]; ok && until.After(now) {
		return false
	}
	e := b.byAddr[addr]
	return e == nil || e.mac == mac || !e.until.After(now)
}

func (b *book) putLocked(e *entry) {
	if old := b.byMAC[e.mac]; old != nil {
		b.dropLocked(old)
	}
	if old := b.byAddr[e.addr]; old != nil {
		b.dropLocked(old)
	}
	b.byMAC[e.mac], b.byAddr[e.addr] = e, e
}

func (b *book) dropLocked(e *entry) {
	delete(b.byMAC, e.mac)
	delete(b.byAddr, e.addr)
}

// inPool says whether addr is one that the pool may give: inside it, and not the network's, ours, the gateway or the
// broadcast address.
func inPool(n ingot.Network, addr netip.Addr) bool {
	if !addr.IsValid() || !n.PoolStart.IsValid() || !n.Subnet.Contains(addr) {
		return false
	}
	if addr.Less(n.PoolStart) || n.PoolEnd.Less(addr) {
		return false
	}
	return addr != n.Address && addr != n.Gateway && addr != n.Subnet.Masked().Addr() && addr != broadcast(n.Subnet)
}

func poolSize(n ingot.Network) uint64 {
	if !n.PoolStart.IsValid() || !n.PoolEnd.IsValid() {
		return 0
	}
	return uint64(number(n.PoolEnd)) - uint64(number(n.PoolStart)) + 1
}

func poolAddr(n ingot.Network, i uint64) netip.Addr {
	return address(number(n.PoolStart) + uint32(i))
}

// broadcast is the last address of a subnet.
func broadcast(p netip.Prefix) netip.Addr {
	return address(number(p.Masked().Addr()) | uint32(1<<(32-p.Bits())-1))
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}
