package lab_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/lab"
)

// TestServiceKilledAfterEveryCommit deploys a QEMU machine while the service gets SIGKILL after every step that the
// operation commits, and is started again: the machine comes up from its disk, which was written once.
func TestServiceKilledAfterEveryCommit(t *testing.T) {
	needRack(t, "ssh", "mmdebstrap")
	image := labImage(t, false)
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS}}, Accel: lab.ProbeKVM(),
		Ingot: &lab.Service{Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, false), Images: []string{image.Dir}},
	})
	api := clientOf(t, r)
	require.Eventually(t, func() bool { return api.Ready(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
	makeAvailable(t, api, r)
	startDeploy(t, api, r, image.QCow2)
	killed := killAfterEveryStep(t, r, api)
	t.Logf("killed after %d commits: %s", len(killed), strings.Join(killed, ", "))
	require.GreaterOrEqual(t, len(killed), 12)
	requireDeployedOnce(t, api, r, image.Raw)
}

// clientOf is a client of the rack's service; when the test fails, it shows what is known of the node.
func clientOf(t *testing.T, r *lab.Rack) *client.Client {
	t.Helper()
	api := &client.Client{BaseURL: r.APIURL()}
	t.Cleanup(func() {
		if t.Failed() {
			r.Report(context.WithoutCancel(t.Context()), t.Output(), api, "node-0")
		}
	})
	return api
}

// requireDeployedOnce waits for the deploy's end: the machine runs the image, which was written once.
func requireDeployedOnce(t *testing.T, api *client.Client, r *lab.Rack, image string) {
	t.Helper()
	node, err := api.WaitState(t.Context(), "node-0", ingot.Active, ingot.DeployFailed)
	require.NoError(t, err)
	require.Equal(t, ingot.Active, node.ProvisionState, node.LastError)
	requireInstance(t, r)
	require.Equal(t, 1, writesBegun(t, r), "agents were told to write")
	requireImageOnDisk(t, r, image)
}

// makeAvailable enrols the rack's node without inspection and cleaning.
func makeAvailable(t *testing.T, api *client.Client, r *lab.Rack) {
	t.Helper()
	spec, err := r.Spec("node-0")
	require.NoError(t, err)
	info, err := r.DriverInfo("node-0", "ipmi")
	require.NoError(t, err)
	node, err := api.CreateNode(t.Context(), map[string]any{
		"name": "node-0", "driver": "ipmi", "driver_info": info, "automated_clean": false,
		"properties": map[string]any{"capabilities": "boot_mode:" + string(spec.Firmware)},
	})
	require.NoError(t, err)
	_, err = api.CreatePort(t.Context(), node.UUID, spec.MAC)
	require.NoError(t, err)
	require.NoError(t, api.SetProvision(t.Context(), "node-0", client.Provision{Target: ingot.VerbManage}))
	_, err = api.WaitState(t.Context(), "node-0", ingot.Manageable)
	require.NoError(t, err)
	require.NoError(t, api.SetProvision(t.Context(), "node-0", client.Provision{Target: ingot.VerbProvide}))
	_, err = api.WaitState(t.Context(), "node-0", ingot.Available)
	require.NoError(t, err)
}

// startDeploy asks for the image at path with a config drive.
func startDeploy(t *testing.T, api *client.Client, r *lab.Rack, path string) {
	t.Helper()
	key, err := r.PublicKey()
	require.NoError(t, err)
	sum, err := lab.Checksum(path)
	require.NoError(t, err)
	_, err = api.PatchNode(t.Context(), "node-0", client.Set("/instance_info/image_source", "file://"+path),
		client.Set("/instance_info/image_os_hash_algo", "sha512"), client.Set("/instance_info/image_os_hash_value", sum))
	require.NoError(t, err)
	drive := map[string]any{"meta_data": map[string]any{
		"uuid": "instance-of-" + r.Name, "hostname": hostName, "public_keys": map[string]string{"lab": strings.TrimSpace(key)},
	}}
	require.NoError(t, api.SetProvision(t.Context(), "node-0", client.Provision{Target: ingot.VerbActive, ConfigDrive: drive}))
}

// killAfterEveryStep kills and starts the service whenever the deploy committed another step, until it has ended, and
// names those steps.
func killAfterEveryStep(t *testing.T, r *lab.Rack, api *client.Client) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	var killed []string
	seen := int64(0)
	for ctx.Err() == nil {
		event, err := nextDeployEvent(ctx, api, &seen)
		switch {
		case err != nil: // the stream broke off, as it does when the service is killed
			time.Sleep(20 * time.Millisecond)
		case event.Type == "operation.ended":
			return killed
		case event.Type == "operation.step":
			killed = append(killed, fmt.Sprint(event.Data["after"]))
			require.NoError(t, r.KillService("lab"))
			require.NoError(t, r.StartService("lab"))
		}
	}
	require.NoError(t, ctx.Err(), "the deploy never ended; killed after %v", killed)
	return killed
}

// nextDeployEvent is the next event of a deploy after seen, which it moves on.
func nextDeployEvent(ctx context.Context, api *client.Client, seen *int64) (ingot.Event, error) {
	for event, err := range api.Events(ctx, client.EventQuery{After: seen, Types: []string{"operation.step", "operation.ended"}}) {
		if err != nil {
			return event, err
		}
		*seen = event.ID
		if event.Data["kind"] == string(ingot.KindDeploy) {
			return event, nil
		}
	}
	return ingot.Event{}, ctx.Err()
}

// writesBegun counts how often agents said that they begin to write an image.
func writesBegun(t *testing.T, r *lab.Rack) int {
	t.Helper()
	logs, err := r.SerialLogs("node-0")
	require.NoError(t, err)
	writes := 0
	for _, file := range logs {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		writes += len(imageWrites.FindAll(text, -1))
	}
	return writes
}
