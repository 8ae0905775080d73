package pxe_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// datagram is a UDP datagram of a capture.
type datagram struct {
	from, to netip.AddrPort
	data     []byte
}

// readCapture gives the IPv4 UDP datagrams of a pcap file of Ethernet frames.
func readCapture(t testing.TB, path string) []datagram {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 24 || binary.LittleEndian.Uint32(b) != 0xa1b2c3d4 || binary.LittleEndian.Uint32(b[20:]) != 1 {
		t.Fatalf("%s is no little-endian pcap file of Ethernet frames", path)
	}
	var all []datagram
	for b = b[24:]; len(b) >= 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		if d, ok := udpOf(b[16 : 16+n]); ok {
			all = append(all, d)
		}
		b = b[16+n:]
	}
	return all
}

// udpOf takes a frame apart.
func udpOf(f []byte) (datagram, bool) {
	if len(f) < 14+20+8 || binary.BigEndian.Uint16(f[12:]) != 0x0800 || f[14] != 0x45 || f[23] != 17 {
		return datagram{}, false
	}
	u := f[34:]
	return datagram{
		from: netip.AddrPortFrom(netip.AddrFrom4([4]byte(f[26:30])), binary.BigEndian.Uint16(u)),
		to:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(f[30:34])), binary.BigEndian.Uint16(u[2:])),
		data: u[8:binary.BigEndian.Uint16(u[4:])],
	}, true
}

// requests are the datagrams to a DHCP server among all.
func requests(all []datagram) []datagram {
	var asked []datagram
	for _, d := range all {
		if d.to.Port() == dhcpv4.ServerPort || d.to.Port() == pxe.ProxyPort {
			asked = append(asked, d)
		}
	}
	return asked
}

// TestCaptures answers what real firmware asked, byte for byte, and holds the replies against golden text: one file
// for each capture and way of answering.
func TestCaptures(t *testing.T) {
	captures, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(captures) < 4 {
		t.Fatalf("captures %v: %v", captures, err)
	}
	for _, capture := range captures {
		for _, mode := range []ingot.DHCPMode{ingot.DHCPFull, ingot.DHCPProxy} {
			for _, action := range []ingot.BootAction{ingot.BootKernel, ingot.BootLocalDisk, ingot.BootSilence} {
				name := fmt.Sprintf("%s-%s-%s", strings.TrimSuffix(filepath.Base(capture), ".pcap"), mode, action)
				t.Run(name, func(t *testing.T) {
					n := testNetwork("test0")
					n.DHCP = mode
					n.Gateway, n.DNS, n.Domain = netip.MustParseAddr("10.77.0.254"), []netip.Addr{netip.MustParseAddr("10.77.0.53")}, "lab.example"
					s := &pxe.Server{
						Networks: []ingot.Network{n}, Decider: newDecider(map[string]ingot.BootSpec{testMAC: {Action: action}}), Leases: newLeases(),
						HTTPPort: 8088, Clock: newClock(), Loaders: loaders(),
					}
					s.Write(t.Context())
					var text strings.Builder
					for _, d := range requests(readCapture(t, capture)) {
						describe(t, &text, d, s.Answer(ours, int(d.to.Port()), d.data, d.from))
					}
					golden(t, "testdata/"+name+".txt", text.String())
				})
			}
		}
	}
}

// ours are the addresses of the test's interface.
var ours = []netip.Addr{netip.MustParseAddr("10.77.0.1")}

// describe writes a request and its reply as text.
func describe(t *testing.T, text *strings.Builder, d datagram, a *pxe.Answered) {
	t.Helper()
	req, err := dhcpv4.FromBytes(d.data)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(text, "asked: %s from %s to %s\n", req.MessageType(), d.from, d.to)
	if a == nil {
		fmt.Fprint(text, "silence\n\n")
		return
	}
	how := "by socket"
	if a.HW != nil {
		how = "in a frame to " + a.HW.String()
	}
	fmt.Fprintf(text, "answered: to %s %s\n%s\n", a.To, how, unindent(a.Reply.Summary()))
}

// unindent evens out the library's layout, which has spaces at the ends of lines.
func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(strings.ReplaceAll(lines[i], "\x00", "."), " ")
	}
	return strings.Join(lines, "\n")
}

// golden holds text against a file, or writes it with -update.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s differs (go test -update writes it anew):\n%s\nwant:\n%s", path, text, want)
	}
}

// newClock is a clock that a test moves.
func newClock() *clock { return &clock{at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)} }

type clock struct{ at time.Time }

func (c *clock) Now() time.Time                       { return c.at }
func (c *clock) After(time.Duration) <-chan time.Time { return nil }
func (c *clock) add(d time.Duration)                  { c.at = c.at.Add(d) }
