package netup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
)

const (
	vendorClass = "ingot-deploy-agent" // option 60
	tryTimeout  = 3 * time.Second      // for an answer, before the question is repeated
	tries       = 3
	retryFirst  = time.Second
	retryLast   = 15 * time.Second
	leaseLeast  = time.Minute // what a shorter lease counts as
	leaseMost   = 10 * 365 * 24 * time.Hour
)

// lease asks for an address until there is one, and keeps it.
func (n *Network) lease(ctx context.Context, link netlink.Link) error {
	name := link.Attrs().Name
	pause := retryFirst
	for {
		lease, err := n.ask(ctx, link)
		if err == nil {
			err = n.configure(link, lease.ACK)
		}
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n.Log.Warn("no address yet", "interface", name, "error", err, "again", pause)
			if err := clock.Wait(ctx, n.Clock, pause); err != nil {
				return err
			}
			pause = min(2*pause, retryLast)
			continue
		}
		pause = retryFirst
		if err := n.keep(ctx, link, lease); err != nil {
			return err
		}
	}
}

// ask does one exchange from discover to acknowledgement.
func (n *Network) ask(ctx context.Context, link netlink.Link) (*nclient4.Lease, error) {
	client, err := open(link)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	lease, err := client.Request(ctx, wishes()...)
	if err != nil {
		return nil, fmt.Errorf("cannot get an address by DHCP: %w", err)
	}
	return lease, nil
}

func open(link netlink.Link) (*nclient4.Client, error) {
	client, err := nclient4.New(link.Attrs().Name, nclient4.WithTimeout(tryTimeout), nclient4.WithRetry(tries))
	if err != nil {
		return nil, fmt.Errorf("cannot speak DHCP on %s (is af_packet in the ramdisk?): %w", link.Attrs().Name, err)
	}
	return client, nil
}

func wishes() []dhcpv4.Modifier {
	return []dhcpv4.Modifier{
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier(vendorClass)),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer,
			dhcpv4.OptionDomainName, dhcpv4.OptionInterfaceMTU, dhcpv4.OptionClasslessStaticRoute),
	}
}

// keep renews the lease at half of its time, then ever more often (RFC 2131 section 4.4.5), and returns nil when it is
// over.
func (n *Network) keep(ctx context.Context, link netlink.Link, lease *nclient4.Lease) error {
	ends := n.Clock.Now().Add(leaseTime(lease.ACK))
	for {
		left := ends.Sub(n.Clock.Now())
		if left <= 0 {
			n.Log.Warn("lease is over: asking anew", "interface", link.Attrs().Name)
			return nil
		}
		if err := clock.Wait(ctx, n.Clock, max(left/2, leaseLeast/10)); err != nil {
			return err
		}
		renewed, err := n.renew(ctx, link, lease)
		var refused *nclient4.ErrNak
		switch {
		case errors.As(err, &refused):
			n.Log.Warn("the server refuses to renew", "interface", link.Attrs().Name, "error", err)
			return n.forget(link, lease.ACK)
		case err != nil:
			n.Log.Warn("cannot renew the lease", "interface", link.Attrs().Name, "error", err, "left", left/2)
			continue
		}
		lease, ends = renewed, n.Clock.Now().Add(leaseTime(renewed.ACK))
		if err := n.configure(link, lease.ACK); err != nil {
			n.Log.Warn("cannot use the renewed lease", "interface", link.Attrs().Name, "error", err)
		}
	}
}

func (n *Network) renew(ctx context.Context, link netlink.Link, lease *nclient4.Lease) (*nclient4.Lease, error) {
	client, err := open(link)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Renew(ctx, lease, wishes()...)
}

func leaseTime(ack *dhcpv4.DHCPv4) time.Duration {
	return min(max(ack.IPAddressLeaseTime(time.Hour), leaseLeast), leaseMost)
}

func address(ack *dhcpv4.DHCPv4) *net.IPNet {
	mask := ack.SubnetMask()
	if ones, bits := mask.Size(); bits != 32 || ones == 0 {
		mask = ack.YourIPAddr.DefaultMask()
	}
	return &net.IPNet{IP: ack.YourIPAddr, Mask: mask}
}

// forget takes the address away again.
func (n *Network) forget(link netlink.Link, ack *dhcpv4.DHCPv4) error {
	if err := netlink.AddrDel(link, &netlink.Addr{IPNet: address(ack)}); err != nil {
		n.Log.Warn("cannot remove an address", "interface", link.Attrs().Name, "error", err)
	}
	return nil
}

// metric puts the boot interface's routes before all others.
func (n *Network) metric(link netlink.Link) int {
	if link.Attrs().HardwareAddr.String() == n.BootMAC {
		return 100
	}
	return 1000 + link.Attrs().Index
}

// configure puts address, routes and name servers in place.
func (n *Network) configure(link netlink.Link, ack *dhcpv4.DHCPv4) error {
	name, metric := link.Attrs().Name, n.metric(link)
	if ack.YourIPAddr == nil || ack.YourIPAddr.IsUnspecified() {
		return errors.New("the DHCP server acknowledged no address")
	}
	if mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, ack.Options); err == nil && mtu >= 576 {
		if err := netlink.LinkSetMTU(link, int(mtu)); err != nil {
			n.Log.Warn("cannot set the MTU that DHCP gave", "interface", name, "mtu", mtu, "error", err)
		}
	}
	seconds := int(leaseTime(ack) / time.Second)
	addr := &netlink.Addr{IPNet: address(ack), ValidLft: seconds, PreferedLft: seconds}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return fmt.Errorf("cannot set address %s on %s: %w", addr.IPNet, name, err)
	}
	for _, route := range routes(link, ack, metric) {
		if err := netlink.RouteReplace(route); err != nil {
			n.Log.Warn("cannot set a route", "interface", name, "route", route.String(), "error", err)
		}
	}
	if err := n.resolve(ack, metric); err != nil {
		n.Log.Warn("cannot note the name servers", "error", err)
	}
	n.Log.Info("address", "interface", name, "address", addr.IPNet, "from", ack.ServerIdentifier(), "lease", leaseTime(ack))
	n.done(link.Attrs().HardwareAddr.String())
	return nil
}

// routes are those of option 121, which alone counts where it is given (RFC 3442), else the routers of option 3.
func routes(link netlink.Link, ack *dhcpv4.DHCPv4, metric int) []*netlink.Route {
	index := link.Attrs().Index
	var out []*netlink.Route
	add := func(dst *net.IPNet, gateway net.IP) {
		r := &netlink.Route{LinkIndex: index, Dst: dst, Priority: metric, Protocol: unix.RTPROT_DHCP}
		if gateway == nil || gateway.IsUnspecified() {
			r.Scope = netlink.SCOPE_LINK
		} else {
			r.Gw = gateway
			r.Flags = int(netlink.FLAG_ONLINK)
		}
		out = append(out, r)
	}
	if classless := ack.ClasslessStaticRoute(); len(classless) > 0 {
		for _, r := range classless {
			add(r.Dest, r.Router)
		}
		return out
	}
	if routers := ack.Router(); len(routers) > 0 {
		add(&net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}, routers[0])
	}
	return out
}

// resolve writes the name servers, unless a preferred interface gave some.
func (n *Network) resolve(ack *dhcpv4.DHCPv4, metric int) error {
	servers := ack.DNS()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(servers) == 0 || n.resolvedBy != 0 && n.resolvedBy < metric {
		return nil
	}
	var text strings.Builder
	if domain := ack.DomainName(); domain != "" && !strings.ContainsAny(domain, "\n\r") {
		fmt.Fprintf(&text, "search %s\n", domain)
	}
	for _, s := range servers[:min(len(servers), 3)] { // the resolver reads three
		fmt.Fprintf(&text, "nameserver %s\n", s)
	}
	if err := os.WriteFile(n.Resolv, []byte(text.String()), 0o644); err != nil {
		return err
	}
	n.resolvedBy = metric
	return nil
}
