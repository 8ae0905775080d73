//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// TestPoolsBesideTheFirst: the first pool's space is what is given away; a disk in another one needs room there.
func TestPoolsBesideTheFirst(t *testing.T) {
	d, _ := withSmallPool(t, "3g")
	hosts, host := &hypervisor.Hosts{}, on(d)
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	total := func(pools ...string) int64 {
		host.Pools = nil
		for _, name := range pools {
			host.Pools = append(host.Pools, ingot.StoragePool{Name: name})
		}
		facts, err := hosts.Probe(t.Context(), host, nil)
		require.NoError(t, err)
		for _, problem := range facts.Problems { // it may be waiting for its canary
			require.NotContains(t, problem, "pool")
		}
		return facts.Totals[ingot.DiskGB]
	}
	require.EqualValues(t, 3, total("small", "default"))
	require.Equal(t, total("default"), total("default", "small"))

	n, _, maker := machineOn(t, hosts, host)
	n.DriverInfo["pool"], n.Properties["local_gb"] = "small", 4.0
	err := maker.DefineGuest(t.Context(), nil)
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "pool small has 2 GiB free, and the disk of guest "+n.UUID+" needs 4 more")
	n.Properties["local_gb"] = 1.0
	require.NoError(t, maker.DefineGuest(t.Context(), nil))
	n.Properties["local_gb"] = 4.0
	require.ErrorContains(t, maker.DefineGuest(t.Context(), nil), "needs 3 more")
	n.Properties["local_gb"] = 2.0
	require.NoError(t, maker.DefineGuest(t.Context(), nil))
	require.NoError(t, maker.RemoveGuest(t.Context()))
}
