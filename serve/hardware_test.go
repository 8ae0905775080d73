package serve_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab/vbmc"
	"github.com/ingot-metal/ingot/serve"
)

// caller speaks to a service of the test's as the newest client does.
type caller struct {
	*testing.T
	app *serve.App
}

// do asks and wants the status; it gives the answer's body.
func (c caller) do(status int, method, path, body string) string {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, "http://"+c.app.APIAddress()+"/v1/"+path, strings.NewReader(body))
	require.NoError(c, err)
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.115")
	res, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(c, err)
	require.Equal(c, status, res.StatusCode, "%s %s: %s", method, path, text)
	return string(text)
}

// until waits until the node's fields are so.
func (c caller) until(node string, want map[string]any) {
	c.Helper()
	c.within(time.Minute, node, want)
}

// within is until for what may take longer.
func (c caller) within(patience time.Duration, node string, want map[string]any) {
	c.Helper()
	require.EventuallyWithT(c, func(t *assert.CollectT) {
		var shown map[string]any
		require.NoError(t, json.Unmarshal([]byte(c.do(200, "GET", "nodes/"+node, "")), &shown))
		for field, v := range want {
			require.Equal(t, v, shown[field], "%s; last error %v; %v", field, shown["last_error"], shown["maintenance_reason"])
		}
		require.Nil(t, shown["last_error"])
	}, patience, 10*time.Millisecond)
}

// TestFakeHardwareHasEveryInterface uses each interface of a fake node once, over HTTP, as it comes.
func TestFakeHardwareHasEveryInterface(t *testing.T) {
	c := caller{t, run(t, t.TempDir())}
	c.do(201, "POST", "nodes", `{"driver": "fake-hardware", "name": "f"}`)
	var verdicts map[string]struct{ Result bool }
	require.NoError(t, json.Unmarshal([]byte(c.do(200, "GET", "nodes/f/validate", "")), &verdicts))
	require.Len(t, verdicts, 12, "all but vendor")
	for kind, v := range verdicts {
		require.True(t, v.Result, kind)
	}
	c.do(202, "PUT", "nodes/f/states/provision", `{"target": "manage"}`)
	c.until("f", map[string]any{"provision_state": "manageable", "boot_mode": "uefi", "secure_boot": false})
	require.Contains(t, c.do(200, "GET", "nodes/f/bios", ""), `"TurboMode"`)
	require.Contains(t, c.do(200, "GET", "nodes/f/firmware", ""), `"bmc"`)

	c.do(202, "PUT", "nodes/f/states/boot_mode", `{"target": "bios"}`)
	c.until("f", map[string]any{"boot_mode": "bios"})
	c.do(202, "PUT", "nodes/f/states/secure_boot", `{"target": true}`)
	c.until("f", map[string]any{"secure_boot": true})
	c.do(202, "PUT", "nodes/f/states/console", `{"enabled": true}`)
	c.until("f", map[string]any{"console_enabled": true})
	c.do(204, "POST", "nodes/f/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a.iso"}`)
	require.Eventually(t, func() bool { return strings.Contains(c.do(200, "GET", "nodes/f/vmedia", ""), `"http://x/a.iso"`) }, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return c.live("f") == 0 }, 20*time.Second, 10*time.Millisecond)
	c.do(204, "PUT", "nodes/f/management/indicators/led@system", `{"state": "off"}`)
	require.JSONEq(t, `{"state": "off"}`, c.do(200, "GET", "nodes/f/management/indicators/led@system", ""))
	require.Equal(t, "true", c.do(200, "POST", "nodes/f/vendor_passthru?method=third_method_sync", `{"bar": "meow"}`))

	c.do(204, "PUT", "nodes/f/states/raid", `{"logical_disks": [{"raid_level": "1", "size_gb": 10}]}`)
	c.do(202, "PUT", "nodes/f/states/provision", `{"target": "clean", "clean_steps": [{"interface": "raid", "step": "create_configuration"},
		{"interface": "bios", "step": "apply_configuration", "args": {"settings": [{"name": "TurboMode", "value": "Disabled"}]}}]}`)
	c.until("f", map[string]any{"provision_state": "manageable"})
	require.Contains(t, c.do(200, "GET", "nodes/f/bios/TurboMode", ""), `"value":"Disabled"`)
	require.Contains(t, c.do(200, "GET", "nodes/f", ""), `"raid_config":{"last_updated"`)
}

// behind is a machine behind a virtual BMC, with a virtual drive.
type behind struct {
	mu    sync.Mutex
	image string
}

func (b *behind) Power(context.Context) (bool, error)                         { return false, nil }
func (b *behind) SetPower(context.Context, vbmc.PowerAction, vbmc.Boot) error { return nil }

func (b *behind) LoadMedia(_ context.Context, image string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.image = image
	return nil
}

func (b *behind) inserted() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.image
}

// TestRedfishHardware does to a machine behind a Redfish BMC what the API has for it.
func TestRedfishHardware(t *testing.T) {
	machine := &behind{}
	server := &vbmc.Server{Machine: machine, RedfishListen: "127.0.0.1:0", Username: "admin", Password: "secret"}
	require.NoError(t, server.Listen())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })

	c := caller{t, run(t, t.TempDir())}
	info := `{"redfish_address": "` + server.RedfishURL() + `", "redfish_username": "admin", "redfish_password": "secret"}`
	c.do(201, "POST", "nodes", `{"driver": "redfish", "name": "r", "driver_info": `+info+`}`)
	c.do(202, "PUT", "nodes/r/states/provision", `{"target": "manage"}`)
	c.until("r", map[string]any{"provision_state": "manageable", "boot_mode": "uefi", "secure_boot": false})
	require.Contains(t, c.do(200, "GET", "nodes/r/bios/MemoryChannels", ""), `"upper_bound":8`)
	require.Contains(t, c.do(200, "GET", "nodes/r/firmware", ""), `"2.4.1"`)
	c.do(202, "PUT", "nodes/r/states/secure_boot", `{"target": true}`)
	c.until("r", map[string]any{"secure_boot": true})
	c.do(202, "PUT", "nodes/r/states/boot_mode", `{"target": "bios"}`)
	c.until("r", map[string]any{"boot_mode": "bios"})

	c.do(204, "POST", "nodes/r/vmedia", `{"device_type": "cdrom", "image_url": "http://x/a.iso"}`)
	require.Eventually(t, func() bool { return machine.inserted() == "http://x/a.iso" }, 20*time.Second, 10*time.Millisecond)
	require.JSONEq(t, `[{"media_types": ["CD", "DVD"], "inserted": true, "image": "http://x/a.iso"}]`, c.do(200, "GET", "nodes/r/vmedia", ""))
	require.Eventually(t, func() bool { return c.live("r") == 0 }, 20*time.Second, 10*time.Millisecond)
	c.do(202, "POST", "nodes/r/vendor_passthru?method=eject_vmedia", `{"boot_device": "cd"}`)
	require.Eventually(t, func() bool { return machine.inserted() == "" }, 20*time.Second, 10*time.Millisecond)

	require.Contains(t, c.do(400, "PUT", "nodes/r/states/console", `{"enabled": true}`), "Driver redfish does not support console (disabled or not implemented).")
	require.Contains(t, c.do(404, "PUT", "nodes/r/states/raid", `{"logical_disks": [{"raid_level": "1", "size_gb": 10}]}`), "Driver redfish does not support raid")
}

// live counts a node's operations that have yet to end.
func (c caller) live(node string) int {
	c.Helper()
	var shown struct{ Operations []struct{ Outcome string } }
	require.NoError(c, json.Unmarshal([]byte(c.do(200, "GET", "nodes/"+node+"/operations", "")), &shown))
	n := 0
	for _, o := range shown.Operations {
		if o.Outcome == "" {
			n++
		}
	}
	return n
}
