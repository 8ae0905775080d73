//go:build cgo && libvirt_dlopen

package serve_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// BenchmarkGuestLaunch is an allocation to a guest that runs from an image, on a real libvirtd; and the same less what the
// same calls of libvirt take when nobody asks for them through a service. The image is on the host already.
func BenchmarkGuestLaunch(b *testing.B) {
	d, data := libvirttest.Start(b), b.TempDir()
	app := computing(b, data)
	image := filepath.Join(data, "images", "hello.raw")
	require.NoError(b, os.WriteFile(image, libvirttest.Hello(), 0o600))
	sum := sha256.Sum256(libvirttest.Hello())
	checksum := hex.EncodeToString(sum[:])
	enrolled(b, app, `"uri": "`+d.URI()+`", "pools": [{"name": "default"}], "networks": [{"physical_network": "lab", "bridge": "br0"}]`)
	send(b, app, 201, "POST", "flavors", `{"resource_class": "tiny", "resources": {"VCPU": 1, "MEMORY_MB": 32, "DISK_GB": 1}}`)
	launch := func(name string) (id string) {
		send(b, app, 201, "POST", "allocations", `{"name": "`+name+`", "resource_class": "tiny", "extra": {"placement": {"fallback": "only-virtual"}}}`)
		var got struct {
			Node string `json:"node_uuid"`
		}
		require.NoError(b, json.Unmarshal([]byte(reads(b, app, "allocations/"+name, `"state":"active"`)), &got))
		send(b, app, 200, "PATCH", "nodes/"+got.Node, `[{"op": "add", "path": "/instance_info", "value": {"image_source": "file://`+image+`", "image_checksum": "`+checksum+`"}}]`)
		send(b, app, 202, "PUT", "nodes/"+got.Node+"/states/provision", `{"target": "active"}`)
		reads(b, app, "nodes/"+got.Node, `"provision_state":"active"`)
		return got.Node
	}
	vanish := func(id string) { send(b, app, 202, "PUT", "nodes/"+id+"/states/provision", `{"target": "deleted"}`) }
	vanish(launch("first")) // which brings the image
	host := ingot.Hypervisor{NodeUUID: uuid.NewString(), Type: "libvirt", URI: d.URI(), Pools: []ingot.StoragePool{{Name: "default"}}}
	hosts := &hypervisor.Hosts{}
	defer hosts.Close() //nolint:errcheck // the benchmark ends
	ready := ingot.ImageReady{DiskFormat: "raw", ChecksumAlgo: "sha256", Checksum: checksum, Size: 1 << 20, VirtualSize: 1 << 20}
	bare(b, hosts, host, ready) // which connects
	var whole, own time.Duration
	b.ResetTimer()
	for i := range b.N {
		began := time.Now()
		id := launch(fmt.Sprint("a", i))
		whole += time.Since(began)
		vanish(id)
		own += bare(b, hosts, host, ready)
	}
	b.ReportMetric(whole.Seconds()*1000/float64(b.N), "ms/guest")
	b.ReportMetric((whole-own).Seconds()*1000/float64(b.N), "ms-ours/guest")
}

// bare has the driver alone launch a guest, and says how long that took.
func bare(b *testing.B, hosts *hypervisor.Hosts, host ingot.Hypervisor, ready ingot.ImageReady) time.Duration {
	b.Helper()
	n := &ingot.Node{UUID: uuid.NewString(), ParentNode: host.NodeUUID, Properties: map[string]any{"cpus": 1.0, "memory_mb": 32.0, "local_gb": 1.0}}
	m, err := hosts.Guest(n, func(context.Context, string) (ingot.Hypervisor, error) { return host, nil })
	require.NoError(b, err)
	maker, _ := ingot.As[ingot.GuestMaker](m)
	ctx, began := b.Context(), time.Now()
	require.NoError(b, maker.DefineGuest(ctx, nil))
	require.NoError(b, maker.ConfigDrive(ctx, nil))
	require.NoError(b, maker.BlankDisk(ctx))
	err = maker.ImageDisk(ctx, "key", ingot.GuestImage{ImageReady: ready})
	for ; ingot.CodeOf(err) == ingot.Unavailable; err = maker.ImageDisk(ctx, "key", ingot.GuestImage{ImageReady: ready}) {
		time.Sleep(time.Millisecond)
	}
	require.NoError(b, err)
	require.NoError(b, m.SetBootDevice(ctx, ingot.BootSetting{Device: ingot.BootDisk, Persistent: true}))
	require.NoError(b, m.SetPower(ctx, ingot.ActionOn))
	took := time.Since(began)
	require.NoError(b, maker.RemoveGuest(ctx))
	return took
}
