package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/disk"
)

// tools skips the test when a program is missing.
func tools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

func shell(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}

// osImage makes a whole-disk image of 80 MiB: GPT, an EFI system partition as Debian's shim leaves it, and a partition
// full of text. It gives raw and qcow2.
func osImage(t *testing.T) (raw, qcow2 []byte) {
	t.Helper()
	tools(t, "sgdisk", "mformat", "mcopy", "mmd", "qemu-img")
	dir := t.TempDir()
	path := filepath.Join(dir, "os.raw")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.Truncate(path, 80<<20))
	shell(t, "sgdisk", "-n", "1:2048:+40M", "-t", "1:ef00", "-u", "1:11111111-2222-3333-4444-555555555555", "-n", "2:0:0", "-t", "2:8300", path)
	esp := path + "@@1M"
	shell(t, "mformat", "-i", esp, "-T", "81920", "-h", "64", "-s", "32", "::")
	shell(t, "mmd", "-i", esp, "::/EFI", "::/EFI/debian", "::/EFI/BOOT")
	put := func(name string, content []byte) {
		file := filepath.Join(dir, "content")
		require.NoError(t, os.WriteFile(file, content, 0o644))
		shell(t, "mcopy", "-i", esp, file, "::"+name)
	}
	put("/EFI/debian/shimx64.efi", []byte("MZ shim"))
	put("/EFI/debian/grubx64.efi", []byte("MZ grub"))
	put("/EFI/BOOT/BOOTX64.EFI", []byte("MZ shim"))
	var csv []byte
	for _, u := range utf16.Encode([]rune("\ufeffshimx64.efi,debian,,This is the boot entry for debian\n")) {
		csv = append(csv, byte(u), byte(u>>8))
	}
	put("/EFI/debian/BOOTX64.CSV", csv)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	copy(raw[440:], "\x78\x56\x34\x12")
	copy(raw[50<<20:], bytes.Repeat([]byte("this is the root file system\n"), 100000))
	require.NoError(t, os.WriteFile(path, raw, 0o644))
	shell(t, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", path, path+".qcow2")
	qcow2, err = os.ReadFile(path + ".qcow2")
	require.NoError(t, err)
	return raw, qcow2
}

// configDrive makes a config drive and gives the volume and its form on the wire.
func configDrive(t *testing.T) (volume []byte, wire string) {
	t.Helper()
	tools(t, "xorriso")
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "root/openstack/latest"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root/openstack/latest/meta_data.json"), []byte(`{"hostname":"box"}`), 0o644))
	shell(t, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "config-2", "-o", filepath.Join(dir, "cd.iso"), filepath.Join(dir, "root"))
	volume, err := os.ReadFile(filepath.Join(dir, "cd.iso"))
	require.NoError(t, err)
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err = zip.Write(volume)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	return volume, base64.StdEncoding.EncodeToString(b.Bytes())
}

// uefi makes the machine one that boots by UEFI, with the firmware's own entries.
func uefi(t *testing.T, dir string) string {
	t.Helper()
	vars := filepath.Join(dir, "efivars")
	require.NoError(t, os.Mkdir(vars, 0o755))
	return vars
}

// holdsImage says that the disk holds the image, apart from what the agent may change: the GPT's copies.
func holdsImage(t *testing.T, path string, raw []byte) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	got := make([]byte, len(raw))
	_, err = f.ReadAt(got, 0)
	require.NoError(t, err)
	require.True(t, bytes.Equal(raw[1<<20:79<<20], got[1<<20:79<<20]), "the disk does not hold the image")
	require.Equal(t, raw[:440], got[:440], "boot code")
}

func TestDeploy(t *testing.T) {
	raw, qcow2 := osImage(t)
	volume, wire := configDrive(t)
	c := startConductor(t)
	rawURL, rawSum := c.serve("os.raw", raw)
	qcowURL, qcowSum := c.serve("os.qcow2", qcow2)
	sums, _ := c.serve("SHA256SUMS", []byte("# sums\n"+strings.Repeat("0", 64)+"  other\n"+qcowSum+" *os.qcow2\n"))
	driveURL, _ := c.serve("drive", []byte(wire))
	for name, info := range map[string]map[string]any{
		"raw":             {"id": "op/1/1", "urls": []string{rawURL}, "os_hash_algo": "sha256", "os_hash_value": rawSum, "disk_format": "raw", "stream_raw_images": true},
		"qcow2":           {"id": "op/1/1", "urls": []string{c.URL + "/files/gone", qcowURL}, "checksum": qcowSum, "disk_format": "qcow2"},
		"undeclared":      {"id": "op/1/1", "urls": []string{qcowURL}, "checksum": sums, "disk_format": nil},
		"raw, drive URL":  {"id": "op/1/1", "urls": []string{rawURL}, "checksum": rawSum, "disk_format": "raw", "configdrive": driveURL},
		"write_image raw": {"id": "op/1/1", "urls": []string{rawURL}, "checksum": rawSum, "disk_format": "raw", "configdrive": wire},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := machine(t, 4<<30)
			vars := uefi(t, dir)
			a := c.launch(t, dir)
			seen := len(c.beats())
			sentence := "prepare_image: image (op/1/1) written to device " + path + " root_uuid=0x12345678"
			params := map[string]any{"image_info": info}
			if info["configdrive"] == nil {
				params["configdrive"] = wire
			}
			if strings.HasPrefix(name, "write_image") {
				got := a.call(t, "deploy.execute_deploy_step", map[string]any{
					"step": map[string]any{"step": "write_image", "interface": "deploy", "args": params, "ingot_id": "x"}, "node": map[string]any{"uuid": nodeUUID}, "ports": []any{},
				}, true)
				require.Equal(t, "SUCCEEDED", got["command_status"], "%v", got)
				result, _ := got["command_result"].(map[string]any)
				require.Equal(t, map[string]any{"result": sentence}, result["deploy_result"])
				step, _ := result["deploy_step"].(map[string]any)
				require.Equal(t, "write_image", step["step"])
			} else {
				got := a.call(t, "standby.prepare_image", params, true)
				require.Equal(t, "SUCCEEDED", got["command_status"], "%v", got)
				require.Equal(t, map[string]any{"result": sentence}, got["command_result"])
			}
			require.Eventually(t, func() bool { return len(c.beats()) > seen }, 10*time.Second, time.Millisecond, "a finished command brings a heartbeat at once")
			holdsImage(t, path, raw)
			holdsDrive(t, path, volume)

			uuids := a.call(t, "standby.get_partition_uuids", map[string]any{}, true)
			require.Equal(t, map[string]any{"root uuid": "0x12345678"}, uuids["command_result"])
			boot := a.call(t, "image.install_bootloader", map[string]any{
				"root_uuid": nil, "efi_system_part_uuid": nil, "prep_boot_part_uuid": nil, "target_boot_mode": "uefi", "ignore_bootloader_failure": false,
			}, true)
			require.Equal(t, "SUCCEEDED", boot["command_status"], "%v", boot)
			entry, err := os.ReadFile(filepath.Join(vars, "Boot0000-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
			require.NoError(t, err)
			require.Contains(t, string(entry), "d\x00e\x00b\x00i\x00a\x00n\x00")
			require.Equal(t, "SUCCEEDED", a.call(t, "standby.sync", map[string]any{}, true)["command_status"])
		})
	}
}

// holdsDrive says that the disk's table is whole and names a partition with the config drive.
func holdsDrive(t *testing.T, path string, volume []byte) {
	t.Helper()
	out, err := exec.Command("sgdisk", "-v", path).CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "No problems found")
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	table, err := disk.ReadTable(f)
	require.NoError(t, err)
	require.Len(t, table.Partitions, 3)
	got := make([]byte, len(volume))
	_, err = f.ReadAt(got, table.Partitions[2].Start)
	require.NoError(t, err)
	require.True(t, bytes.Equal(volume, got), "the config drive")
}

func TestRepeatedPrepareImageWritesOnce(t *testing.T) {
	raw, _ := osImage(t)
	c := startConductor(t)
	from, sum := c.serve("os.raw", raw)
	dir, path := machine(t, 4<<30)
	a := c.launch(t, dir)
	params := map[string]any{"image_info": map[string]any{"id": "a", "urls": []string{from}, "checksum": sum, "disk_format": "raw"}}
	require.Equal(t, "SUCCEEDED", a.call(t, "standby.prepare_image", params, true)["command_status"])
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte("mark"), 60<<20)
	require.NoError(t, err)
	require.Equal(t, "SUCCEEDED", a.call(t, "standby.prepare_image", params, true)["command_status"])
	got := make([]byte, 4)
	_, err = f.ReadAt(got, 60<<20)
	require.NoError(t, err)
	require.Equal(t, "mark", string(got), "the same image is not written twice")

	node := map[string]any{"uuid": nodeUUID}
	wiped := a.call(t, "clean.execute_clean_step", map[string]any{"step": map[string]any{"step": "erase_devices_metadata", "interface": "deploy"}, "node": node, "ports": []any{}}, true)
	require.Equal(t, "SUCCEEDED", wiped["command_status"], "%v", wiped)
	_, err = disk.ReadTable(f)
	require.ErrorIs(t, err, disk.ErrNoTable)
	require.Equal(t, "SUCCEEDED", a.call(t, "standby.prepare_image", params, true)["command_status"])
	holdsImage(t, path, raw)
}

func TestBadImages(t *testing.T) {
	raw, qcow2 := osImage(t)
	c := startConductor(t)
	good, sum := c.serve("os.raw", raw)
	disguised, disguisedSum := c.serve("disguised", qcow2)
	junk, junkSum := c.serve("junk", bytes.Repeat([]byte("junk"), 1<<20))
	large, largeSum := c.serve("large", make([]byte, 5<<20))
	for name, x := range map[string]struct {
		info  map[string]any
		extra map[string]any
		size  int64
		kind  string
		want  string
	}{
		"checksum":   {info: map[string]any{"urls": []string{good}, "checksum": strings.Repeat("0", 64), "disk_format": "raw"}, kind: "ImageChecksumError"},
		"gone":       {info: map[string]any{"urls": []string{c.URL + "/files/nope"}, "checksum": sum, "disk_format": "raw"}, kind: "ImageDownloadError", want: "404"},
		"disguised":  {info: map[string]any{"urls": []string{disguised}, "checksum": disguisedSum, "disk_format": "raw"}, kind: "InvalidImage", want: "qcow2"},
		"format":     {info: map[string]any{"urls": []string{good}, "checksum": sum, "disk_format": "vmdk"}, kind: "InvalidImage"},
		"no table":   {info: map[string]any{"urls": []string{junk}, "checksum": junkSum, "disk_format": "raw"}, kind: "DeploymentError", want: "No partitions found"},
		"too large":  {info: map[string]any{"urls": []string{large}, "checksum": largeSum, "disk_format": "raw"}, size: 4 << 20, kind: "ImageWriteError", want: "larger disk"},
		"bad drive":  {info: map[string]any{"urls": []string{good}, "checksum": sum, "disk_format": "raw"}, extra: map[string]any{"configdrive": "!!!"}, kind: "InvalidCommandParamsError"},
		"drive gone": {info: map[string]any{"urls": []string{good}, "checksum": sum, "disk_format": "raw"}, extra: map[string]any{"configdrive": c.URL + "/files/nope?sig=secret"}, kind: "ImageDownloadError", want: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			size := int64(4 << 30)
			cmdline := ""
			if x.size > 0 {
				size, cmdline = x.size, "root_device=size=>0"
			}
			dir, path := machine(t, size)
			a := c.launch(t, dir, "--cmdline", cmdline+" ipa-disk-wait-attempts=0")
			x.info["id"] = "op"
			params := map[string]any{"image_info": x.info}
			for k, v := range x.extra {
				params[k] = v
			}
			got := a.call(t, "standby.prepare_image", params, true)
			require.Equal(t, "FAILED", got["command_status"])
			failure, _ := got["command_error"].(map[string]any)
			require.Equal(t, x.kind, failure["type"], "%v", failure)
			require.Contains(t, failure["details"], x.want)
			require.NotContains(t, failure["details"], "secret")
			if name != "no table" {
				head := make([]byte, 512)
				f, err := os.Open(path)
				require.NoError(t, err)
				defer f.Close()
				_, err = f.ReadAt(head, 0)
				require.NoError(t, err)
				require.Equal(t, make([]byte, 512), head, "half an image must not boot")
			}
		})
	}
}
