package hypervisor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// node is a guest of the tests.
func node(change ...func(*ingot.Node)) *ingot.Node {
	n := &ingot.Node{
		UUID: "9a1e0000-0000-4000-8000-000000000001", Name: "vm-7", Driver: "libvirt", ParentNode: "5d0c0000-0000-4000-8000-000000000001",
		Properties: map[string]any{"cpus": 2.0, "memory_mb": 4096.0, "local_gb": "20", "cpu_arch": "x86_64"}, DriverInfo: map[string]any{},
	}
	for _, c := range change {
		c(n)
	}
	return n
}

// host is its compute host.
func host(change ...func(*ingot.Hypervisor)) *ingot.Hypervisor {
	h := &ingot.Hypervisor{
		NodeUUID: "5d0c0000-0000-4000-8000-000000000001", Type: "libvirt", URI: "qemu:///system",
		Pools:    []ingot.StoragePool{{Name: "default", Formats: []string{"qcow2", "raw"}}, {Name: "slow", Formats: []string{"raw"}}},
		Networks: []ingot.GuestNetwork{{PhysicalNetwork: "physnet1", Bridge: "br0", VLAN: true}, {PhysicalNetwork: "lab", LibvirtNetwork: "default"}},
		CPU:      ingot.GuestCPU{Disable: []string{"arch-capabilities"}},
		Facts:    ingot.HostFacts{VirtTypes: []string{"kvm", "qemu"}, LibvirtVersion: "11.0.0", UEFI: true, SecureBoot: true, TPM: true},
	}
	for _, c := range change {
		c(h)
	}
	return h
}

func port(extra map[string]any, network string) ingot.Port {
	return ingot.Port{Address: "52:54:00:00:00:01", PhysicalNetwork: network, Extra: extra}
}

// The whole domain of each sort of guest, to be read by people. INGOT_TEST_UPDATE=1 writes them anew.
func TestDomainGolden(t *testing.T) {
	capable := func(text string) func(*ingot.Node) {
		return func(n *ingot.Node) { n.Properties["capabilities"] = text }
	}
	for name, c := range map[string]struct {
		node  *ingot.Node
		host  *ingot.Hypervisor
		ports []ingot.Port
	}{
		"bios": {node(), host(), []ingot.Port{port(nil, "lab")}},
		"uefi": {node(capable("boot_mode:uefi")), host(), []ingot.Port{port(map[string]any{"vlan": 110.0, "fixed_ips": []any{"10.1.0.7", "10.1.0.8"}}, "physnet1")}},
		"secure": {
			node(capable("boot_mode:uefi,secure_boot:true"), func(n *ingot.Node) { n.DriverInfo["vtpm"] = true }), host(),
			[]ingot.Port{port(map[string]any{"port_security": false}, "physnet1")},
		},
		"shared": {node(), host(func(h *ingot.Hypervisor) { h.Pools[0].Shared = true }), nil},
		"emulated": {
			node(func(n *ingot.Node) { n.DriverInfo["pool"] = "slow" }),
			host(func(h *ingot.Hypervisor) { h.Facts.VirtTypes = nil }), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hypervisor.DomainXML(c.node, c.ports, c.host, "/pool/"+c.node.UUID+".console.log")
			require.NoError(t, err)
			golden := filepath.Join("testdata", name+".xml")
			if os.Getenv("INGOT_TEST_UPDATE") != "" {
				require.NoError(t, os.WriteFile(golden, []byte(got+"\n"), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got+"\n")
		})
	}
}

// What a host cannot give is refused with its name.
func TestShapeRefusals(t *testing.T) {
	properties := func(key string, value any) *ingot.Node {
		return node(func(n *ingot.Node) { n.Properties[key] = value })
	}
	for _, c := range []struct {
		node  *ingot.Node
		ports []ingot.Port
		says  string
	}{
		{properties("cpus", nil), nil, "needs properties cpus"},
		{properties("cpus", 1.5), nil, "properties cpus of a guest is 1.5"},
		{properties("memory_mb", -1.0), nil, "properties memory_mb of a guest is -1"},
		{properties("local_gb", "much"), nil, `properties local_gb of a guest is "much"`},
		{properties("memory_mb", 1e18), nil, "properties memory_mb of a guest is 1e+18"},
		{properties("local_gb", []any{}), nil, "properties local_gb of a guest is []"},
		{properties("cpu_arch", "riscv64"), nil, "cpu_arch riscv64"},
		{properties("capabilities", "boot_mode:coreboot"), nil, `boot_mode "coreboot" of node`},
		{properties("capabilities", "secure_boot:true"), nil, "secure_boot without boot_mode uefi"},
		{node(func(n *ingot.Node) { n.DriverInfo["pool"] = "fast" }), nil, `no pool "fast": it has default, slow`},
		{node(), []ingot.Port{port(nil, "moon")}, `physical network "moon"`},
		{node(), []ingot.Port{port(nil, "")}, `has physnet1, lab, no other`},
		{node(), []ingot.Port{port(map[string]any{"vlan": 4095.0}, "physnet1")}, "give a number from 1 to 4094"},
		{node(), []ingot.Port{port(map[string]any{"vlan": 7.0}, "lab")}, "lab of its host carries no tags"},
		{node(), []ingot.Port{port(map[string]any{"fixed_ips": []any{"10.1.0"}}, "lab")}, "10.1.0, which is no IP address"},
		{node(), []ingot.Port{port(map[string]any{"fixed_ips": []any{"10.1.0.7", "fd00::7"}}, "lab")}, "fd00::7: the filter that holds a port to its addresses (clean-traffic) knows IPv4 alone"},
		{node(), []ingot.Port{port(map[string]any{"fixed_ips": []any{"::ffff:10.1.0.7"}}, "lab")}, "::ffff:10.1.0.7: the filter"},
		{node(), []ingot.Port{port(map[string]any{"fixed_ips": "10.1.0.7"}, "lab")}, "not a list of IP addresses"},
	} {
		_, err := hypervisor.DomainXML(c.node, c.ports, host(), "")
		require.ErrorContains(t, err, c.says)
		require.True(t, ingot.IsFatal(err), "%v", err)
	}
	old := host(func(h *ingot.Hypervisor) { h.Facts = ingot.HostFacts{LibvirtVersion: "9.0.0"} })
	_, err := hypervisor.DomainXML(node(), []ingot.Port{port(map[string]any{"vlan": 7.0}, "physnet1")}, old, "")
	require.ErrorContains(t, err, "libvirt 9.0.0")
	for capabilities, says := range map[string]string{"boot_mode:uefi": "install ovmf", "boot_mode:uefi,secure_boot:true": "install ovmf"} {
		_, err := hypervisor.DomainXML(properties("capabilities", capabilities), nil, old, "")
		require.ErrorContains(t, err, says)
	}
}
