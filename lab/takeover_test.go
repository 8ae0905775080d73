package lab_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestEndToEndTakeover deploys a QEMU machine with two processes of all roles on one PostgreSQL, each a conductor and a boot
// service on the machine's segment. Whichever commits a step of the deploy gets SIGKILL at once and stays dead until the
// other one has committed the next: the machine comes up from its disk, which was written once.
func TestEndToEndTakeover(t *testing.T) {
	needRack(t, "ssh", "mmdebstrap")
	server := storetest.NewServer(t)
	secret := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(secret, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	image := labImage(t, false)
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS}}, Accel: lab.ProbeKVM(),
		Ingot: &lab.Service{
			Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, false), Images: []string{image.Dir},
			Database: server.SocketURL(), Secret: secret, Beside: 1,
		},
	})
	api := clientOf(t, r)
	alive(t, api, "lab", "lab-1")
	makeAvailable(t, api, r)
	startDeploy(t, api, r, image.QCow2)
	killed := killWhoeverCommits(t, r, api)
	t.Logf("killed %d times: %s", len(killed), strings.Join(killed, ", "))
	require.GreaterOrEqual(t, len(killed), 10)
	requireDeployedOnce(t, api, r, image.Raw)
}

// alive waits until these conductors live.
func alive(t *testing.T, api *client.Client, hostnames ...string) {
	t.Helper()
	for _, name := range hostnames {
		require.Eventually(t, func() bool {
			all, err := api.Resource("conductors").List(t.Context(), nil)
			return err == nil && slices.ContainsFunc(all, func(c map[string]any) bool { return c["hostname"] == name && c["alive"] == true })
		}, time.Minute, 50*time.Millisecond, name)
	}
}

// killWhoeverCommits kills the process that committed another step of the deploy, and starts the one that it had killed
// before, until the deploy has ended. It names process and step.
func killWhoeverCommits(t *testing.T, r *lab.Rack, api *client.Client) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	other := map[string]string{"lab": "lab-1", "lab-1": "lab"}
	var killed []string
	seen, dead := int64(0), ""
	for ctx.Err() == nil {
		event, err := nextDeployEvent(ctx, api, &seen)
		by := fmt.Sprint(event.Data["conductor"])
		switch {
		case err != nil: // the stream broke off, as it does when its process is killed
			time.Sleep(20 * time.Millisecond)
		case event.Type == "operation.ended":
			return killed
		case by == dead: // it had gone on to the next step before the signal came
		case event.Type == "operation.step":
			require.NoError(t, r.KillService(by))
			require.NoError(t, r.StartService(other[by]))
			dead, killed = by, append(killed, fmt.Sprint(by, " after ", event.Data["after"]))
		}
	}
	require.NoError(t, ctx.Err(), "the deploy never ended; killed %v", killed)
	return killed
}
