//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// A canary comes back where machines run, and what was said of KVM is what a canary under it says.
func TestCanary(t *testing.T) {
	host, hosts := on(libvirttest.Start(t)), &hypervisor.Hosts{}
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	lives, err := hosts.Canary(t.Context(), "qemu", &host)
	require.NoError(t, err)
	require.True(t, lives, "emulation runs everything")

	lives, err = hosts.Canary(t.Context(), "kvm", &host)
	kvm := err == nil && lives
	t.Logf("kvm: %v, %v", lives, err)
	soon(t, "the probe knows", func() bool {
		var facts ingot.HostFacts
		facts, err = hosts.Probe(t.Context(), host, nil)
		require.NoError(t, err)
		require.Contains(t, facts.VirtTypes, "qemu")
		require.Empty(t, facts.Unmanaged, "a canary is no guest of anybody's")
		return (facts.VirtTypes[0] == "kvm") == kvm
	})
}
