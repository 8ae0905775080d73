//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor/drivertest"
	"github.com/ingot-metal/ingot/hypervisor"
)

// plain is a small machine with what a boot order is about.
const plain = `<domain type='test'><name>ID</name><uuid>ID</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type>hvm</type></os>
<devices>
  <disk type='file' device='disk'><source file='/nowhere/ID.raw'/><target dev='vda' bus='virtio'/></disk>
  <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/><readonly/></disk>
  <interface type='network'><source network='default'/><mac address='52:54:00:00:00:01'/></interface>
</devices></domain>`

// libvirt's own test driver is always there and answers at once: what is about waiting is tried with QEMU's.
func TestLibvirtTestDriver(t *testing.T) {
	started(t)
	drivertest.Run(t, drivertest.Suite{
		New:       func(t testing.TB) drivertest.Rig { return newRig(t, "test:///default", plain, nil) },
		Devices:   []ingot.BootDevice{ingot.BootPXE, ingot.BootDisk, ingot.BootCDROM},
		Foreign:   []ingot.BootDevice{ingot.BootBIOS, ingot.BootSafe, ingot.BootUEFIHTTP},
		Abilities: []string{"boot devices", "reset", "nmi", "boot modes", "virtual media", "vendor"},
		Modes:     true, NoLogin: true,
	})
}

// started has the event loop run before a test counts goroutines: it never ends.
func started(t *testing.T) {
	t.Helper()
	hosts := &hypervisor.Hosts{}
	_, err := hosts.Probe(t.Context(), ingot.Hypervisor{NodeUUID: "loop", URI: "test:///default"}, nil)
	require.NoError(t, err)
	require.NoError(t, hosts.Close())
}
