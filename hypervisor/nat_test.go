//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestNATNetwork has a guest on a libvirt network with NAT boot from a server that is beyond the host: what comes there is
// from the host.
func TestNATNetwork(t *testing.T) {
	d, beyond := libvirttest.Start(t), libvirttest.Start(t)
	libvirttest.Link(t, d, beyond)
	callers := make(chan string, 10)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, _, _ := net.SplitHostPort(r.RemoteAddr)
		callers <- caller
		_, _ = w.Write([]byte("#!ipxe\necho hello from beyond\nsleep 600\n"))
	})}
	listener := beyond.Listen(t, beyond.Address()+":80")
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	d.AddNetwork(t, `<network><name>inside</name><forward mode='nat'/><bridge name='virbr7'/><ip address='192.168.77.1' netmask='255.255.255.0'>
		<dhcp><range start='192.168.77.10' end='192.168.77.20'/><bootp file='http://`+beyond.Address()+`/script'/></dhcp></ip></network>`)

	host, hosts, ctx := on(d), &hypervisor.Hosts{}, t.Context()
	t.Cleanup(func() { require.NoError(t, hosts.Close()) })
	host.Networks = []ingot.GuestNetwork{{PhysicalNetwork: "inside", LibvirtNetwork: "inside"}}
	n, m, maker := machineOn(t, hosts, host)
	require.NoError(t, maker.DefineGuest(ctx, []ingot.Port{{Address: "52:54:00:00:00:77", PhysicalNetwork: "inside"}}), "guest %s", n.UUID)
	require.NoError(t, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootPXE, Persistent: true}))
	require.NoError(t, m.SetPower(ctx, ingot.ActionOn))
	select {
	case caller := <-callers:
		require.Equal(t, d.Address(), caller)
	case <-time.After(2 * time.Minute):
		require.FailNow(t, "nothing came from the guest")
	}
}
