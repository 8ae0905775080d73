package pxe_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// newFuzzServer serves one network of each sort, and boots every machine.
func newFuzzServer(f *testing.F) *pxe.Server {
	near, far, beside := testNetwork("test0"), testNetwork("test0"), testNetwork("test0")
	far.Name, far.Subnet, far.DHCP = "far", netip.MustParsePrefix("10.88.0.0/24"), ingot.DHCPReserved
	far.PoolStart, far.PoolEnd = netip.Addr{}, netip.Addr{}
	beside.Name, beside.Subnet, beside.DHCP = "beside", netip.MustParsePrefix("10.99.0.0/24"), ingot.DHCPProxy
	s := &pxe.Server{
		Networks: []ingot.Network{near, far, beside}, Decider: everyone{}, Leases: newLeases(), HTTPPort: 8088, Clock: newClock(), Loaders: loaders(),
		Files: files{"vmlinuz": []byte("kernel")}, Logger: slog.New(slog.DiscardHandler),
	}
	s.Write(f.Context())
	return s
}

// FuzzDHCP sends any bytes to the ports for DHCP.
func FuzzDHCP(f *testing.F) {
	captures, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(captures) == 0 {
		f.Fatal("no captures", err)
	}
	for _, capture := range captures {
		for _, d := range readCapture(f, capture) {
			f.Add(d.data, d.to.Port() == pxe.ProxyPort)
		}
	}
	for _, relay := range []string{"10.88.0.1", "10.99.0.1"} {
		for _, kind := range []dhcpv4.MessageType{discover, request, dhcpv4.MessageTypeInform, dhcpv4.MessageTypeDecline, dhcpv4.MessageTypeRelease} {
			p := packet(f, kind, mac(1), dhcpv4.WithRelay(ip(relay)), requested("10.88.0.9"), firmware("PXEClient", 7),
				dhcpv4.WithOption(dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(5), ip("10.88.0.0")))))
			f.Add(p.ToBytes(), kind == request)
		}
	}
	f.Add([]byte{}, false)
	s := newFuzzServer(f)
	f.Fuzz(func(t *testing.T, data []byte, proxy bool) {
		port := 67
		if proxy {
			port = pxe.ProxyPort
		}
		a := s.Answer(ours, port, data, netip.MustParseAddrPort("10.77.0.9:68"))
		if a == nil {
			return
		}
		req, err := dhcpv4.FromBytes(data)
		if err != nil || req.OpCode != dhcpv4.OpcodeBootRequest {
			t.Fatalf("answered what is no request: %v", err)
		}
		resp, err := dhcpv4.FromBytes(a.Reply.ToBytes())
		if err != nil {
			t.Fatalf("the reply is malformed: %v", err)
		}
		if resp.OpCode != dhcpv4.OpcodeBootReply || resp.TransactionID != req.TransactionID || !bytes.Equal(resp.ClientHWAddr, req.ClientHWAddr) {
			t.Fatalf("the reply is to somebody else: %s", resp.Summary())
		}
		if yours := resp.YourIPAddr.String(); yours == "10.77.0.1" || yours == "10.77.0.0" || yours == "10.77.0.255" || !a.To.IsValid() {
			t.Fatalf("gave %s away, to %s", yours, a.To)
		}
	})
}

// everyone is a decider that has every machine boot a kernel.
type everyone struct{}

func (everyone) Decide(_ context.Context, _ ingot.BootRequest) (ingot.BootSpec, error) {
	return kernelSpec()[testMAC], nil
}

// Saw is not wanted.
func (everyone) Saw(ingot.BootEvidence) {}

// FuzzTFTP asks for files by any name.
func FuzzTFTP(f *testing.F) {
	for _, name := range []string{"snponly.efi", "/undionly.kpxe", "..", "/", "", "../ipxe.iso", "snponly-arm64.efi", "ipxe.iso", "snponly.efi\x00", "\\snponly.efi"} {
		f.Add(name)
	}
	s := newFuzzServer(f)
	f.Fuzz(func(t *testing.T, name string) {
		var got bytes.Buffer
		if err := s.SendLoader(name, &got); err != nil {
			return
		}
		if base := strings.TrimLeft(name, "/"); base != "snponly.efi" && base != "undionly.kpxe" || got.Len() == 0 {
			t.Fatalf("%q was sent, %d bytes", name, got.Len())
		}
	})
}

// FuzzScriptParameters asks for scripts with any parameters and Host. Whatever they are, a script has the commands that Ingot
// wrote and no others.
func FuzzScriptParameters(f *testing.F) {
	f.Add("mac="+testMAC+"&arch=7&uuid="+rackUUID, "10.77.0.1:8088")
	f.Add("mac=525400aa0009&arch=x86_64&platform=efi", "[fd77::1]:8088")
	f.Add("mac=52-54-00-aa-00-09&uuid=%0ashell", "boot.example")
	f.Add("mac="+testMAC+"&x=%0Ashell||&y=${net0/mac}", "a${b}")
	f.Add("mac=5254.00aa.0009&arch=-1;&&", "a b")
	s := newFuzzServer(f)
	handler := s.Handler()
	commands := []string{"#!ipxe", "echo", "initrd", "kernel", "boot", ":failed", "echo", "imgfree", "sleep", "chain"}
	f.Fuzz(func(t *testing.T, query, host string) {
		r := httptest.NewRequest("GET", pxe.ScriptPath, nil)
		r.URL.RawQuery, r.Host = query, host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Body)
		if w.Code != 200 || err != nil {
			return
		}
		var got []string
		for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n"), "\n") {
			word, _, _ := strings.Cut(line, " ")
			got = append(got, word)
		}
		if !slices.Equal(got, commands) || strings.Contains(string(body), "${") {
			t.Fatalf("%q at %q gave\n%s", query, host, body)
		}
	})
}
