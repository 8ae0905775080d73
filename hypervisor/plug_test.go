//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// A guest gets the cards of its ports and nothing else: the ones that it has stay where they are, no disk is made in the
// place of one that is not there, and a guest with snapshots stays as it is.
func TestPortsArePlugged(t *testing.T) {
	d := libvirttest.Start(t)
	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	n, m, maker := machineOn(t, hosts, host)
	plugger, ok := ingot.As[ingot.PortPlugger](m)
	require.True(t, ok)
	ports := []ingot.Port{{Address: "52:54:00:00:0b:05"}}
	require.NoError(t, maker.DefineGuest(ctx, ports))
	defined := domainText(t, d.URI(), n.UUID)
	require.NoError(t, plugger.PlugPorts(ctx, ports))
	require.Equal(t, defined, domainText(t, d.URI(), n.UUID), "it has them")

	card := regexp.MustCompile(`(?s)<mac address='52:54:00:00:0b:05'/>.*?(<address type='pci'[^>]*>)`)
	place := card.FindStringSubmatch(defined)
	require.Len(t, place, 2)
	require.NoError(t, plugger.PlugPorts(ctx, append(ports, ingot.Port{Address: "52:54:00:00:0a:01"}))) // before the other, by its address
	both := domainText(t, d.URI(), n.UUID)
	require.Contains(t, both, "52:54:00:00:0a:01")
	require.Equal(t, place, card.FindStringSubmatch(both))
	require.NoError(t, plugger.PlugPorts(ctx, ports))
	require.Equal(t, defined, domainText(t, d.URI(), n.UUID))
	require.NoError(t, maker.DefineGuest(ctx, append([]ingot.Port{{Address: "52:54:00:00:0a:00"}}, ports...)))
	require.Equal(t, place[1], card.FindStringSubmatch(domainText(t, d.URI(), n.UUID))[1], "made anew, with one more before it")
	require.NoError(t, plugger.PlugPorts(ctx, ports))

	snaps, _ := ingot.As[ingot.Snapshots](m)
	eventually(t, "it is kept", func(context.Context) error { return snaps.CreateSnapshot(ctx, "a", "op/1") })
	require.NoError(t, plugger.PlugPorts(ctx, ports))
	err := plugger.PlugPorts(ctx, nil)
	require.Equal(t, ingot.Unsupported, ingot.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "has 1 snapshot(s)")
	eventually(t, "it is not kept", func(context.Context) error { return snaps.DeleteSnapshot(ctx, "a") })

	disk := filepath.Join(d.Dir, "pool", n.UUID+".qcow2")
	require.FileExists(t, disk)
	require.NoError(t, os.Remove(disk))
	require.NoError(t, plugger.PlugPorts(ctx, nil))
	require.NotContains(t, domainText(t, d.URI(), n.UUID), "<interface")
	require.NoFileExists(t, disk)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(plugger.PlugPorts(ctx, []ingot.Port{{Address: "52:54:00:00:0b:05", PhysicalNetwork: "nowhere"}})))
}
