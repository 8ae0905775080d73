package pxe_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// furnish gives a network everything that an option can say.
func furnish(s *pxe.Server) {
	n := &s.Networks[0]
	n.Gateway, n.Domain = netip.MustParseAddr("10.77.0.254"), "lab.example"
	n.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53"), netip.MustParseAddr("10.77.0.54")}
	n.NTP = []netip.Addr{netip.MustParseAddr("10.77.0.123")}
	n.Routes = []ingot.Route{{Destination: netip.MustParsePrefix("10.99.0.0/16"), Via: netip.MustParseAddr("10.77.0.9")}}
}

// boundScript tells what udhcpc got.
const boundScript = `#!/bin/sh
[ "$1" = bound ] || exit 0
printf '%s\n' "ip=$ip" "subnet=$subnet" "router=$router" "dns=$dns" "domain=$domain" "ntpsrv=$ntpsrv" \
	"staticroutes=$staticroutes" "lease=$lease" "serverid=$serverid"
`

// TestUdhcpc takes a lease with busybox' client, which asks without the broadcast flag and so needs the reply in a
// frame.
func TestUdhcpc(t *testing.T) {
	needProgram(t, "udhcpc")
	r := newRack(t, nil, furnish)
	h := newHost(t, r.bridge, "eth0", testMAC)
	script := filepath.Join(r.dir, "script")
	if err := os.WriteFile(script, []byte(boundScript), 0o755); err != nil {
		t.Fatal(err)
	}
	out := h.run(t, "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-s", script, "-O", "ntpsrv", "-O", "staticroutes")
	for _, want := range []string{
		"ip=10.77.0.160", "subnet=255.255.255.0", "router=10.77.0.254", "dns=10.77.0.53 10.77.0.54", "domain=lab.example",
		"ntpsrv=10.77.0.123", "staticroutes=10.99.0.0/16 10.77.0.9 0.0.0.0/0 10.77.0.254", "lease=3600", "serverid=10.77.0.1",
	} {
		if !slices.Contains(strings.Split(out, "\n"), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if len(r.decider.requests()) != 0 {
		t.Errorf("the decider was asked for an operating system: %v", r.decider.requests())
	}
}

// TestDhclient takes a lease with ISC's client, asks for it again after a restart (INIT-REBOOT), is refused one of
// another network, and gives it back.
func TestDhclient(t *testing.T) {
	needProgram(t, "dhclient")
	r := newRack(t, nil, furnish)
	h := newHost(t, r.bridge, "eth0", testMAC)
	lease, pid, script := filepath.Join(r.dir, "leases"), filepath.Join(r.dir, "pid"), filepath.Join(r.dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ -z \"$new_ip_address\" ] || ip addr replace $new_ip_address/24 dev $interface\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) string {
		return h.run(t, "dhclient", append([]string{"-4", "-v", "-lf", lease, "-pf", pid, "-sf", script, "-cf", "/dev/null"}, append(args, "eth0")...)...)
	}
	if out := ask("-1"); !strings.Contains(out, "bound to 10.77.0.160") {
		t.Fatalf("no lease:\n%s", out)
	}
	ask("-x")
	if out := ask("-1"); !strings.Contains(out, "DHCPREQUEST for 10.77.0.160") || strings.Contains(out, "DHCPDISCOVER") || !strings.Contains(out, "DHCPACK of 10.77.0.160") {
		t.Errorf("not verified in one exchange:\n%s", out)
	}
	ask("-x")
	old, err := os.ReadFile(lease)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lease, []byte(strings.ReplaceAll(string(old), "10.77.0.160", "192.0.2.7")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := ask("-1"); !strings.Contains(out, "DHCPNAK from 10.77.0.1") || !strings.Contains(out, "bound to 10.77.0.160") {
		t.Errorf("not refused, or no lease after it:\n%s", out)
	}
	ask("-r")
	waitFor(t, 5*time.Second, "the release", func() bool { return slices.Contains(r.evidence(), "released 10.77.0.160") })
}

// TestReservation gives a known port its address and name, and nobody else anything.
func TestReservation(t *testing.T) {
	r := newRack(t, nil, func(s *pxe.Server) {
		s.Networks[0].DHCP = ingot.DHCPReserved
		s.Leases.(*leases).reserved[testMAC] = ingot.Lease{Network: "lab", MAC: testMAC, Address: netip.MustParseAddr("10.77.0.42"), Hostname: "node7"}
	})
	run(t, "ip", "link", "add", "p0", "type", "veth", "peer", "name", "eth7")
	t.Cleanup(func() { run(t, "ip", "link", "del", "p0") })
	run(t, "ip", "link", "set", "p0", "master", r.bridge, "up")
	run(t, "ip", "link", "set", "eth7", "up")
	known, _ := net.ParseMAC(testMAC)
	lease, err := obtain(t, known)
	if err != nil {
		t.Fatal(err)
	}
	if at, host := lease.ACK.YourIPAddr.String(), lease.ACK.HostName(); at != "10.77.0.42" || host != "node7" {
		t.Errorf("got %s for %q", at, host)
	}
	if lease, err := obtain(t, net.HardwareAddr{0x52, 0x54, 0, 1, 2, 3}); err == nil {
		t.Errorf("an unknown port got %s", lease.ACK.YourIPAddr)
	}
}

// TestALeaseThatCameFromAnotherMachine: what the store says of who has an address now holds against what is remembered here.
func TestALeaseThatCameFromAnotherMachine(t *testing.T) {
	r := newRack(t, nil, furnish)
	run(t, "ip", "link", "add", "p0", "type", "veth", "peer", "name", "eth7")
	t.Cleanup(func() { run(t, "ip", "link", "del", "p0") })
	run(t, "ip", "link", "set", "p0", "master", r.bridge, "up")
	run(t, "ip", "link", "set", "eth7", "up")
	address := func(mac string) string {
		t.Helper()
		hw, _ := net.ParseMAC(mac)
		lease, err := obtain(t, hw)
		if err != nil {
			t.Fatal(err)
		}
		return lease.ACK.YourIPAddr.String()
	}
	const guest = "52:54:00:01:02:03"
	had, own := address(guest), address(testMAC)
	until := time.Now().Add(time.Hour).Unix()
	store := r.server.Leases.(*leases)
	store.move("lab", guest, testMAC, until)
	store.mu.Lock()
	store.reserved[testMAC] = ingot.Lease{Network: "lab", MAC: testMAC, Address: netip.MustParseAddr(had), Until: until}
	store.mu.Unlock()
	if now := address(testMAC); now != had || now == own {
		t.Errorf("got %s, not %s, which came to it; before it had %s", now, had, own)
	}
	if other := address(guest); other == had {
		t.Errorf("the other machine still gets %s", other)
	}
}

// obtain asks for a lease as hw.
func obtain(t *testing.T, hw net.HardwareAddr) (*nclient4.Lease, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := nclient4.New("eth7", nclient4.WithHWAddr(hw), nclient4.WithTimeout(time.Second), nclient4.WithRetry(2))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.Request(ctx, dhcpv4.WithBroadcast(true))
}

// TestRelay serves a network that is behind a relay: dnsmasq, on a host between the two.
func TestRelay(t *testing.T) {
	needProgram(t, "dnsmasq", "udhcpc")
	r := newRack(t, nil, func(s *pxe.Server) {
		s.Networks = append(s.Networks, ingot.Network{
			Name: "far", Interface: "br0", Subnet: netip.MustParsePrefix("10.88.0.0/24"), DHCP: ingot.DHCPFull,
			PoolStart: netip.MustParseAddr("10.88.0.100"), PoolEnd: netip.MustParseAddr("10.88.0.200"),
		})
	})
	run(t, "ip", "link", "add", "br1", "type", "bridge")
	t.Cleanup(func() { run(t, "ip", "link", "del", "br1") })
	run(t, "ip", "link", "set", "br1", "up")
	relay := newHost(t, "br0", "near0", "52:54:00:bb:00:01")
	relay.join(t, "br1", "far0", "52:54:00:bb:00:02")
	relay.run(t, "ip", "addr", "add", "10.77.0.2/24", "dev", "near0")
	relay.run(t, "ip", "addr", "add", "10.88.0.1/24", "dev", "far0")
	run(t, "ip", "route", "add", "10.88.0.0/24", "via", "10.77.0.2")
	relay.start(t, r.hits, "dnsmasq", "-k", "-p", "0", "-C", "/dev/null", "--dhcp-relay=10.88.0.1,10.77.0.1", "--log-dhcp", "--log-facility=-", "-u", "root", "-x", r.dir+"/relay.pid")
	h := newHost(t, "br1", "eth0", testMAC)
	out := h.run(t, "udhcpc", "-i", "eth0", "-f", "-q", "-n", "-t", "8", "-s", "/bin/true")
	if !strings.Contains(out, "lease of 10.88.0.") {
		t.Errorf("no lease:\n%s", out)
	}
	if row, ok := r.leases.row("far", testMAC); !ok || row.Address.String() != "10.88.0.160" {
		t.Errorf("lease %+v", row)
	}
}
