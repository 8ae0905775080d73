//go:build cgo && libvirt_dlopen

package serve_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// server is a compute host with a BMC: a libvirtd that lives while it has power.
type server struct {
	t      *testing.T
	mu     sync.Mutex
	daemon *libvirttest.Daemon
	on     bool
	offs   int
	shared string // the folder of the pool that servers share
	// off is called just before the power goes.
	off func()
}

func (s *server) Power(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on, nil
}

func (s *server) SetPower(_ context.Context, action vbmc.PowerAction, _ vbmc.Boot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch action {
	case vbmc.PowerOff:
		s.off()
		s.daemon.Kill()
		s.on, s.offs = false, s.offs+1
	case vbmc.PowerOn:
		s.daemon.Restart(s.t)
		s.daemon.AddPool(s.t, "shared", s.shared)
		s.on = true
	}
	return nil
}

// computeServer enrols a server with a BMC as a compute host, whose guests are restarted when it is lost.
func (c caller) computeServer(name, shared string) *server {
	c.Helper()
	s := &server{t: c.T, daemon: libvirttest.Start(c.T), on: true, shared: shared, off: func() {}}
	s.daemon.AddPool(c.T, "shared", shared)
	bmc := &vbmc.Server{Machine: s, IPMIListen: "127.0.0.1:0", RedfishListen: "127.0.0.1:0", Username: "admin", Password: "secret", Journal: &vbmc.Log{}}
	require.NoError(c, bmc.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bmc.Run(ctx) }()
	c.Cleanup(func() { cancel(); <-ended })
	_, port, err := net.SplitHostPort(bmc.IPMIAddr())
	require.NoError(c, err)
	c.do(201, "POST", "nodes", `{"driver": "ipmi", "name": "`+name+`", "driver_info": {"ipmi_address": "127.0.0.1", "ipmi_port": `+port+`, "ipmi_username": "admin", "ipmi_password": "secret"}}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"adopt", "active"}} {
		c.do(202, "PUT", "nodes/"+name+"/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until(name, map[string]any{"provision_state": verb[1]})
	}
	c.do(202, "PUT", "nodes/"+name+"/hypervisor", `{"type": "libvirt", "uri": "`+s.daemon.URI()+`", "on_host_failure": "restart",
		"pools": [{"name": "shared", "shared": true}], "networks": [{"physical_network": "lab", "bridge": "br0"}]}`)
	c.host(name, func(shown map[string]any) bool { return shown["state"] == "up" })
	return s
}

// host waits for a compute host to be so.
func (c caller) host(name string, so func(map[string]any) bool) {
	c.Helper()
	text := ""
	require.Eventually(c, func() bool {
		var shown map[string]any
		text = c.do(200, "GET", "nodes/"+name+"/hypervisor", "")
		require.NoError(c, json.Unmarshal([]byte(text), &shown))
		return so(shown)
	}, 90*time.Second, 100*time.Millisecond, "%s: %s", name, lazy{&text})
}

// TestGuestOutlivesItsHost: a guest counts on while it moves to another host; that one dies, is fenced through its BMC
// before anything starts elsewhere, the guest starts again from its disk on the first, and the dead host comes back clean.
func TestGuestOutlivesItsHost(t *testing.T) {
	data, shared := t.TempDir(), libvirttest.SharedDir(t)
	require.NoError(t, os.MkdirAll(filepath.Join(data, "images"), 0o700))
	image := filepath.Join(data, "images", "counting.raw")
	require.NoError(t, os.WriteFile(image, libvirttest.Counting(), 0o600))
	cfg := devConfig(data)
	cfg.Drivers = []string{"ipmi", "libvirt"}
	cfg.Conduct.HostProbe, cfg.Conduct.HostLost = 500*time.Millisecond, time.Second
	c := caller{t, runWith(t, cfg)}
	a, b := c.computeServer("a", shared), c.computeServer("b", shared)
	libvirttest.Link(t, a.daemon, b.daemon)

	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("a")+`", "properties": {"cpus": 1, "memory_mb": 64, "local_gb": 1}}`)
	id := c.uuid("g")
	c.do(201, "POST", "ports", `{"node_uuid": "`+id+`", "address": "52:54:00:00:00:41"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}} {
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("g", map[string]any{"provision_state": verb[1]})
	}
	sum := sha256.Sum256(libvirttest.Counting())
	c.do(200, "PATCH", "nodes/g", `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_checksum": "`+hex.EncodeToString(sum[:])+`"}}]`)
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "active"}`)
	c.until("g", map[string]any{"provision_state": "active", "power_state": "power on"})
	console := filepath.Join(shared, id+".console.log")
	counts := func(more int64) {
		t.Helper()
		from := last(console)
		require.Eventually(t, func() bool { return last(console) > from+more }, 60*time.Second, 50*time.Millisecond, "it counts")
	}
	counts(3)
	before := last(console)
	c.do(400, "PUT", "nodes/g/states/provision", `{"target": "service", "service_steps": [{"interface": "management", "step": "live_migrate", "args": {"destination": "nowhere"}}]}`)
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "service", "service_steps": [{"interface": "management", "step": "live_migrate", "args": {"destination": "b"}}]}`)
	c.until("g", map[string]any{"provision_state": "active", "parent_node": c.uuid("b"), "power_state": "power on"})
	counts(5)
	require.Greater(t, last(console), before, "it did not start again")

	fenced := make(chan int64, 1)
	b.mu.Lock()
	b.off = func() { fenced <- last(console) }
	b.mu.Unlock()
	b.daemon.Kill() // its BMC says that it has power
	c.host("b", func(shown map[string]any) bool { return shown["fence_state"] == "fenced" && shown["state"] == "down" })
	require.Equal(t, 1, b.offs)
	stopped := <-fenced
	require.Eventually(t, func() bool { n := last(console); return n > 0 && n < stopped }, 60*time.Second, 50*time.Millisecond, "it started again")
	c.until("g", map[string]any{"provision_state": "active", "parent_node": c.uuid("a"), "power_state": "power on", "maintenance": false, "fault": nil})
	counts(3)

	c.do(202, "PUT", "nodes/b/states/power", `{"target": "power on"}`)
	c.host("b", func(shown map[string]any) bool { return shown["state"] == "up" && shown["fence_state"] == nil })
	conn, err := libvirt.NewConnect(b.daemon.URI())
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // the test ends
	_, err = conn.LookupDomainByUUIDString(id)
	require.ErrorContains(t, err, "Domain not found", "nothing of it is left there")
	counts(3)
	c.startsAgain("a", a, "g", id)
	counts(3)
	c.do(202, "DELETE", "nodes/a/maintenance", "")
	c.do(202, "PUT", "nodes/g/states/provision", `{"target": "deleted"}`)
	c.until("g", map[string]any{"provision_state": "available"})
}

// startsAgain has a compute host start again: its guest ends before it, and runs when it is back, with the card of a port that
// it got while it was in use.
func (c caller) startsAgain(host string, s *server, guest, id string) {
	c.Helper()
	const card, runs = "52:54:00:00:00:42", `^<domain type='\w+' id='`
	c.do(201, "POST", "ports", `{"node_uuid": "`+id+`", "address": "`+card+`"}`)
	c.do(409, "PUT", "nodes/"+host+"/states/power", `{"target": "rebooting"}`)
	c.do(202, "PUT", "nodes/"+host+"/maintenance", `{"reason": "a new kernel"}`)
	atOff := make(chan string, 1)
	s.mu.Lock()
	s.off = func() { atOff <- domainOn(s.daemon.URI(), id) }
	s.mu.Unlock()
	c.do(202, "PUT", "nodes/"+host+"/states/power", `{"target": "rebooting"}`)
	c.until(host, map[string]any{"target_power_state": nil, "power_state": "power on", "last_error": nil})
	select {
	case domain := <-atOff:
		require.Contains(c, domain, "<domain type=")
		require.NotRegexp(c, runs, domain, "the guest was off before its host")
	default:
		require.FailNow(c, "the host was never off")
	}
	c.until(guest, map[string]any{"power_state": "power on", "target_power_state": nil, "maintenance": false, "fault": nil})
	domain := domainOn(s.daemon.URI(), id)
	require.Regexp(c, runs, domain)
	require.Contains(c, domain, card)
}

// domainOn is a domain as it runs, with its id, or as it is defined where it does not; "" where it cannot be had.
func domainOn(uri, id string) string {
	conn, err := libvirt.NewConnect(uri)
	if err != nil {
		return ""
	}
	defer conn.Close() //nolint:errcheck // it was asked
	d, err := conn.LookupDomainByUUIDString(id)
	if err != nil {
		return ""
	}
	defer d.Free() //nolint:errcheck // it was asked
	text, err := d.GetXMLDesc(0)
	if err != nil {
		return ""
	}
	return text
}

// last is the last whole number that a counting guest said.
func last(console string) int64 {
	said, err := os.ReadFile(console)
	if err != nil {
		return 0
	}
	lines := strings.Split(string(said), "\n")
	for i := len(lines) - 2; i >= 0; i-- {
		if n, err := strconv.ParseInt(lines[i], 16, 64); err == nil && len(lines[i]) == 8 {
			return n
		}
	}
	return 0
}
