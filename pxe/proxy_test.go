package pxe_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/pxe"
)

// newProxyRack is a rack where dnsmasq, on a host of its own, gives the addresses and knows nothing of booting.
func newProxyRack(t *testing.T, specs map[string]ingot.BootSpec) *rack {
	t.Helper()
	needProgram(t, "dnsmasq")
	r := newRack(t, specs, func(s *pxe.Server) {
		on := true
		s.Networks[0].DHCP, s.Networks[0].RA = ingot.DHCPProxy, &on // without an advertisement iPXE waits 16 s
	})
	h := newHost(t, r.bridge, "eth0", "52:54:00:bb:00:01")
	h.run(t, "ip", "addr", "add", "10.77.0.2/24", "dev", "eth0")
	h.start(t, r.hits, "dnsmasq", "-k", "-p", "0", "-C", "/dev/null", "--dhcp-range=10.77.0.50,10.77.0.99,255.255.255.0", "--dhcp-authoritative", "--no-ping",
		"--dhcp-leasefile="+r.dir+"/dnsmasq.leases", "--log-dhcp", "--log-facility=-", "-u", "root", "-x", r.dir+"/dnsmasq.pid")
	waitFor(t, 10*time.Second, "dnsmasq", func() bool { _, err := os.Stat(r.dir + "/dnsmasq.pid"); return err == nil })
	return r
}

// TestProxyBootsKernel has firmware boot from Ingot with an address from another DHCP server.
func TestProxyBootsKernel(t *testing.T) {
	for _, m := range []machine{
		{capture: "proxy-seabios-rom"},
		{capture: "proxy-ovmf-pxe", uefi: true, nic: "virtio-net-pci,romfile="},
		{capture: "proxy-ovmf-http", uefi: true, nic: "virtio-net-pci,romfile=", extra: noPXE},
	} {
		t.Run(m.capture, func(t *testing.T) {
			if m.uefi && testing.Short() {
				t.Skip("UEFI firmware takes its time")
			}
			r := newProxyRack(t, kernelSpec())
			m.mac = testMAC
			r.boot(t, m)
			waitFor(t, 3*time.Minute, "the kernel to be sent", func() bool { return strings.Contains(r.hits.String(), "GET /boot/file/good/vmlinuz") })
			want := []string{"sent script: deploy ramdisk", "sent initrd"}
			if m.uefi {
				want = append([]string{"sent snponly.efi"}, want...)
			}
			if got := without(r.evidence(), "sent vmlinuz"); !slices.Equal(got, want) {
				t.Errorf("evidence %q, want %q", got, want)
			}
			if len(r.leases.groups) != 0 {
				t.Error("leases were written")
			}
		})
	}
}

// kernelSpec is what the tests' machine boots.
func kernelSpec() map[string]ingot.BootSpec {
	return map[string]ingot.BootSpec{testMAC: {
		Action: ingot.BootKernel, Node: rackUUID, Why: "deploy ramdisk",
		Kernel: "/boot/file/good/vmlinuz", Initrd: "/boot/file/good/initrd", Cmdline: "ipa-api-url={boot} console=ttyS0",
	}}
}
