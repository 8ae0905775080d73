package pxe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ingot-metal/ingot"
)

const testMAC = "52:54:00:aa:00:09"

func kernelSpec() map[string]ingot.BootSpec {
	return map[string]ingot.BootSpec{testMAC: {
		Action: ingot.BootKernel, Node: rackUUID, Why: "deploy ramdisk",
		Kernel: "/boot/file/good/vmlinuz", Initrd: "/boot/file/good/initrd", Cmdline: "ipa-api-url={boot} console=ttyS0",
	}}
}

// TestSeaBIOSBootsKernel follows SeaBIOS with the iPXE ROM of the card.
func TestSeaBIOSBootsKernel(t *testing.T) {
	r := newRack(t, kernelSpec(), nil)
	began := time.Now()
	r.boot(t, machine{mac: testMAC, capture: "seabios-rom"})
	waitFor(t, 60*time.Second, "the kernel to be fetched", func() bool { return strings.Contains(r.hits.String(), "GET /boot/file/good/vmlinuz") })
	t.Logf("kernel asked for after %s", time.Since(began))
}
