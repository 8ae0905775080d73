package pxe_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// TestFrame holds the checksums of a frame against the rule that a datagram with its checksum adds up to all ones.
func TestFrame(t *testing.T) {
	for _, payload := range []string{"", "a", "ab", strings.Repeat("\xff", 301)} {
		f := pxe.Frame(mac(1), netip.MustParseAddrPort("10.77.0.1:67"), netip.MustParseAddrPort("10.77.0.160:68"), mac(2), []byte(payload))
		d, ok := udpOf(f)
		if !ok || d.from.String() != "10.77.0.1:67" || d.to.String() != "10.77.0.160:68" || string(d.data) != payload {
			t.Fatalf("frame of %q reads %+v", payload, d)
		}
		if got := onesSum(f[14:34]); got != 0xffff {
			t.Errorf("payload %q: IP header adds up to %x", payload, got)
		}
		pseudo := append(append([]byte{}, f[26:34]...), 0, 17, f[38], f[39])
		if got := onesSum(append(pseudo, f[34:]...)); got != 0xffff {
			t.Errorf("payload %q: UDP adds up to %x", payload, got)
		}
	}
}

func onesSum(b []byte) uint16 {
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	var n uint32
	for ; len(b) > 0; b = b[2:] {
		n += uint32(binary.BigEndian.Uint16(b))
		n = n&0xffff + n>>16
	}
	return uint16(n)
}

// TestAdvertisement asks for a router as iPXE does and gets one that routes nothing.
func TestAdvertisement(t *testing.T) {
	r := newRack(t, nil, nil)
	run(t, "ip", "link", "add", "p0", "type", "veth", "peer", "name", "eth7")
	t.Cleanup(func() { run(t, "ip", "link", "del", "p0") })
	run(t, "ip", "link", "set", "p0", "master", r.bridge, "up")
	run(t, "ip", "link", "set", "eth7", "up")
	conn, err := icmp.ListenPacket("ip6:ipv6-icmp", "::")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := conn.IPv6PacketConn()
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeRouterAdvertisement)
	if err := p.SetICMPFilter(&filter); err != nil {
		t.Fatal(err)
	}
	if err := p.SetControlMessage(ipv6.FlagHopLimit|ipv6.FlagInterface, true); err != nil {
		t.Fatal(err)
	}
	nic, err := net.InterfaceByName("eth7")
	if err != nil {
		t.Fatal(err)
	}
	solicit := icmp.Message{Type: ipv6.ICMPTypeRouterSolicitation, Body: &icmp.RawBody{Data: make([]byte, 4)}}
	data, err := solicit.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	for range 100 { // until the link-local addresses are usable
		p.WriteTo(data, &ipv6.ControlMessage{IfIndex: nic.Index, HopLimit: 255}, &net.IPAddr{IP: net.IPv6linklocalallrouters})
		p.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, control, _, err := p.ReadFrom(buf)
		if err != nil || control.IfIndex != nic.Index {
			continue
		}
		if control.HopLimit != 255 || n != 16 || buf[0] != 134 || buf[5] != 0 || buf[6] != 0 || buf[7] != 0 {
			t.Errorf("advertisement % x with hop limit %d", buf[:n], control.HopLimit)
		}
		return
	}
	t.Error("no advertisement came")
}

// TestDryRun hears, tells and leaves the wire and the store alone.
func TestDryRun(t *testing.T) {
	needProgram(t, "udhcpc", "tcpdump")
	r := newRack(t, kernelSpec(), func(s *pxe.Server) { s.DryRun = true })
	wire := &lines{}
	start(t, wire, "tcpdump", "-i", r.bridge, "-l", "-n", "--immediate-mode", "udp src port 67 or udp src port 69 or icmp6[0] = 134")
	waitFor(t, 10*time.Second, "tcpdump", func() bool { return strings.Contains(wire.String(), "listening on") })
	h := newHost(t, r.bridge, "eth0", testMAC)
	h.run(t, "sh", "-c", "udhcpc -i eth0 -f -q -n -t 2 -T 1 -V PXEClient:Arch:00000:UNDI:002001 -s /bin/true || true")
	for _, want := range []string{"msg=heard", "asker=pxe", `msg="would answer"`, "kind=OFFER", "address=10.77.0.160", "file=undionly.kpxe"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, r.log)
		}
	}
	if strings.Contains(wire.String(), "BOOTP/DHCP, Reply") || strings.Contains(wire.String(), "router advertisement") {
		t.Errorf("on the wire:\n%s", wire)
	}
	if len(r.leases.groups)+len(r.evidence()) != 0 {
		t.Errorf("%d commits, evidence %q", len(r.leases.groups), r.evidence())
	}
}

// TestInterfaceComesAndGoes serves an interface that is missing at first, goes, and comes back.
func TestInterfaceComesAndGoes(t *testing.T) {
	needProgram(t, "udhcpc")
	r := newRack(t, nil, nil)
	losses := 0
	for range 2 {
		run(t, "ip", "link", "del", r.bridge)
		losses++
		waitFor(t, 10*time.Second, "the loss", func() bool { return strings.Count(r.log.String(), "interface not served now") == losses })
		run(t, "ip", "link", "add", r.bridge, "type", "bridge")
		run(t, "ip", "addr", "add", "10.77.0.1/24", "dev", r.bridge)
		run(t, "ip", "link", "set", r.bridge, "up")
		h := newHost(t, r.bridge, "eth0", testMAC)
		out := h.run(t, "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "10", "-T", "1", "-s", "/bin/true")
		if !strings.Contains(out, "lease of 10.77.0.160") {
			t.Errorf("no lease:\n%s", out)
		}
	}
}

// TestBridgeTakesAnotherAddress serves on without a gap when the bridge's hardware address changes, as it does by itself
// when a port comes whose address is lower, and sends from the new one.
func TestBridgeTakesAnotherAddress(t *testing.T) {
	needProgram(t, "udhcpc", "tcpdump")
	r := newRack(t, nil, nil)
	wire := &lines{}
	start(t, wire, "tcpdump", "-i", r.bridge, "-l", "-n", "-e", "--immediate-mode", "udp src port 67")
	waitFor(t, 10*time.Second, "tcpdump", func() bool { return strings.Contains(wire.String(), "listening on") })
	h := newHost(t, r.bridge, "eth0", testMAC)
	run(t, "ip", "link", "set", r.bridge, "address", "02:00:00:00:00:01")
	waitFor(t, 20*time.Second, "a reply from the new address", func() bool {
		h.run(t, "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-s", "/bin/true")
		return strings.Contains(wire.String(), "02:00:00:00:00:01 > "+testMAC)
	})
	if strings.Contains(r.log.String(), "not served now") || strings.Contains(r.log.String(), "has changed") {
		t.Error("started over")
	}
}

// TestPortTaken says who has the port.
func TestPortTaken(t *testing.T) {
	r := newRack(t, nil, nil)
	second := &pxe.Server{Networks: []ingot.Network{testNetwork(r.bridge)}, Decider: r.decider, Leases: r.leases}
	err := second.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "UDP port 67 of interface br0") || !strings.Contains(err.Error(), "ss -ulnp") {
		t.Errorf("error %v", err)
	}
}
