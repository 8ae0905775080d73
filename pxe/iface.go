package pxe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
)

// link is an interface that is up, with the networks that are served on it.
type link struct {
	ifi      *net.Interface
	hw       atomic.Pointer[net.HardwareAddr] // may change: a bridge takes the lowest of its ports' addresses
	networks []ingot.Network                  // Address filled in
	local    int                              // the network that the interface itself is on; -1 when all are behind relays
}

// serveInterface serves an interface for as long as ctx lasts, and starts over when it goes away and comes back.
func (s *Server) serveInterface(ctx context.Context, name string, networks []ingot.Network) error {
	log := s.Logger.With("interface", name)
	said := ""
	for {
		l, err := findLink(name, networks)
		if err == nil {
			err = s.loadLeases(ctx, l.networks)
		}
		if err == nil {
			said = ""
			err = s.serveLink(ctx, l, networks)
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errChanged) {
			log.Info(err.Error())
			continue
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		if err != nil && err.Error() != said {
			said = err.Error()
			log.Warn("interface not served now; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.Clock.After(retryTime):
		}
	}
}

// serveLink opens an interface's sockets and runs its protocols; an error of one ends all.
func (s *Server) serveLink(ctx context.Context, l *link, networks []ingot.Network) (err error) {
	open, err := l.open(ctx, s.DryRun)
	defer func() { err = errors.Join(err, open.close()) }()
	if err != nil {
		return err
	}
	for _, n := range l.networks {
		s.Logger.Info("serving network", "network", n.Name, "interface", l.ifi.Name, "address", n.Address, "dhcp", n.DHCP, "dry", s.DryRun)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.watch(ctx, l, networks) })
	for port, conn := range open.dhcp {
		g.Go(func() error { return s.serveDHCP(ctx, l, port, conn, open.raw) })
	}
	for _, conn := range open.tftp {
		g.Go(func() error { return s.serveTFTP(ctx, l, conn) })
	}
	if open.icmp != nil {
		g.Go(func() error { return s.advertise(ctx, l, open.icmp) })
	}
	return g.Wait()
}

// errChanged is why an interface is served anew.
var errChanged = errors.New("the interface has changed: starting over on it")

// watch returns an error when the interface goes away, comes back as another or changes its addresses: a socket that is
// bound to an interface is not told and hears nothing any more.
func (s *Server) watch(ctx context.Context, l *link, networks []ingot.Network) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Clock.After(retryTime):
		}
		now, err := findLink(l.ifi.Name, networks)
		if err != nil {
			return err
		}
		if now.ifi.Index != l.ifi.Index || !slices.Equal(now.addresses(), l.addresses()) {
			return errChanged
		}
		l.hw.Store(&now.ifi.HardwareAddr)
	}
}

// loadLeases reads what the store knows of the networks.
func (s *Server) loadLeases(ctx context.Context, networks []ingot.Network) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	for _, n := range networks {
		leases, err := s.Leases.Leases(ctx, n.Name)
		if err != nil {
			return fmt.Errorf("cannot read the leases of network %q: %w", n.Name, err)
		}
		b := s.books[n.Name]
		b.load(leases)
		b.setAddress(n.Address)
	}
	return nil
}

// findLink looks an interface up and settles which address is ours on each of its networks.
func findLink(name string, networks []ingot.Network) (*link, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("cannot find interface %s: %w", name, err)
	}
	if ifi.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("cannot serve interface %s: it is down", name)
	}
	addrs, err := ifi.Addrs()
	if err != nil {
		return nil, fmt.Errorf("cannot read the addresses of interface %s: %w", name, err)
	}
	var own []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			own = append(own, p.Addr())
		}
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("cannot serve interface %s: it has no IPv4 address", name)
	}
	return settle(ifi, own, networks), nil
}

// settle matches networks with the interface's addresses. A network that has none of them is reached through a relay.
func settle(ifi *net.Interface, own []netip.Addr, networks []ingot.Network) *link {
	l := &link{ifi: ifi, local: -1}
	l.hw.Store(&ifi.HardwareAddr)
	for i, n := range networks {
		for _, a := range own {
			if n.Subnet.Contains(a) && (!n.Address.IsValid() || n.Address == a) {
				n.Address = a
				if l.local < 0 {
					l.local = i
				}
				break
			}
		}
		if !n.Address.IsValid() {
			n.Address = own[0]
		}
		l.networks = append(l.networks, n)
	}
	return l
}

// network is the one that a request came from: that of the relay, or of the interface itself.
func (l *link) network(req *dhcpv4.DHCPv4) (ingot.Network, bool) {
	relay := addr(req.GatewayIPAddr)
	if !relay.IsValid() {
		if l.local < 0 {
			return ingot.Network{}, false
		}
		return l.networks[l.local], true
	}
	if info := req.RelayAgentInfo(); info != nil { // link selection, RFC 3527
		if a := addr(info.Get(dhcpv4.LinkSelectionSubOption)); a.IsValid() {
			relay = a
		}
	}
	for _, n := range l.networks {
		if n.Subnet.Contains(relay) {
			return n, true
		}
	}
	return ingot.Network{}, false
}

// has says whether any network is in mode.
func (l *link) has(mode ingot.DHCPMode) bool {
	for _, n := range l.networks {
		if n.DHCP == mode {
			return true
		}
	}
	return false
}

// addresses are ours on the interface's networks, each once.
func (l *link) addresses() []netip.Addr {
	var all []netip.Addr
	known := map[netip.Addr]bool{}
	for _, n := range l.networks {
		if !known[n.Address] {
			known[n.Address] = true
			all = append(all, n.Address)
		}
	}
	return all
}
