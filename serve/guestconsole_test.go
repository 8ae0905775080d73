//go:build cgo && libvirt_dlopen

package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestGuestConsoleThroughAnotherProcess: somebody sits at the console of a guest by way of a process that has the API
// alone and speaks to no compute host; another who comes is refused, or takes it over.
func TestGuestConsoleThroughAnotherProcess(t *testing.T) {
	d, url := libvirttest.Start(t), storetest.PostgresConfig(t).URL
	behind := shared(t, url, "work", "api", "conductor", "pxe")
	behind.Drivers = []string{"fake-hardware", "libvirt"}
	require.NoError(t, os.MkdirAll(filepath.Join(behind.Data, "images"), 0o700))
	image := filepath.Join(behind.Data, "images", "hello.raw")
	require.NoError(t, os.WriteFile(image, libvirttest.Hello(), 0o600))
	c := caller{t, runWith(t, behind)}
	c.makeHost("h", d)
	sum := sha256.Sum256(libvirttest.Hello())
	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "properties": {"cpus": 1, "memory_mb": 64, "local_gb": 1},
		"instance_info": {"image_source": "file://`+image+`", "image_checksum": "`+hex.EncodeToString(sum[:])+`"}}`)
	c.do(201, "POST", "ports", `{"node_uuid": "`+c.uuid("g")+`", "address": "52:54:00:00:00:31"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}} {
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("g", map[string]any{"provision_state": verb[1]})
	}
	c.do(202, "PUT", "nodes/g/states/console", `{"enabled": true}`)
	c.until("g", map[string]any{"console_enabled": true})

	front := shared(t, url, "front", "api")
	front.Drivers = []string{"ipmi"}
	at := caller{t, runWith(t, front)}
	require.Contains(t, at.do(200, "GET", "nodes/g/states/console", ""), "ws://"+at.app.APIAddress()+"/v1/nodes/")
	require.Eventually(t, func() bool {
		return bytes.Contains([]byte(at.do(200, "GET", "nodes/g/console/log", "")), []byte("hello from the image"))
	}, time.Minute, 100*time.Millisecond, "the log comes through")
	first := at.sit("")
	types(t, first, "a")
	_, res, err := at.join("")
	require.Error(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusConflict, res.StatusCode, "somebody is there")
	second := at.sit("?force=true")
	types(t, second, "b")
	require.NoError(t, second.Close(websocket.StatusNormalClosure, ""))
}

// sit joins the console of guest g.
func (c caller) sit(query string) *websocket.Conn {
	c.Helper()
	person, _, err := c.join(query) //nolint:bodyclose // the socket's
	require.NoError(c, err)
	c.Cleanup(func() { _ = person.CloseNow() })
	return person
}

func (c caller) join(query string) (*websocket.Conn, *http.Response, error) {
	return websocket.Dial(c.Context(), "ws://"+c.app.APIAddress()+"/v1/nodes/g/console/serial"+query, &websocket.DialOptions{HTTPHeader: http.Header{"X-Openstack-Ironic-Api-Version": {"latest"}}})
}

// types presses a key, and waits until the guest says it again.
func types(t *testing.T, person *websocket.Conn, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, person.Write(ctx, websocket.MessageBinary, []byte(key)))
	for {
		_, said, err := person.Read(ctx)
		require.NoError(t, err)
		if bytes.Contains(said, []byte(key)) {
			return
		}
	}
}
