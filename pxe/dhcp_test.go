package pxe_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// bench is a boot service that is asked packet by packet.
type bench struct {
	*testing.T
	server  *pxe.Server
	decider *decider
	leases  *leases
	clock   *clock
	log     *lines
}

func newBench(t *testing.T, change func(*pxe.Server)) *bench {
	t.Helper()
	b := &bench{T: t, decider: newDecider(kernelSpec()), leases: newLeases(), clock: newClock(), log: &lines{}}
	b.server = &pxe.Server{
		Networks: []ingot.Network{testNetwork("test0")}, Decider: b.decider, Leases: b.leases, HTTPPort: 8088, Clock: b.clock, Loaders: loaders(),
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	if change != nil {
		change(b.server)
	}
	b.server.Write(t.Context())
	return b
}

// again is a boot service that starts anew on the same store.
func (b *bench) again() *bench {
	next := newBench(b.T, func(s *pxe.Server) { s.Networks, s.Leases, s.Clock = b.server.Networks, b.leases, b.clock })
	next.leases, next.clock = b.leases, b.clock
	return next
}

// ask sends a packet that a client broadcasts and gives the reply; nil when there is none.
func (b *bench) ask(req *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	b.Helper()
	if a := b.server.Answer(ours, 67, req.ToBytes(), netip.MustParseAddrPort("0.0.0.0:68")); a != nil {
		return a.Reply
	}
	return nil
}

// wants asks and holds the reply's kind and address against what is wanted; "" is silence.
func (b *bench) wants(want string, req *dhcpv4.DHCPv4) {
	b.Helper()
	got := ""
	if resp := b.ask(req); resp != nil {
		got = fmt.Sprintf("%s %s", resp.MessageType(), resp.YourIPAddr)
	}
	if got != want {
		b.Errorf("%s: got %q, want %q", req.MessageType(), got, want)
	}
}

func mac(n int) net.HardwareAddr { return net.HardwareAddr{0x52, 0x54, 0, 0, byte(n >> 8), byte(n)} }

func ip(s string) net.IP { return net.ParseIP(s).To4() }

func packet(t testing.TB, kind dhcpv4.MessageType, hw net.HardwareAddr, change ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	p, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithMessageType(kind), dhcpv4.WithHwAddr(hw)}, change...)...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func requested(s string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(ip(s)))
}

func serverID(s string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip(s)))
}

// firmware makes a request one of a PXE ROM of an architecture.
func firmware(class string, arch byte) dhcpv4.Modifier {
	return func(p *dhcpv4.DHCPv4) {
		p.UpdateOption(dhcpv4.OptClassIdentifier(class))
		p.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, []byte{0, arch}))
	}
}

const (
	discover = dhcpv4.MessageTypeDiscover
	request  = dhcpv4.MessageTypeRequest
)

func TestOfferCommitsNothing(t *testing.T) {
	b := newBench(t, nil)
	first := b.ask(packet(t, discover, mac(1)))
	if second := b.ask(packet(t, discover, mac(1))); !first.YourIPAddr.Equal(second.YourIPAddr) {
		t.Errorf("offered %s, then %s", first.YourIPAddr, second.YourIPAddr)
	}
	if len(b.leases.groups) != 0 {
		t.Error("an offer was written")
	}
	b.wants("ACK "+first.YourIPAddr.String(), packet(t, request, mac(1), serverID("10.77.0.1"), requested(first.YourIPAddr.String())))
	row, ok := b.leases.row("lab", mac(1).String())
	if want := b.clock.Now().Add(time.Hour).Unix(); !ok || row.Address.String() != first.YourIPAddr.String() || row.Until != want {
		t.Errorf("lease %+v, want until %d", row, want)
	}
}

func TestOfferedAddressIsKeptForItsMachine(t *testing.T) {
	b := newBench(t, nil)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	if got := b.ask(packet(t, discover, mac(2), requested("10.77.0.150"))); got.YourIPAddr.String() == "10.77.0.150" {
		t.Error("two machines were offered one address")
	}
	b.clock.add(2 * time.Minute)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(3), requested("10.77.0.150")))
}

func TestOtherServerChosen(t *testing.T) {
	b := newBench(t, nil)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	b.wants("", packet(t, request, mac(1), serverID("10.77.0.2"), requested("10.77.0.77")))
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(2), requested("10.77.0.150")))
}

// TestVerify is RFC 2131 section 4.3.2, INIT-REBOOT: no server identifier, option 50.
func TestVerify(t *testing.T) {
	b := newBench(t, nil)
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(2), requested("10.77.0.150")))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(3), requested("192.0.2.5")))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(3), requested("10.77.0.1")))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(3), requested("10.77.0.20")))
	b.wants("", packet(t, request, mac(3)))
	b.again().wants("NAK 0.0.0.0", packet(t, request, mac(2), requested("10.77.0.150")))
	b.again().wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
}

// TestRenew is RENEWING and REBINDING: ciaddr, no server identifier, no option 50.
func TestRenew(t *testing.T) {
	b := newBench(t, nil)
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.clock.add(30 * time.Minute)
	renew := packet(t, request, mac(1), dhcpv4.WithClientIP(ip("10.77.0.150")))
	a := b.server.Answer(ours, 67, renew.ToBytes(), netip.MustParseAddrPort("10.77.0.150:68"))
	if a == nil || a.Reply.MessageType() != dhcpv4.MessageTypeAck || a.HW != nil || a.To.String() != "10.77.0.150:68" || !a.Reply.ClientIPAddr.Equal(ip("10.77.0.150")) {
		t.Fatalf("renewed: %+v", a)
	}
	if row, _ := b.leases.row("lab", mac(1).String()); row.Until != b.clock.Now().Add(time.Hour).Unix() {
		t.Errorf("lease %+v", row)
	}
	b.wants("NAK 0.0.0.0", packet(t, request, mac(2), dhcpv4.WithClientIP(ip("10.77.0.150"))))
}

func TestMachineGetsItsOldAddressAgain(t *testing.T) {
	b := newBench(t, nil)
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.clock.add(5 * time.Hour)
	b.again().wants("OFFER 10.77.0.150", packet(t, discover, mac(1)))
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(2), requested("10.77.0.150")))
}

func TestDecline(t *testing.T) {
	b := newBench(t, nil)
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("", packet(t, dhcpv4.MessageTypeDecline, mac(2), serverID("10.77.0.1"), requested("10.77.0.150")))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("", packet(t, dhcpv4.MessageTypeDecline, mac(1), serverID("10.77.0.1"), requested("10.77.0.150")))
	if row, _ := b.leases.row("lab", mac(1).String()); row.Until > b.clock.Now().Unix() {
		t.Errorf("the lease goes on: %+v", row)
	}
	for n := 1; n < 100; n++ {
		if got := b.ask(packet(t, discover, mac(n), requested("10.77.0.150"))); got.YourIPAddr.String() == "10.77.0.150" {
			t.Fatalf("machine %d was offered an address that was declined", n)
		}
	}
	b.clock.add(11 * time.Minute)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(500), requested("10.77.0.150")))
}

func TestRelease(t *testing.T) {
	b := newBench(t, nil)
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("", packet(t, dhcpv4.MessageTypeRelease, mac(2), serverID("10.77.0.1"), dhcpv4.WithClientIP(ip("10.77.0.150"))))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(2), requested("10.77.0.150")))
	b.wants("", packet(t, dhcpv4.MessageTypeRelease, mac(1), serverID("10.77.0.1"), dhcpv4.WithClientIP(ip("10.77.0.150"))))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(2), requested("10.77.0.150")))
}

func TestInform(t *testing.T) {
	b := newBench(t, nil)
	a := b.server.Answer(ours, 67, packet(t, dhcpv4.MessageTypeInform, mac(1), dhcpv4.WithClientIP(ip("10.77.0.20"))).ToBytes(), netip.MustParseAddrPort("10.77.0.20:68"))
	if a == nil || a.To.String() != "10.77.0.20:68" || !a.Reply.YourIPAddr.IsUnspecified() || a.Reply.IPAddressLeaseTime(0) != 0 || a.Reply.SubnetMask() == nil {
		t.Errorf("answered %+v", a)
	}
}

func TestPoolUsedUp(t *testing.T) {
	b := newBench(t, func(s *pxe.Server) {
		s.Networks[0].PoolStart, s.Networks[0].PoolEnd = netip.MustParseAddr("10.77.0.0"), netip.MustParseAddr("10.77.0.4")
		s.Networks[0].Gateway = netip.MustParseAddr("10.77.0.2")
	})
	got := []string{b.ask(packet(t, discover, mac(1))).YourIPAddr.String(), b.ask(packet(t, discover, mac(2))).YourIPAddr.String()}
	slices.Sort(got)
	if !slices.Equal(got, []string{"10.77.0.3", "10.77.0.4"}) { // not the network's, ours or the gateway's
		t.Errorf("offered %v", got)
	}
	b.wants("", packet(t, discover, mac(3)))
	if !strings.Contains(b.log.String(), "pool is used up") {
		t.Errorf("log %s", b.log)
	}
	b.clock.add(2 * time.Minute)
	if b.ask(packet(t, discover, mac(3))) == nil {
		t.Error("offers that nobody took up still hold the pool")
	}
}

func TestReservedAddressIsNobodyElses(t *testing.T) {
	b := newBench(t, nil)
	b.leases.reserved[mac(9).String()] = ingot.Lease{Address: netip.MustParseAddr("10.77.0.150"), Hostname: "node9"}
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150"))) // the store is asked at the ACK only
	b.wants("NAK 0.0.0.0", packet(t, request, mac(1), requested("10.77.0.150")))
	if got := b.ask(packet(t, discover, mac(1), requested("10.77.0.150"))); got == nil || got.YourIPAddr.String() == "10.77.0.150" {
		t.Errorf("offered again: %v", got)
	}
	b.clock.add(11 * time.Minute)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(9), requested("10.77.0.111")))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(9), requested("10.77.0.111")))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(9), requested("10.77.0.150")))
}

// TestTwoServices has two boot services on one store and network, each with its own memory.
func TestTwoServices(t *testing.T) {
	b := newBench(t, nil)
	other := b.again()
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	other.wants("OFFER 10.77.0.150", packet(t, discover, mac(2), requested("10.77.0.150")))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	other.wants("NAK 0.0.0.0", packet(t, request, mac(2), requested("10.77.0.150")))
	if got := other.ask(packet(t, discover, mac(2), requested("10.77.0.150"))); got == nil || got.YourIPAddr.String() == "10.77.0.150" {
		t.Errorf("offered again: %v", got)
	}
	if row, _ := b.leases.row("lab", mac(1).String()); row.Address.String() != "10.77.0.150" {
		t.Errorf("lease %+v", row)
	}
}

// TestTwoServicesThatShareOffers: what one has offered, the other offers to nobody else, and to the same machine again;
// and neither refuses what the other gave.
func TestTwoServicesThatShareOffers(t *testing.T) {
	b := newBench(t, nil)
	other := b.again()
	b.server.Offers, other.server.Offers = b.leases, b.leases
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	got := other.ask(packet(t, discover, mac(2), requested("10.77.0.150")))
	if got == nil || got.YourIPAddr.String() == "10.77.0.150" {
		t.Fatalf("offered to two: %v", got)
	}
	other.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.160")))
	b.wants("OFFER "+got.YourIPAddr.String(), packet(t, discover, mac(2)))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	other.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.leases.end("lab", mac(1).String(), b.clock.Now().Unix())
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.leases.end("lab", mac(1).String(), b.clock.Now().Unix())
	b.leases.move("lab", mac(1).String(), mac(3).String(), b.clock.Now().Unix()+3600)
	other.wants("ACK 10.77.0.150", packet(t, request, mac(3), requested("10.77.0.150")))
}

// TestLeaseThatHasMoved: a machine whose address has gone to another with its instance asks before that does. It gets another
// one, and the address waits for its new machine.
func TestLeaseThatHasMoved(t *testing.T) {
	b := newBench(t, nil)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.leases.move("lab", mac(1).String(), mac(3).String(), b.clock.Now().Unix()+3600)
	b.ask(packet(t, discover, mac(1)))
	b.wants("NAK 0.0.0.0", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("OFFER 10.77.0.151", packet(t, discover, mac(1), requested("10.77.0.151")))
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(3)))
	b.wants("ACK 10.77.0.150", packet(t, request, mac(3), requested("10.77.0.150")))
}

// TestDeciderFails leaves firmware without an answer, so that it asks again, and operating systems alone.
func TestDeciderFails(t *testing.T) {
	b := newBench(t, nil)
	b.decider.err = errors.New("database is away")
	b.wants("", packet(t, discover, mac(1), firmware("PXEClient", 0)))
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(2), requested("10.77.0.150")))
}

func TestStoreFails(t *testing.T) {
	b := newBench(t, nil)
	b.wants("OFFER 10.77.0.150", packet(t, discover, mac(1), requested("10.77.0.150")))
	b.leases.err = errors.New("database is away")
	b.wants("", packet(t, request, mac(1), requested("10.77.0.150")))
	b.leases.err = nil
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
}

// TestDryRunWritesNothing hears a machine take an address.
func TestDryRunWritesNothing(t *testing.T) {
	b := newBench(t, func(s *pxe.Server) { s.DryRun = true })
	b.wants("ACK 10.77.0.150", packet(t, request, mac(1), requested("10.77.0.150")))
	b.wants("OFFER 10.77.0.151", packet(t, discover, mac(2), requested("10.77.0.151")))
	b.wants("", packet(t, dhcpv4.MessageTypeDecline, mac(2), serverID("10.77.0.1"), requested("10.77.0.151")))
	if len(b.leases.groups)+len(b.decider.evidence()) != 0 {
		t.Errorf("%d commits, evidence %q", len(b.leases.groups), b.decider.evidence())
	}
}
