package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// TestADomainIsDescribed: one of somebody else's too, in an agent's words.
func TestADomainIsDescribed(t *testing.T) {
	i, err := hypervisor.Described(`<domain type="kvm"><uuid>u</uuid><memory unit="GiB">2</memory><vcpu placement="static">3</vcpu>
  <os><type arch="x86_64" machine="pc-q35-7.2">hvm</type><loader readonly="yes" type="pflash">/code.fd</loader></os><cpu mode="host-model"/>
  <devices><disk type="file" device="disk"><source file="/a"/><target dev="vda" bus="virtio"/><serial>abc</serial></disk>
    <disk type="file" device="cdrom"><source file="/b"/><target dev="sda" bus="sata"/><readonly/></disk>
    <disk type="volume"><source pool="p" volume="v"/><target dev="vdz"/><readonly/></disk>
    <interface type="bridge"><mac address="52:54:00:AA:00:01"/><source bridge="br0"/><model type="virtio"/></interface>
    <interface type="network"><mac address="52:54:00:aa:00:02"/><link state="down"/></interface></devices></domain>`)
	require.NoError(t, err)
	require.Equal(t, ingot.Inventory{
		CPU: ingot.InventoryCPU{Model: "host-model", Count: 3, Architecture: "x86_64"}, Memory: ingot.InventoryMemory{Total: 2 << 30, PhysicalMB: 2048},
		SystemVendor: ingot.InventoryVendor{Manufacturer: "QEMU", Product: "pc-q35-7.2", Serial: "u"}, Boot: ingot.InventoryBoot{CurrentMode: "uefi"},
		Disks: []ingot.InventoryDisk{{Name: "/dev/vda", Serial: "abc", Vendor: "QEMU"}},
		Interfaces: []ingot.InventoryInterface{
			{Name: "nic0", MAC: "52:54:00:aa:00:01", HasCarrier: true, Driver: "virtio"},
			{Name: "nic1", MAC: "52:54:00:aa:00:02"},
		},
	}, i)
}
