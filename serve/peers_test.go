package serve_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestMachinesAreAskedByTheirConductor: a process with the API alone, which knows no driver of the node, answers what only
// the conductor can say, over a connection that nobody opens without the secret.
func TestMachinesAreAskedByTheirConductor(t *testing.T) {
	url := storetest.PostgresConfig(t).URL
	work := runWith(t, shared(t, url, "work", "api", "conductor", "pxe"))
	front := shared(t, url, "front", "api")
	front.Drivers = []string{"ipmi"}
	at, here := caller{t, runWith(t, front)}, caller{t, work}
	here.do(201, "POST", "nodes", `{"name": "f", "driver": "fake-hardware"}`)
	const device = "nodes/f/management/boot_device"
	at.do(204, "PUT", device, `{"boot_device": "cdrom", "persistent": true}`)
	require.JSONEq(t, `{"boot_device": "cdrom", "persistent": true}`, here.do(200, "GET", device, ""), "fake machines live in their conductor")
	require.JSONEq(t, `{"boot_device": "cdrom", "persistent": true}`, at.do(200, "GET", device, ""))
	require.Contains(t, at.do(200, "GET", "nodes/f/sensors", ""), "sensors")

	all, err := work.Store.Conductors(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	for name, config := range map[string]*tls.Config{
		"no certificate":          {InsecureSkipVerify: true},
		"that of another secret":  serve.PeerTLS(t, []byte("another secret's thirty-two byte")),
		"a server's of another's": serve.PeerTLS(t, []byte("somebody else's thirty-two bytes")),
	} {
		t.Run(name, func(t *testing.T) {
			client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
			_, err := client.Get("https://" + all[0].Address + "/v1/nodes") //nolint:bodyclose,noctx // there is none
			require.Error(t, err)
		})
	}
}

// TestNobodyToAsk: a process whose conductor says nowhere where it is speaks to machines itself, as one that is a conductor.
func TestNobodyToAsk(t *testing.T) {
	url := storetest.PostgresConfig(t).URL
	behind := shared(t, url, "work", "conductor", "pxe")
	behind.Peers.Listen = "off"
	runWith(t, behind)
	at := caller{t, runWith(t, shared(t, url, "front", "api"))}
	at.do(201, "POST", "nodes", `{"name": "f", "driver": "fake-hardware"}`)
	at.do(204, "PUT", "nodes/f/management/boot_device", `{"boot_device": "pxe"}`)
}
