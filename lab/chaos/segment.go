package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
)

// segment is a network of its own: a bridge with an interface for each conductor, whose boot services all answer on it, and
// one for clients that ask for addresses. There are fewer addresses than clients.
type segment struct {
	name string // beginning of the interfaces' names

	mu     sync.Mutex
	offers []Offer
}

// How the segment's addresses are given.
const (
	segmentClients = 12
	segmentPool    = 8
	segmentLease   = 30 * time.Second
	offerLasts     = time.Minute // how long a boot service keeps what it has offered
)

// newSegment makes the network; nil where that is not allowed.
func newSegment(conductors int) (*segment, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	s := &segment{name: fmt.Sprintf("ck%d", os.Getpid()%1000000)}
	lines := []string{"link add " + s.bridge() + " type bridge", "link set " + s.bridge() + " up"}
	for i := range conductors {
		lines = append(lines, s.plug(s.port(i))...)
		lines = append(lines, fmt.Sprintf("addr add %s/24 dev %s", s.address(i), s.port(i)))
	}
	lines = append(lines, s.plug(s.client())...)
	for _, line := range lines {
		if said, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot make a network: ip %s: %w: %s", line, err, said), s.remove(conductors))
		}
	}
	return s, nil
}

func (s *segment) bridge() string       { return s.name + "b" }
func (s *segment) port(i int) string    { return fmt.Sprintf("%s%d", s.name, i) }
func (s *segment) client() string       { return s.name + "c" }
func (s *segment) address(i int) string { return fmt.Sprintf("10.178.7.%d", i+2) }

// plug puts an interface on the bridge.
func (s *segment) plug(name string) []string {
	return []string{
		"link add " + name + " type veth peer name " + name + "p", "link set " + name + "p master " + s.bridge(), "link set " + name + "p up", "link set " + name + " up",
	}
}

// remove takes the network away.
func (s *segment) remove(conductors int) error {
	if s == nil {
		return nil
	}
	names := []string{s.client(), s.bridge()}
	for i := range conductors {
		names = append(names, s.port(i))
	}
	var errs []error
	for _, name := range names {
		if said, err := exec.Command("ip", "link", "del", name).CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("cannot remove interface %s: %w: %s", name, err, said))
		}
	}
	return errors.Join(errs...)
}

// config is a conductor's network in its configuration.
func (s *segment) config(i int) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("\n[[network]]\nname = \"segment\"\ninterface = %q\nsubnet = \"10.178.7.0/24\"\naddress = %q\ndhcp = \"full\"\nra = false\npool_start = \"10.178.7.100\"\npool_end = \"10.178.7.%d\"\nlease_time = %d\n",
		s.port(i), s.address(i), 100+segmentPool-1, int(segmentLease.Seconds()))
}

// run has clients ask for addresses until ctx ends.
func (s *segment) run(ctx context.Context, random func(string) *rand.Rand) error {
	if s == nil {
		return nil
	}
	var group sync.WaitGroup
	errs := make(chan error, segmentClients)
	for i := range segmentClients {
		c := &addressee{segment: s, mac: net.HardwareAddr{0x52, 0x54, 1, 0, 0, byte(i)}, random: random(fmt.Sprintf("addressee %d", i))}
		group.Go(func() { errs <- c.run(ctx) })
	}
	group.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// note keeps a promise, which ends what the machine was promised before.
func (s *segment) note(o Offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.offers {
		if before := &s.offers[i]; before.MAC == o.MAC && before.Until.After(o.From) {
			before.Until = o.From
		}
	}
	s.offers = append(s.offers, o)
}

func (s *segment) all() []Offer {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Offer(nil), s.offers...)
}

// addressee is a client that asks for an address now and then.
type addressee struct {
	*segment
	mac    net.HardwareAddr
	random *rand.Rand
}

func (c *addressee) run(ctx context.Context) error {
	for pause(ctx, between(c.random, 500*time.Millisecond, 20*time.Second)) {
		if err := c.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ask is one conversation: all offers to one question are kept, and one is taken.
func (c *addressee) ask(ctx context.Context) error {
	client, err := nclient4.New(c.client(), nclient4.WithHWAddr(c.mac), nclient4.WithTimeout(time.Second), nclient4.WithRetry(1))
	if err != nil {
		return fmt.Errorf("cannot ask for an address: %w", err)
	}
	defer client.Close()
	discover, err := dhcpv4.NewDiscovery(c.mac, dhcpv4.WithBroadcast(true))
	if err != nil {
		return err
	}
	sent := time.Now()
	var offered *dhcpv4.DHCPv4
	_, _ = client.SendAndRead(ctx, nclient4.DefaultServers, discover, func(p *dhcpv4.DHCPv4) bool {
		if p.MessageType() == dhcpv4.MessageTypeOffer {
			c.promise(p, sent.Add(offerLasts))
			offered = p
		}
		return false // whatever else is offered is heard too
	})
	if offered == nil || c.random.IntN(4) == 0 { // some take nothing
		return nil
	}
	request, err := dhcpv4.NewRequestFromOffer(offered, dhcpv4.WithBroadcast(true))
	if err != nil {
		return err
	}
	sent = time.Now()
	ack, err := client.SendAndRead(ctx, nclient4.DefaultServers, request, nclient4.IsMessageType(dhcpv4.MessageTypeAck))
	if err == nil {
		c.promise(ack, sent.Add(ack.IPAddressLeaseTime(segmentLease)))
	}
	return nil
}

// promise keeps what was promised; times are kept in whole seconds over there.
func (c *addressee) promise(p *dhcpv4.DHCPv4, until time.Time) {
	c.note(Offer{Network: "segment", Address: p.YourIPAddr.String(), MAC: c.mac.String(), From: time.Now(), Until: until.Add(-slack)})
}
