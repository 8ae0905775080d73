// Package netup gives the machine its network: every interface is brought up, and those with a carrier ask for an
// address by DHCP, all at the same time. The interface that the machine booted from is preferred.
package netup

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
)

const (
	look     = 500 * time.Millisecond // how often links are looked at
	patience = 10 * time.Second       // how long the boot interface is waited for once another has an address
	remark   = 15 * time.Second       // how often the console is told what is missing
)

// Network brings the network up and keeps it up.
type Network struct {
	Clock   clock.Clock
	Log     *slog.Logger
	BootMAC string // lower case with colons; "" when not known
	// Resolv is the file that name servers are written to: /etc/resolv.conf.
	Resolv string

	mu         sync.Mutex
	configured map[string]bool // by MAC
	first      time.Time       // when the first interface got an address
	resolvedBy int             // metric of the interface whose name servers are in Resolv
}

// Run looks for interfaces, also for those whose drivers come late, and serves each until ctx ends.
func (n *Network) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	known := map[string]bool{}
	for {
		for _, link := range n.links() {
			mac := link.Attrs().HardwareAddr.String()
			if known[mac] {
				continue
			}
			known[mac] = true
			group.Go(func() error { return n.serve(ctx, link) })
		}
		if err := clock.Wait(ctx, n.Clock, look); err != nil {
			_ = group.Wait() // all end with the same cause
			return err
		}
	}
}

// links are the Ethernet interfaces that stand on a device.
func (n *Network) links() []netlink.Link {
	all, err := netlink.LinkList()
	if err != nil {
		n.Log.Error("cannot list network interfaces", "error", err)
		return nil
	}
	var out []netlink.Link
	for _, link := range all {
		a := link.Attrs()
		if a.Flags&net.FlagLoopback == 0 && len(a.HardwareAddr) == 6 && a.EncapType == "ether" {
			out = append(out, link)
		}
	}
	return out
}

// Wait returns once an interface has an address: the one that the machine booted from, or after some patience another.
// Until then it says on the console what is missing; a machine without a network has nothing better to do.
func (n *Network) Wait(ctx context.Context) error {
	told := n.Clock.Now()
	for !n.ready() {
		if now := n.Clock.Now(); now.Sub(told) >= remark {
			told = now
			n.Log.Warn("still without an address", "interfaces", n.describe(), "boot", n.BootMAC)
		}
		if err := clock.Wait(ctx, n.Clock, look/5); err != nil {
			return err
		}
	}
	return nil
}

func (n *Network) ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case len(n.configured) == 0:
		return false
	case n.BootMAC == "" || n.configured[n.BootMAC]:
		return true
	}
	return n.Clock.Now().Sub(n.first) >= patience
}

// describe says how the interfaces are, for people.
func (n *Network) describe() string {
	text := ""
	for _, link := range n.links() {
		a := link.Attrs()
		state := "no carrier"
		if carrier(link) {
			state = "asking by DHCP"
		}
		text += a.Name + " " + a.HardwareAddr.String() + " (" + state + ") "
	}
	if text == "" {
		return "none: is the driver in the ramdisk?"
	}
	return text
}

// serve has one interface configured, for as long as ctx lasts.
func (n *Network) serve(ctx context.Context, link netlink.Link) error {
	name := link.Attrs().Name
	if err := netlink.LinkSetUp(link); err != nil {
		n.Log.Error("cannot bring an interface up", "interface", name, "error", err)
		return nil
	}
	for {
		now, err := netlink.LinkByIndex(link.Attrs().Index)
		if err != nil {
			n.Log.Warn("an interface is gone", "interface", name, "error", err)
			return nil
		}
		if carrier(now) {
			break
		}
		if err := clock.Wait(ctx, n.Clock, look); err != nil {
			return err
		}
	}
	n.Log.Info("interface has a carrier", "interface", name, "mac", link.Attrs().HardwareAddr.String())
	return n.lease(ctx, link)
}

func carrier(link netlink.Link) bool {
	a := link.Attrs()
	return a.RawFlags&0x10000 != 0 || a.OperState == netlink.OperUp // IFF_LOWER_UP
}

// done notes that the interface has an address.
func (n *Network) done(mac string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.configured == nil {
		n.configured = map[string]bool{}
		n.first = n.Clock.Now()
	}
	n.configured[mac] = true
}
