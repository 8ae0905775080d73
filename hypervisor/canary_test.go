//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

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

// Until the canary of a process has been heard, what is known of the host holds; one that is new, or that has changed, is in
// trouble until then.
func TestCanaryThatIsNotHeardYet(t *testing.T) {
	host := on(libvirttest.Start(t))
	conn, err := libvirt.NewConnect(host.URI)
	require.NoError(t, err)
	says, err := conn.GetCapabilities()
	require.NoError(t, err)
	_, err = conn.Close()
	require.NoError(t, err)
	if !strings.Contains(says, "<domain type='kvm'") {
		t.Skip("libvirt says of this machine that it has no KVM: a host without has no canary to wait for")
	}
	probe := func(hosts *hypervisor.Hosts, known *ingot.HostFacts) ingot.HostFacts {
		t.Helper()
		h := host
		if known != nil {
			h.Facts = *known
		}
		facts, err := hosts.Probe(t.Context(), h, nil)
		require.NoError(t, err)
		return facts
	}
	one := func() *hypervisor.Hosts {
		hosts := &hypervisor.Hosts{}
		t.Cleanup(func() { require.NoError(t, hosts.Close()) })
		return hosts
	}
	hosts := one()
	fresh := probe(hosts, nil)
	require.Equal(t, []string{"a canary guest has yet to show whether its KVM runs one"}, fresh.Problems)
	require.Equal(t, []string{"qemu"}, fresh.VirtTypes)
	var heard ingot.HostFacts
	soon(t, "it is heard", func() bool { heard = probe(hosts, &fresh); return len(heard.Problems) == 0 })
	require.Equal(t, fresh, probe(one(), &fresh), "what was not known then is not known to the next process")
	for _, types := range [][]string{{"kvm", "qemu"}, {"qemu"}} { // whatever it was
		known := heard
		known.VirtTypes = types
		require.Equal(t, known, probe(one(), &known))
	}
	older := heard
	older.HypervisorVersion = "7.1.0"
	require.Equal(t, fresh.Problems, probe(one(), &older).Problems)
}
