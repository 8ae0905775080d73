//go:build cgo && libvirt_dlopen

package serve_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const toGuest = `{"target": "service", "service_steps": [{"interface": "management", "step": "to_guest", "args": {"host": "h"}}]}`

// TestGuestFromMetal: the instance of a server, deployed by the real agent with a config drive, goes on as a guest that boots
// its disk, with what was written to it; then the server is cleaned. libvirtd, QEMU, the BMC's protocol and the agent are
// real; the server's disk is a file, twice as large as the guest's.
func TestGuestFromMetal(t *testing.T) {
	c := newCrossing(t, "127.78.0.2:6180")
	metal := c.uuid("m")
	first := c.allocated("first", `{"name": "first", "resource_class": "small"}`)
	require.Equal(t, metal, first.Node)
	c.do(200, "PATCH", "nodes/m", c.info)
	drive := `{"meta_data": {"hostname": "web"}, "network_data": {"links": [{"ethernet_mac_address": "` + c.machine.MAC + `"}]}}`
	c.do(202, "PUT", "nodes/m/states/provision", `{"target": "active", "configdrive": `+drive+`}`)
	c.runs("m", metal)
	want := c.markMetal(c.machine.Disk())

	c.do(202, "PUT", "nodes/m/states/provision", toGuest)
	guest := ""
	require.Eventually(t, func() bool {
		guest = c.allocated("first", "").Node
		return guest != metal
	}, 2*time.Minute, 50*time.Millisecond, "the allocation is the guest's")
	c.until(guest, map[string]any{"provision_state": "active", "power_state": "power on", "instance_uuid": first.UUID, "allocation_uuid": first.UUID, "name": "m"})
	pool := filepath.Join(c.d.Dir, "pool", guest)
	require.Eventually(t, func() bool { return greetings(pool+".console.log") == 1 }, time.Minute, 50*time.Millisecond, "the disk boots")
	said := c.do(200, "GET", "nodes/"+guest+"/history?detail=true", "")
	require.Contains(t, said, "from the metal's stop to the guest's start")
	t.Log(said)

	c.hasDisk(pool+".qcow2", want)
	iso, err := os.ReadFile(pool + ".config.iso")
	require.NoError(t, err)
	require.Contains(t, string(iso), "web")
	require.NotContains(t, string(iso), c.machine.MAC)

	c.until(metal, map[string]any{"provision_state": "available", "power_state": "power off", "instance_uuid": nil, "allocation_uuid": nil})
	wiped, err := os.ReadFile(c.machine.Disk())
	require.NoError(t, err)
	require.Equal(t, make([]byte, 512), wiped[:512], "the server boots no old copy")
	left, err := filepath.Glob(filepath.Join(c.data, "copies", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	volumes, err := filepath.Glob(filepath.Join(c.d.Dir, "pool", "*"))
	require.NoError(t, err)
	for _, v := range volumes {
		require.False(t, strings.Contains(v, "base-") || strings.HasSuffix(v, ".coming"), v)
	}
}

// hasDisk holds a guest's disk against what was on the server's.
func (c caller) hasDisk(path string, want []byte) {
	c.Helper()
	disk := filepath.Join(c.TempDir(), "guest.raw")
	tool(c.T, "qemu-img", "convert", "-U", "-O", "raw", path, disk)
	has, err := os.ReadFile(disk)
	require.NoError(c, err)
	require.Len(c, has, 1<<30)
	require.True(c, bytes.Equal(want[512:], has[512:len(want)]), "what was in the partition")
	require.Equal(c, want[:446+16], has[:446+16], "with what boots it")
	require.Equal(c, make([]byte, 48), has[446+16:510], "without the config drive's partition")
}

// markMetal writes to the disk of a server while it is off, and gives all of it up to the end of its first partition.
func (c caller) markMetal(disk string) []byte {
	c.Helper()
	power := func(target string) {
		c.do(202, "PUT", "nodes/m/states/power", `{"target": "`+target+`"}`)
		c.until("m", map[string]any{"power_state": target, "target_power_state": nil})
	}
	power("power off")
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	require.NoError(c, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0x5a}, 64<<10), 1<<20)
	require.NoError(c, err)
	want := make([]byte, 64*512+2<<20)
	_, err = f.ReadAt(want, 0)
	require.NoError(c, err)
	require.NotEqual(c, make([]byte, 16), want[446+16:446+32], "the config drive has a partition")
	require.NoError(c, f.Close())
	power("power on")
	return want
}
