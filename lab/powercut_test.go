package lab_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// TestEndToEndPowerCut takes the power from a machine while its agent writes the disk: the deploy begins again, and the
// machine comes up.
func TestEndToEndPowerCut(t *testing.T) {
	if os.Getenv("INGOT_E2E") != "all" {
		t.Skip("takes minutes: INGOT_E2E=all, or make e2e")
	}
	needRack(t, "ssh", "baremetal", "mmdebstrap")
	image := labImage(t, false)
	r := runs(t, &lab.Rack{
		Name: rackName(t), Dir: t.TempDir(), Nodes: []lab.NodeSpec{{Firmware: ingot.ModeBIOS}}, Accel: lab.ProbeKVM(),
		Ingot: &lab.Service{Program: []string{os.Args[0]}, Listen: "127.0.0.1:0", Ramdisk: labRamdisk(t, false), Images: []string{image.Dir}},
	})
	b := newBaremetal(t, r)
	enrol(t, b, r, "ipmi")
	b.do("node", "set", "node-0", "--no-automated-clean", "--property", "capabilities=boot_mode:bios")
	b.do("node", "provide", "node-0", "--wait", "60")
	cut := make(chan error, 1)
	go func() { cut <- cutPowerDuringWrite(t.Context(), r) }()
	deploy(t, b, r, image.Raw)
	require.NoError(t, <-cut)
	requireInstance(t, r)
	requireImageOnDisk(t, r, image.Raw)

	journal, err := r.Journal("node-0")
	require.NoError(t, err)
	starts := journal.Find(vbmc.ProtocolMachine, vbmc.VerbStart)
	require.Len(t, starts, 3, "two ramdisks and the disk: %v", starts)
	logs, err := r.SerialLogs("node-0")
	require.NoError(t, err)
	for _, file := range logs[:2] {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Len(t, imageWrites.FindAll(text, -1), 1, "each attempt wrote once")
	}
	require.Contains(t, string(b.do("node", "history", "list", "node-0", "-f", "json")), "lost power", "the history says why it began again")
}

// cutPowerDuringWrite waits for the first words about written bytes and kills the machine's process.
func cutPowerDuringWrite(ctx context.Context, r *lab.Rack) error {
	api := &client.Client{BaseURL: r.APIURL()}
	for e, err := range api.Events(ctx, client.EventQuery{Node: "node-0", Types: []string{"node.progress"}}) {
		if err != nil {
			return err
		}
		if done, _ := e.Data["done"].(float64); done == 0 || !strings.Contains(ingot.Text(e.Data, "phase"), "write") {
			continue
		}
		record, err := lab.ReadRecord(r.Name)
		if err != nil {
			return err
		}
		for _, p := range record.Processes {
			if p.Role == "node-0" {
				return syscall.Kill(p.PID, syscall.SIGKILL)
			}
		}
	}
	return ctx.Err()
}
