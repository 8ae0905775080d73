package lab_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab"
)

func TestChecksum(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(file, []byte("abc"), 0o600))
	sum, err := lab.Checksum(file)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(sum, "ddaf35a193617abacc417349ae204131"), "FIPS 180-2, C.1")
	_, err = lab.Checksum(file + "x")
	require.ErrorContains(t, err, "cannot sum the image")
}

// TestProbeKVM holds the probe against QEMU: what it calls usable has to run a machine.
func TestProbeKVM(t *testing.T) {
	t.Parallel()
	if lab.ProbeKVM() == lab.TCG {
		return // slower, and always right
	}
	needRack(t, "ipmitool")
	r := runs(t, &lab.Rack{Name: rackName(t), Dir: t.TempDir(), Accel: lab.KVM, Nodes: []lab.NodeSpec{{Firmware: "uefi", DiskMiB: 8, MemoryMiB: 256}}})
	ipmitool(t, r, "power", "on")
	require.Eventually(t, func() bool {
		logs, err := r.SerialLogs("")
		require.NoError(t, err)
		text, err := os.ReadFile(logs[0])
		return err == nil && bytes.Contains(text, []byte("BdsDxe"))
	}, time.Minute, 50*time.Millisecond)
}
