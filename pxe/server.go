// Package pxe is the boot service: DHCP, TFTP, HTTP boot and iPXE scripts for the machines of the configured networks.
// It decides nothing about a machine: it asks an ingot.BootDecider what to boot and tells it what was sent.
//
// A machine with SeaBIOS or another BIOS goes DHCP → TFTP undionly.kpxe → DHCP (now iPXE) → HTTP script → kernel; UEFI
// firmware the same with snponly.efi, or by HTTP from the first; a network card with iPXE in its ROM starts at the
// second DHCP. TFTP carries nothing but the loader.
package pxe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-metal/ingot"
)

// Limits of the service.
const (
	askTime     = 5 * time.Second // for one question to the store or the decider
	retryTime   = 3 * time.Second // between attempts to serve an interface that is not there
	packetsMost = 64              // DHCP packets in work at once on an interface; more wait in the kernel's queue
	loadsMost   = 256             // TFTP transfers at once
	waitsMost   = 1024            // TFTP transfers at once with those that wait
)

// errTaken is why a lease is refused: somebody else has the address.
var errTaken = errors.New("the address is another machine's")

// Files gives the kernels and ramdisks that scripts name.
type Files interface {
	// Open gives a file of the set that token stands for, and its size in bytes. ingot.NotFound says that there is
	// no such file or that the token is not, or no longer, good.
	Open(ctx context.Context, token, name string) (io.ReadSeekCloser, int64, error)
}

// Clock is the time; a test puts its own here.
type Clock interface {
	Now() time.Time
	// After is as time.After.
	After(time.Duration) <-chan time.Time
}

// Server is the boot service. Fill in the fields, mount Handler on the boot listener, and Run it; the fields do not
// change after that.
type Server struct {
	Networks []ingot.Network   // those with DHCP off are known by name only
	Decider  ingot.BootDecider // what machines boot, and who hears what was sent
	Leases   LeaseStore        // not asked for networks in proxy mode, beyond what it lists
	Offers   Offers            // nil keeps promises in memory: no other boot service is on these networks
	Files    Files             // nil serves no files: scripts then name whole URLs
	// Loaders has undionly.kpxe, snponly.efi and, for arm64 machines, snponly-arm64.efi; nil is where Debian's
	// package ipxe puts them, /usr/lib/ipxe.
	Loaders fs.FS
	// HTTPPort is the boot listener's, with which machines are told URLs of the address that they reach us at.
	HTTPPort int
	BootURL  string       // whole base URL of the boot listener where a proxy stands before it; "" makes it from HTTPPort
	Logger   *slog.Logger // nil logs nothing
	Clock    Clock        // nil is the real time
	// DryRun reports what is heard and what would be answered, and neither sends nor writes anything. What asks Handler is
	// answered all the same.
	DryRun bool

	once    sync.Once
	books   map[string]*book // by network; fixed after begin
	commits chan commit
	// transfers has an entry for each TFTP transfer under way, waiting one for those and each that waits.
	transfers, waiting chan struct{}
}

// begin makes what the fields stand for, once.
func (s *Server) begin() {
	s.once.Do(func() {
		s.commits = make(chan commit)
		s.transfers, s.waiting = make(chan struct{}, loadsMost), make(chan struct{}, waitsMost)
		s.books = map[string]*book{}
		for _, n := range s.Networks {
			s.books[n.Name] = newBook(n)
		}
		if s.Loaders == nil {
			s.Loaders = os.DirFS("/usr/lib/ipxe")
		}
		if s.Logger == nil {
			s.Logger = slog.New(slog.DiscardHandler)
		}
		if s.Clock == nil {
			s.Clock = systemClock{}
		}
	})
}

// Run serves every network whose DHCP is not off, until ctx ends. It returns an error at once when the configuration
// is wrong or a port cannot be had; an interface that is missing or has no address yet is waited for.
func (s *Server) Run(ctx context.Context) error {
	s.begin()
	for _, n := range s.Networks {
		if err := check(n); err != nil {
			return fmt.Errorf("cannot serve network %q: %w", n.Name, err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.writeLeases(ctx) })
	for name, networks := range byInterface(s.Networks) {
		g.Go(func() error { return s.serveInterface(ctx, name, networks) })
	}
	return g.Wait()
}

// byInterface groups the networks that want DHCP.
func byInterface(networks []ingot.Network) map[string][]ingot.Network {
	groups := map[string][]ingot.Network{}
	for _, n := range networks {
		if n.DHCP != ingot.DHCPOff && n.DHCP != "" {
			groups[n.Interface] = append(groups[n.Interface], n)
		}
	}
	return groups
}

// check says what is wrong with a network's configuration.
func check(n ingot.Network) error {
	switch n.DHCP {
	case ingot.DHCPOff, "":
		return nil
	case ingot.DHCPFull, ingot.DHCPReserved, ingot.DHCPProxy:
	default:
		return fmt.Errorf("dhcp = %q is no mode: use full, reserved, proxy or off", n.DHCP)
	}
	if n.Interface == "" {
		return errors.New("interface is missing: name the host's interface on it")
	}
	if !n.Subnet.IsValid() || !n.Subnet.Addr().Is4() || n.Subnet.Bits() > 30 {
		return errors.New("subnet has to be an IPv4 network of /30 or larger, such as 10.0.0.0/24")
	}
	if n.PoolStart.IsValid() != n.PoolEnd.IsValid() {
		return errors.New("pool_start and pool_end go together")
	}
	if !n.PoolStart.IsValid() {
		if n.DHCP == ingot.DHCPFull {
			return errors.New("pool_start and pool_end are missing: full mode gives addresses to every client")
		}
		return nil
	}
	if !n.Subnet.Contains(n.PoolStart) || !n.Subnet.Contains(n.PoolEnd) || n.PoolEnd.Less(n.PoolStart) {
		return fmt.Errorf("the pool %s to %s has to lie in %s", n.PoolStart, n.PoolEnd, n.Subnet)
	}
	return nil
}

// base is the boot listener's URL for a machine that reaches us at server.
func (s *Server) base(server netip.Addr) string {
	if s.BootURL != "" {
		return s.BootURL
	}
	return fmt.Sprintf("http://%s", netip.AddrPortFrom(server, uint16(s.HTTPPort)))
}

func (s *Server) now() time.Time { return s.Clock.Now() }

// systemClock is the real time.
type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
