package erase_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/erase"
	"github.com/ingot-metal/ingot/deploy-agent/internal/steps"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
	"github.com/ingot-metal/ingot/images/disk"
)

type list []ingot.InventoryDisk

func (l list) Disks() []ingot.InventoryDisk { return l }

const size = 16 << 20

// used makes a disk full of data, with a partition table.
func used(t *testing.T, kind string) string {
	t.Helper()
	if _, err := exec.LookPath("sgdisk"); err != nil {
		t.Skip("sgdisk is not installed")
	}
	path := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("secret! "), size/8), 0o644))
	out, err := exec.Command("sgdisk", "-Z", "-n", "1:2048:+4M", "-t", "1:"+kind, path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// run carries out a clean step on the disks.
func run(t *testing.T, disks list, step, node string) (ingot.AgentCommand, *int) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	chooser := &target.Chooser{Disks: disks, Clock: clock.Real{}, Log: log}
	before := 0
	e := &command.Engine{Log: log}
	eraser := &erase.Eraser{Chooser: chooser, Clock: clock.Real{}, Log: log, Before: func() { before++ }}
	e.Add(steps.Commands(chooser, eraser.Steps())...)
	r, err := e.Execute(context.Background(), "clean.execute_clean_step", command.Params{
		"step": json.RawMessage(`{"step":"` + step + `"}`), "node": json.RawMessage(node), "ports": json.RawMessage(`[]`),
	})
	require.NoError(t, err)
	r.Wait(context.Background())
	return r.Command(), &before
}

func holdsSecret(t *testing.T, path string) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, b, size)
	return bytes.Contains(b, []byte("secret!"))
}

func TestMetadata(t *testing.T) {
	for _, step := range []string{"erase_devices_metadata", "erase_devices_express"} {
		path := used(t, "8300")
		got, before := run(t, list{{Name: path, Size: size}}, step, `{"uuid":"u"}`)
		require.Equal(t, ingot.CommandSucceeded, got.Status, "%v", got.Error)
		require.Equal(t, map[string]any{path: "metadata wiped"}, got.Result["clean_result"])
		require.Equal(t, 1, *before)
		f, err := os.Open(path)
		require.NoError(t, err)
		_, err = disk.ReadTable(f)
		require.ErrorIs(t, err, disk.ErrNoTable)
		require.NoError(t, f.Close())
		require.True(t, holdsSecret(t, path), "metadata only: data stays")
	}
}

func TestEverything(t *testing.T) {
	path := used(t, "8300")
	got, _ := run(t, list{{Name: path, Size: size}}, "erase_devices", `{"driver_internal_info":{"disk_erasure_concurrency":4}}`)
	require.Equal(t, ingot.CommandSucceeded, got.Status, "%v", got.Error)
	require.False(t, holdsSecret(t, path))
}

// TestEverythingOnABlockDevice erases a loop device, which like a cheap disk can discard and has no secure erase.
func TestEverythingOnABlockDevice(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("setting a loop device up needs root")
	}
	path := used(t, "8300")
	out, err := exec.Command("losetup", "--find", "--show", path).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device: %s", out)
	}
	loop := strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("losetup", "-d", loop).Run() })
	got, _ := run(t, list{{Name: loop, Size: size}}, "erase_devices", `{}`)
	require.Equal(t, ingot.CommandSucceeded, got.Status, "%v", got.Error)
	require.Equal(t, map[string]any{loop: "overwritten once with zeros"}, got.Result["clean_result"])
	require.False(t, holdsSecret(t, path))

	got, _ = run(t, list{{Name: loop, Size: size}}, "erase_devices", `{"driver_internal_info":{"agent_erase_devices_iterations":0,"agent_erase_devices_zeroize":false}}`)
	require.Equal(t, ingot.CommandFailed, got.Status)
	require.Contains(t, got.Error.Details, "overwriting is disabled")
}

func TestWhatIsNotErased(t *testing.T) {
	for name, c := range map[string]struct {
		kind, step, node string
		readOnly         bool
		fails            string
	}{
		"VMFS":               {kind: "fb00", step: "erase_devices", node: `{}`, fails: "Protected VMFS partition located on device"},
		"VMFS metadata":      {kind: "fb00", step: "erase_devices_metadata", node: `{}`, fails: "Protected VMFS partition located on device"},
		"read-only":          {kind: "8300", step: "erase_devices", node: `{}`, readOnly: true, fails: "flagged read-only"},
		"read-only, skipped": {kind: "8300", step: "erase_devices", node: `{"driver_internal_info":{"agent_erase_skip_read_only":true}}`, readOnly: true},
		"read-only metadata": {kind: "8300", step: "erase_devices_metadata", node: `{}`, readOnly: true},
		"skip list":          {kind: "8300", step: "erase_devices", node: `{"properties":{"skip_block_devices":[{"serial":"keep"}]}}`},
		"misspelt skip list": {kind: "8300", step: "erase_devices", node: `{"properties":{"skip_block_devices":[{"sreial":"keep"}]}}`, fails: "there is no such hint"},
	} {
		t.Run(name, func(t *testing.T) {
			path := used(t, c.kind)
			got, _ := run(t, list{{Name: path, Size: size, Serial: "keep", ReadOnly: c.readOnly}}, c.step, c.node)
			if c.fails == "" {
				require.Equal(t, ingot.CommandSucceeded, got.Status, "%v", got.Error)
			} else {
				require.Equal(t, ingot.CommandFailed, got.Status)
				require.Contains(t, got.Error.Details, c.fails)
			}
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			_, err = disk.ReadTable(f)
			require.NoError(t, err, "nothing was touched")
		})
	}
	path := used(t, "fb00")
	got, _ := run(t, list{{Name: path, Size: size}}, "erase_devices", `{"driver_internal_info":{"wipe_special_filesystems":true}}`)
	require.Equal(t, ingot.CommandSucceeded, got.Status, "the operator may say so")
}
