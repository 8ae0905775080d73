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

const testMAC = "52:54:00:aa:00:09"

// noPXE leaves OVMF with HTTP boot only, which otherwise comes after a minute each of PXE over IPv4 and IPv6.
var noPXE = []string{"-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n", "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"}

// TestFirmwareBootsKernel has real firmware go all the way to a kernel that runs. The kernel is iPXE again, which
// exists in the kernel's format for BIOS and for UEFI; for BIOS it runs its command line, or its initramfs, as a script and so shows that
// they arrived.
func TestFirmwareBootsKernel(t *testing.T) {
	for _, test := range []struct {
		machine
		kernel  string
		initrd  string
		cmdline string
		detour  string   // script that the first request gets, in place of ours
		shows   string   // what the console shows when the kernel runs
		sent    []string // evidence beside addresses
	}{
		{
			machine: machine{capture: "seabios-rom"}, kernel: "ipxe.lkrn", cmdline: "echo cmdline {boot}", shows: "cmdline http://10.77.0.1:8088",
			sent: []string{"sent script: deploy ramdisk", "sent vmlinuz"},
		}, {
			machine: machine{capture: "seabios-undionly"}, kernel: "ipxe.lkrn", initrd: "#!ipxe\necho initramfs has arrived\n", shows: "initramfs has arrived",
			detour: "#!ipxe\nchain tftp://10.77.0.1/undionly.kpxe\n",
			sent:   []string{"sent undionly.kpxe", "sent script: deploy ramdisk", "sent initrd", "sent vmlinuz"},
		}, {
			machine: machine{capture: "ovmf-pxe", uefi: true, nic: "virtio-net-pci,romfile="}, kernel: "ipxe.efi", initrd: "i", shows: "Features:",
			sent: []string{"sent snponly.efi", "sent script: deploy ramdisk", "sent initrd", "sent vmlinuz"},
		}, {
			machine: machine{capture: "ovmf-http", uefi: true, nic: "virtio-net-pci,romfile=", extra: noPXE}, kernel: "ipxe.efi", initrd: "i", shows: "Features:",
			sent: []string{"sent snponly.efi", "sent script: deploy ramdisk", "sent initrd", "sent vmlinuz"},
		},
	} {
		t.Run(test.capture, func(t *testing.T) {
			if test.uefi && testing.Short() {
				t.Skip("UEFI firmware takes its time")
			}
			kernel, err := os.ReadFile("/usr/lib/ipxe/" + test.kernel)
			if err != nil {
				t.Skipf("needs the package ipxe: %v", err)
			}
			spec := ingot.BootSpec{Action: ingot.BootKernel, Node: rackUUID, Why: "deploy ramdisk", Kernel: "/boot/file/good/vmlinuz", Cmdline: test.cmdline}
			if test.initrd != "" {
				spec.Initrd = "/boot/file/good/initrd"
			}
			r := newRack(t, map[string]ingot.BootSpec{testMAC: spec}, func(s *pxe.Server) {
				s.Files = files{"vmlinuz": kernel, "initrd": []byte(test.initrd)}
			})
			if test.detour != "" {
				r.detour <- test.detour
			}
			test.mac = testMAC
			console := r.boot(t, test.machine)
			waitFor(t, 3*time.Minute, "the kernel to be sent", func() bool { return slices.Contains(r.evidence(), "sent vmlinuz") })
			before := strings.Count(console.String(), test.shows)
			waitFor(t, time.Minute, "the kernel to run", func() bool { return strings.Count(console.String(), test.shows) > before })
			if got := r.evidence(); !slices.Equal(without(got, "offered", "acknowledged"), test.sent) {
				t.Errorf("evidence %q, want %q", got, test.sent)
			}
			if got := r.evidence(); got[0] != "offered 10.77.0.160" || got[1] != "acknowledged 10.77.0.160" {
				t.Errorf("evidence begins with %q", got[:2])
			}
			for _, ask := range r.decider.requests() {
				if ask.UUID != rackUUID || ask.MAC != testMAC || ask.Network != "lab" || (ask.Arch == ingot.ArchBIOS) == test.uefi {
					t.Errorf("the decider was asked %+v", ask)
				}
			}
		})
	}
}

// TestLocalDiskIsQuick has firmware with network boot first go on to its disk.
func TestLocalDiskIsQuick(t *testing.T) {
	for _, test := range []struct {
		machine
		shows string
	}{
		{machine{capture: "disk-seabios-rom"}, "Booting from Hard Disk"},
		{machine{capture: "disk-ovmf-pxe", uefi: true, nic: "virtio-net-pci,romfile="}, "Remote boot cancelled"},
		{machine{capture: "disk-ovmf-http", uefi: true, nic: "virtio-net-pci,romfile=", extra: noPXE}, "404 Not Found"},
	} {
		t.Run(test.capture, func(t *testing.T) {
			if test.uefi && testing.Short() {
				t.Skip("UEFI firmware takes its time")
			}
			r := newRack(t, map[string]ingot.BootSpec{testMAC: {Action: ingot.BootLocalDisk, Why: "deployed"}}, nil)
			test.mac, test.disk = testMAC, r.dir+"/disk"
			run(t, "truncate", "-s", "1M", test.disk)
			console := r.boot(t, test.machine)
			waitFor(t, 3*time.Minute, "the next boot device", func() bool { return strings.Contains(console.String(), test.shows) })
			offers := 0
			for _, what := range r.evidence() {
				if strings.HasPrefix(what, "sent") {
					t.Errorf("evidence %q", what)
				}
				if strings.HasPrefix(what, "offered") {
					offers++
				}
			}
			if offers != 1 {
				t.Errorf("the machine asked %d times", offers)
			}
		})
	}
}

// without is list less the entries that begin with one of words.
func without(list []string, words ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(what string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(what, w) })
	})
}
