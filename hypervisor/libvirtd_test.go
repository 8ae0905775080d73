//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// small is a machine for QEMU's emulation with what a boot order is about.
const small = `<domain type='qemu'><name>ID</name><uuid>ID</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices>
  <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='DISK'/><target dev='vda' bus='virtio'/><shareable/></disk>
  <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/></disk>
  <interface type='bridge'><source bridge='br0'/><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>
</devices></domain>`

func TestLibvirtd(t *testing.T) {
	started(t)
	d := libvirttest.Start(t)
	d.Write(t, "pool/empty.raw", string(make([]byte, 1<<20)))
	drivertest.Run(t, drivertest.Suite{
		New: func(t testing.TB) drivertest.Rig {
			return newRig(t, d.URI(), replaceDisk(small, filepath.Join(d.Dir, "pool/empty.raw")), d.Pause)
		},
		Devices:   []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM},
		Foreign:   []ingot.BootDevice{ingot.BootBIOS, ingot.BootSafe, ingot.BootUEFIHTTP},
		Abilities: []string{"boot devices", "reset", "nmi", "boot modes", "virtual media", "vendor"},
		Faults:    []drivertest.Fault{drivertest.Dead},
		Modes:     true, NoLogin: true, NoSystem: true,
	})
}

func replaceDisk(domain, path string) string { return strings.ReplaceAll(domain, "DISK", path) }
