//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// What a host has not is told with what it has; a bridge that nobody could look for is named when a guest is to be plugged in.
func TestUnknownPlaces(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	host.Networks = []ingot.GuestNetwork{{PhysicalNetwork: "lab", Bridge: "br9"}, {PhysicalNetwork: "moon", LibvirtNetwork: "moon"}}
	_, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, []ingot.Port{{Address: "52:54:00:00:00:29", PhysicalNetwork: "lab"}}))
	require.ErrorContains(t, m.SetPower(ctx, ingot.ActionOn), "'br9'")
	require.NoError(t, maker.RemoveGuest(ctx))

	host.Pools = []ingot.StoragePool{{Name: "fast"}}
	facts, err := hosts.Probe(ctx, host, nil)
	require.NoError(t, err)
	require.Subset(t, facts.Problems, []string{
		`it has no storage pool "fast"; it has: default`, `it has no bridge "br9"; it has: br0`, `it has no libvirt network "moon"; it has: none`,
	})
}
