//go:build cgo && libvirt_dlopen

package serve_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
	"github.com/ingot-metal/ingot/serve"
)

// blow is when a libvirtd is killed: at the first asking of a step, before it, after it, or so long after it began.
type blow struct {
	step   string
	moment string // before, inside, after
	after  time.Duration
}

// blows has libvirtd killed once, at the blow that is set.
type blows struct {
	mu    sync.Mutex
	next  blow
	crash func()
	fell  bool
}

func (b *blows) set(next blow, crash func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next, b.crash, b.fell = next, crash, false
}

func (b *blows) hasFallen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fell
}

func (b *blows) intercept(_ context.Context, _ *conductor.Run, step conductor.Step, do func() (conductor.Progress, error)) (conductor.Progress, error) {
	b.mu.Lock()
	next, crash := b.next, b.crash
	now := crash != nil && step.Name == next.step && !b.fell
	b.fell = b.fell || now
	b.mu.Unlock()
	if !now {
		return do()
	}
	switch next.moment {
	case "before":
		crash()
	case "after":
		defer crash()
	default:
		timer := time.AfterFunc(next.after, crash)
		defer func() { timer.Stop(); crash() }()
	}
	return do()
}

// TestGuestDeployKilledLibvirtd kills the host's libvirtd before, in the middle of and after each step of a guest's deploy
// that speaks to it. Each deploy is of an image of its own: the guest is active, there is one domain and one machine, and
// it runs from a disk over that image.
func TestGuestDeployKilledLibvirtd(t *testing.T) {
	d, data := libvirttest.Start(t), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(data, "images"), 0o700))
	cfg := devConfig(data)
	cfg.Drivers = []string{"fake-hardware", "libvirt"}
	app, err := serve.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	kill := &blows{}
	app.Conductor.Intercept = kill.intercept
	t.Cleanup(running(t, app))
	c := caller{t, app}
	c.makeHost("h", d)
	c.do(201, "POST", "nodes", `{"name": "g", "driver": "libvirt", "parent_node": "`+c.uuid("h")+`", "properties": {"cpus": 1, "memory_mb": 64, "local_gb": 1}}`)
	id := c.uuid("g")
	c.do(201, "POST", "ports", `{"node_uuid": "`+id+`", "address": "52:54:00:00:00:51"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}} {
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb[0]+`"}`)
		c.until("g", map[string]any{"provision_state": verb[1]})
	}
	verb := "active"
	for i, next := range allBlows() {
		name := fmt.Sprintf("%s (%s) %s", next.moment, next.after, next.step)
		text := fmt.Sprintf("hello from round %03d", i)
		disk := bytes.Replace(libvirttest.Hello(), []byte("hello from the image"), []byte(text), 1)
		image := filepath.Join(data, "images", fmt.Sprintf("%d.raw", i))
		require.NoError(t, os.WriteFile(image, disk, 0o600))
		sum := sha256.Sum256(disk)
		c.do(200, "PATCH", "nodes/g", `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_checksum": "`+hex.EncodeToString(sum[:])+`"}}]`)
		kill.set(next, d.Crasher(t))
		c.do(202, "PUT", "nodes/g/states/provision", `{"target": "`+verb+`", "configdrive": {"meta_data": {"hostname": "g"}}}`)
		c.within(2*time.Minute, "g", map[string]any{"provision_state": "active", "power_state": "power on", "maintenance": false})
		require.True(t, kill.hasFallen(), name)
		oneLife(t, d, id, "base-"+hex.EncodeToString(sum[:])+".", name)
		require.Eventually(t, func() bool {
			said, _ := os.ReadFile(filepath.Join(d.Dir, "pool", id+".console.log"))
			return strings.HasSuffix(strings.TrimSpace(string(said)), text)
		}, 30*time.Second, 50*time.Millisecond, "%s: it says %q", name, text)
		verb = "rebuild"
	}
}

// allBlows are of every step of a guest's deploy that asks its host for something.
func allBlows() []blow {
	var all []blow
	for i, step := range []string{"define-guest", "power-off", "guest-disks", "disk-boot", "power-on-instance"} {
		all = append(all, blow{step, "before", 0})
		if step != "power-on-instance" {
			all = append(all, blow{step, "inside", time.Duration(1+i) * time.Millisecond})
		}
	}
	for _, later := range []time.Duration{30, 60} { // the image is sent, the disk is made, the config drive
		all = append(all, blow{"guest-disks", "inside", later * time.Millisecond})
	}
	// Not inside of the machine's start, of which libvirt 9.0 does not always recover: hypervisor's TestKilledAtStart.
	all = append(all, blow{"power-on-instance", "after", 0})
	return all
}

// oneLife holds the host against what it must have: one domain that runs, one process that runs it, and its three files, of
// which the disk is over the base.
func oneLife(t *testing.T, d *libvirttest.Daemon, id, base, when string) {
	t.Helper()
	var conn *libvirt.Connect
	require.Eventually(t, func() bool {
		var err error
		conn, err = libvirt.NewConnect(d.URI())
		return err == nil
	}, time.Minute, 50*time.Millisecond, "%s: libvirtd is back", when)
	defer conn.Close()                                                           //nolint:errcheck // the test's own
	domains, err := conn.ListAllDomains(libvirt.CONNECT_LIST_DOMAINS_PERSISTENT) // a canary may be there
	require.NoError(t, err)
	require.Len(t, domains, 1, when)
	state, reason, err := domains[0].GetState()
	require.NoError(t, err)
	require.Equal(t, libvirt.DOMAIN_RUNNING, state, "%s: %d", when, reason)
	require.Equal(t, 1, d.Emulators(t, "ingot-"+id), when)
	files, err := filepath.Glob(filepath.Join(d.Dir, "pool", id+".*"))
	require.NoError(t, err)
	for i := range files {
		files[i] = strings.TrimPrefix(filepath.Base(files[i]), id)
	}
	require.Equal(t, []string{".config.iso", ".console.log", ".qcow2"}, files, when)
	pool, err := conn.LookupStoragePoolByName("default")
	require.NoError(t, err)
	require.NoError(t, pool.Refresh(0)) // what is in the files
	vol, err := pool.LookupStorageVolByName(id + ".qcow2")
	require.NoError(t, err)
	text, err := vol.GetXMLDesc(0)
	require.NoError(t, err)
	require.Contains(t, text, "/"+base, when)
}
