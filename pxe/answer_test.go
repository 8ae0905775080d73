package pxe_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// TestLoaders is option 93's table, with what each architecture gets.
func TestLoaders(t *testing.T) {
	for _, test := range []struct {
		class string
		arch  byte
		file  string
		id    string // option 60 of the reply
	}{
		{"PXEClient:Arch:00000:UNDI:002001", 0, "undionly.kpxe", ""},
		{"PXEClient:Arch:00007:UNDI:003000", 7, "snponly.efi", ""},
		{"PXEClient:Arch:00009:UNDI:003000", 9, "snponly.efi", ""},
		{"PXEClient:Arch:00006:UNDI:003000", 6, "", ""},  // 32 bit UEFI: there is no loader
		{"PXEClient:Arch:00011:UNDI:003000", 11, "", ""}, // arm64: its file is not there
		{"HTTPClient:Arch:00016:UNDI:003000", 16, "http://10.77.0.1:8088/boot/loader/snponly.efi", "HTTPClient"},
	} {
		b := newBench(t, nil)
		b.decider.specs[mac(1).String()] = ingot.BootSpec{Action: ingot.BootKernel}
		resp := b.ask(packet(t, discover, mac(1), firmware(test.class, test.arch), dhcpv4.WithRequestedOptions(dhcpv4.OptionBootfileName)))
		if got := resp.BootFileNameOption(); got != test.file || resp.ClassIdentifier() != test.id {
			t.Errorf("%s: file %q and class %q, want %q and %q", test.class, got, resp.ClassIdentifier(), test.file, test.id)
		}
		told := strings.Contains(strings.Join(b.decider.evidence(), "\n"), "there is no loader")
		if told != (test.file == "") {
			t.Errorf("%s: evidence %q", test.class, b.decider.evidence())
		}
	}
}

// TestKnowsIPXE is how iPXE shows itself.
func TestKnowsIPXE(t *testing.T) {
	class := func(b string) dhcpv4.Modifier {
		return dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionUserClassInformation, []byte(b)))
	}
	none := func(*dhcpv4.DHCPv4) {}
	for name, test := range map[string]struct {
		mark dhcpv4.Modifier
		ipxe bool
	}{
		"raw":        {class("iPXE"), true},
		"RFC 3004":   {class("\x03abc\x04iPXE"), true},
		"option 175": {dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(175), []byte{1, 1, 1})), true},
		"none":       {none, false},
		"other":      {class("\x04gPXE"), false},
		"cut off":    {class("\x09iPXE"), false},
		"zeros":      {class("\x00\x00iPXE"), false},
	} {
		b := newBench(t, nil)
		b.decider.specs[mac(1).String()] = ingot.BootSpec{Action: ingot.BootKernel}
		resp := b.ask(packet(t, discover, mac(1), firmware("PXEClient", 0), test.mark))
		if got := strings.HasPrefix(resp.BootFileNameOption(), "http://10.77.0.1:8088/boot/script?mac=52:54:00:00:00:01"); got != test.ipxe {
			t.Errorf("%s: file %q", name, resp.BootFileNameOption())
		}
		if loader := b.decider.requests()[0].Loader; (loader == "ipxe") != test.ipxe {
			t.Errorf("%s: the decider was told loader %q", name, loader)
		}
	}
}

// TestSilence gives a machine that is not ours its address and nothing to boot.
func TestSilence(t *testing.T) {
	for _, class := range []string{"PXEClient:Arch:00000", "PXEClient:Arch:00007", "HTTPClient:Arch:00016"} {
		b := newBench(t, nil)
		resp := b.ask(packet(t, discover, mac(1), dhcpv4.WithOption(dhcpv4.OptClassIdentifier(class)),
			dhcpv4.WithRequestedOptions(dhcpv4.OptionBootfileName, dhcpv4.OptionTFTPServerName)))
		if resp.YourIPAddr.IsUnspecified() {
			t.Errorf("%s: no address", class)
		}
		for _, code := range []dhcpv4.OptionCode{dhcpv4.OptionBootfileName, dhcpv4.OptionTFTPServerName, dhcpv4.OptionClassIdentifier, dhcpv4.OptionVendorSpecificInformation} {
			if resp.Options.Has(code) {
				t.Errorf("%s: %s is there", class, code)
			}
		}
		if resp.BootFileName != "" || !resp.ServerIPAddr.IsUnspecified() {
			t.Errorf("%s: file %q at %s", class, resp.BootFileName, resp.ServerIPAddr)
		}
	}
}

// TestRelayed is a request through a relay: the reply goes back to it with its option 82, for the network of its address.
func TestRelayed(t *testing.T) {
	b := newBench(t, func(s *pxe.Server) {
		s.Networks = append(s.Networks, ingot.Network{
			Name: "far", Interface: "test0", Subnet: netip.MustParsePrefix("10.88.0.0/24"), DHCP: ingot.DHCPFull,
			PoolStart: netip.MustParseAddr("10.88.0.10"), PoolEnd: netip.MustParseAddr("10.88.0.20"), RA: new(bool),
		})
	})
	circuit := dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(1), []byte("port 7")))
	ask := func(change ...dhcpv4.Modifier) *pxe.Answered {
		p := packet(t, discover, mac(1), append([]dhcpv4.Modifier{dhcpv4.WithRelay(ip("10.88.0.1")), dhcpv4.WithOption(circuit)}, change...)...)
		return b.server.Answer(ours, 67, p.ToBytes(), netip.MustParseAddrPort("10.88.0.1:67"))
	}
	a := ask()
	if a == nil || a.To.String() != "10.88.0.1:67" || a.HW != nil || !strings.HasPrefix(a.Reply.YourIPAddr.String(), "10.88.0.") {
		t.Fatalf("answered %+v", a)
	}
	if got := a.Reply.Options.Get(dhcpv4.OptionRelayAgentInformation); string(got) != "\x01\x06port 7" || !a.Reply.GatewayIPAddr.Equal(ip("10.88.0.1")) {
		t.Errorf("option 82 %q, relay %s", got, a.Reply.GatewayIPAddr)
	}
	nak := packet(t, request, mac(1), dhcpv4.WithRelay(ip("10.88.0.1")), requested("10.77.0.150"))
	if a := b.server.Answer(ours, 67, nak.ToBytes(), netip.MustParseAddrPort("10.88.0.1:67")); a == nil || a.Reply.MessageType() != dhcpv4.MessageTypeNak || !a.Reply.IsBroadcast() || a.HW != nil {
		t.Errorf("refused with %+v", a)
	}
	if a := ask(dhcpv4.WithRelay(ip("10.66.0.1"))); a != nil {
		t.Errorf("a relay of no network got %s", a.Reply)
	}
	// Link selection (RFC 3527) and server identifier override (RFC 5107).
	selection := dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(5), ip("10.77.0.0")), dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(11), ip("10.66.0.1")))
	a = ask(dhcpv4.WithRelay(ip("10.66.0.1")), dhcpv4.WithOption(selection))
	if a == nil || !strings.HasPrefix(a.Reply.YourIPAddr.String(), "10.77.0.") || !a.Reply.ServerIdentifier().Equal(ip("10.66.0.1")) || a.To.String() != "10.66.0.1:67" {
		t.Errorf("with link selection: %+v", a)
	}
}

// TestBroadcastFlag says how a client without an address is reached.
func TestBroadcastFlag(t *testing.T) {
	b := newBench(t, nil)
	for _, flag := range []bool{false, true} {
		want := mac(1).String()
		if flag {
			want = "ff:ff:ff:ff:ff:ff"
		}
		a := b.server.Answer(ours, 67, packet(t, discover, mac(1), dhcpv4.WithBroadcast(flag)).ToBytes(), netip.MustParseAddrPort("0.0.0.0:68"))
		if a.HW.String() != want {
			t.Errorf("flag %t: frame to %s", flag, a.HW)
		}
	}
}

// TestBootServerPort is firmware that asks the boot server itself.
func TestBootServerPort(t *testing.T) {
	b := newBench(t, func(s *pxe.Server) { s.Networks[0].DHCP = ingot.DHCPProxy })
	b.decider.specs[mac(1).String()] = ingot.BootSpec{Action: ingot.BootKernel}
	from := netip.MustParseAddrPort("10.77.0.33:68")
	ask := packet(t, request, mac(1), firmware("PXEClient:Arch:00007:UNDI:003000", 7), dhcpv4.WithClientIP(ip("10.77.0.33")))
	a := b.server.Answer(ours, pxe.ProxyPort, ask.ToBytes(), from)
	if a == nil || a.To != from || a.HW != nil || a.Reply.MessageType() != dhcpv4.MessageTypeAck || a.Reply.BootFileName != "snponly.efi" || a.Reply.ClassIdentifier() != "PXEClient" {
		t.Errorf("answered %+v", a)
	}
	if got := b.decider.requests()[0].Address.String(); got != "10.77.0.33" {
		t.Errorf("the decider was told address %s", got)
	}
	b.wants("", packet(t, discover, mac(2)))
	b.wants("", packet(t, request, mac(1), firmware("PXEClient:Arch:00007:UNDI:003000", 7)))
	if a := newBench(t, nil).server.Answer(ours, pxe.ProxyPort, ask.ToBytes(), from); a != nil {
		t.Errorf("in full mode port 4011 answers %s", a.Reply)
	}
}

// TestNotOurs are requests that get no answer.
func TestNotOurs(t *testing.T) {
	b := newBench(t, nil)
	reply := packet(t, discover, mac(1))
	reply.OpCode = dhcpv4.OpcodeBootReply
	b.wants("", reply)
	infiniband := packet(t, discover, mac(1))
	infiniband.HWType = 32
	b.wants("", infiniband)
	b.wants("", packet(t, discover, []byte{1, 0, 0x5e, 0, 0, 1}))
	b.wants("", packet(t, discover, []byte{0, 0, 0, 0, 0, 0}))
	b.wants("", packet(t, dhcpv4.MessageTypeNone, mac(1)))
	b.wants("", packet(t, dhcpv4.MessageTypeAck, mac(1)))
}

// TestConfiguration is what is wrong with a network.
func TestConfiguration(t *testing.T) {
	good := testNetwork("eth0")
	if err := pxe.Check(good); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*ingot.Network){
		"is no mode":           func(n *ingot.Network) { n.DHCP = "on" },
		"interface is missing": func(n *ingot.Network) { n.Interface = "" },
		"/30 or larger":        func(n *ingot.Network) { n.Subnet = netip.MustParsePrefix("fd77::/64") },
		"go together":          func(n *ingot.Network) { n.PoolEnd = netip.Addr{} },
		"are missing":          func(n *ingot.Network) { n.PoolStart, n.PoolEnd = netip.Addr{}, netip.Addr{} },
		"has to lie in":        func(n *ingot.Network) { n.PoolEnd = netip.MustParseAddr("10.78.0.1") },
	} {
		n := good
		change(&n)
		if err := pxe.Check(n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
