//go:build cgo && libvirt_dlopen

package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot/serve"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// pretended is a service with one compute host of libvirt's test driver, which enforces nothing, and a flavor "tiny".
func pretended(t testing.TB, app *serve.App, ratio string) {
	t.Helper()
	conn, err := libvirt.NewConnect("test:///default")
	require.NoError(t, err)
	defer conn.Close()                                           //nolint:errcheck // what it was for is done
	if own, err := conn.LookupDomainByName("test"); err == nil { // has more memory than its host, as somebody else's domain
		_ = own.Destroy() // it may be off
		require.NoError(t, own.Free())
	}
	enrolled(t, app, `"uri": "test:///default", "pools": [{"name": "default-pool"}], "networks": [{"physical_network": "lab", "libvirt_network": "default"}], `+ratio)
	send(t, app, 201, "POST", "flavors", `{"resource_class": "tiny", "resources": {"VCPU": 1, "MEMORY_MB": 1, "DISK_GB": 1}}`)
}

// enrolled makes a fake node a compute host with the settings, and waits until it is up.
func enrolled(t testing.TB, app *serve.App, settings string) {
	t.Helper()
	send(t, app, 201, "POST", "nodes", `{"driver": "fake-hardware", "name": "h"}`)
	for _, verb := range [][2]string{{"manage", "manageable"}, {"provide", "available"}, {"active", "active"}} {
		send(t, app, 202, "PUT", "nodes/h/states/provision", `{"target": "`+verb[0]+`"}`)
		reads(t, app, "nodes/h", `"provision_state":"`+verb[1]+`"`)
	}
	send(t, app, 202, "PUT", "nodes/h/hypervisor", `{"type": "libvirt", `+settings+`}`)
	reads(t, app, "nodes/h/hypervisor", `"state":"up"`)
}

// reads waits until the answer has the text, and gives it.
func reads(t testing.TB, app *serve.App, path, text string) (answer string) {
	t.Helper()
	require.Eventually(t, func() bool {
		answer = send(t, app, 200, "GET", path, "")
		return strings.Contains(answer, text)
	}, time.Minute, 2*time.Millisecond, "%s: %s", path, lazy{&answer})
	return answer
}

// send asks the service once.
func send(t testing.TB, app *serve.App, status int, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+app.APIAddress()+"/v1/"+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-OpenStack-Ironic-API-Version", "1.115")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, status, res.StatusCode, "%s %s: %s", method, path, text)
	return strings.ReplaceAll(string(text), `": `, `":`)
}

// TestGuestAllocationsRush: 64 allocations are made at once through the API where 10 guests fit: 10 get one, on both
// databases.
func TestGuestAllocationsRush(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, db store.Config) {
		cfg := devConfig(t.TempDir())
		if db.URL != "" {
			cfg = shared(t, db.URL, "here")
		}
		cfg.Drivers = []string{"fake-hardware", "libvirt"}
		app := runWith(t, cfg)
		pretended(t, app, `"allocation_ratio": {"VCPU": 1}, "reserved": {"VCPU": 6}`) // of 16
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				send(t, app, 201, "POST", "allocations", fmt.Sprintf(`{"name": "a%d", "resource_class": "tiny", "extra": {"placement": {"fallback": "only-virtual"}}}`, i))
			})
		}
		all.Wait()
		counts, why := map[string]int{}, ""
		require.Eventually(t, func() bool {
			var list struct {
				Allocations []struct {
					State string
					Error string `json:"last_error"`
				}
			}
			require.NoError(t, json.Unmarshal([]byte(send(t, app, 200, "GET", "allocations", "")), &list))
			clear(counts)
			for _, a := range list.Allocations {
				counts[a.State]++
				why = a.Error
			}
			return counts["allocating"] == 0
		}, 100*time.Second, 100*time.Millisecond)
		require.Equal(t, map[string]int{"active": 10, "error": 54}, counts, why)
	})
}

// computing is a service with compute hosts, in a benchmark.
func computing(b *testing.B, data string) *serve.App {
	b.Helper()
	cfg := devConfig(data)
	cfg.Drivers = []string{"fake-hardware", "libvirt"}
	app, err := serve.New(b.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	b.Cleanup(func() { stop(); require.NoError(b, <-ended) })
	return app
}

// BenchmarkGuests is allocations to guests that are there, of libvirt's test driver, which takes no time: all of it is ours.
func BenchmarkGuests(b *testing.B) {
	app := computing(b, b.TempDir())
	pretended(b, app, `"allocation_ratio": {"VCPU": 1000, "MEMORY_MB": 1000, "DISK_GB": 1000}`)
	before, used := resident(b), processor(b)
	b.ResetTimer()
	for i := range b.N {
		send(b, app, 201, "POST", "allocations", fmt.Sprintf(`{"name": "a%d", "resource_class": "tiny", "extra": {"placement": {"fallback": "only-virtual"}}}`, i))
	}
	active := 0
	for ; active < b.N; time.Sleep(50 * time.Millisecond) { // each look lists all of them
		var list struct{ Allocations []struct{ State string } }
		require.NoError(b, json.Unmarshal([]byte(send(b, app, 200, "GET", "allocations?fields=state&limit=1000", "")), &list))
		active = 0
		for _, a := range list.Allocations {
			require.NotEqual(b, "error", a.State)
			if a.State == "active" {
				active++
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "guests/s")
	b.ReportMetric((processor(b)-used).Seconds()*1000/float64(b.N), "cpu-ms/guest")
	b.ReportMetric((resident(b)-before)*1e3/float64(b.N), "kB/guest")
}
