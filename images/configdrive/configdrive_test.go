package configdrive_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/configdrive"
)

const whole = `{
  "meta_data": {"uuid": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123", "name": "n1", "public_keys": {"k": "ssh-ed25519 AAAA"}},
  "user_data": "#cloud-config\nhostname: n1\n",
  "network_data": {"links": [], "networks": [], "services": []},
  "vendor_data": {"a": 1}
}`

func build(t *testing.T, body string) []byte {
	t.Helper()
	d, err := configdrive.Parse([]byte(body))
	require.NoError(t, err)
	iso, err := configdrive.Build(d)
	require.NoError(t, err)
	return iso
}

// run runs a tool of the system, or skips where it is missing.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", name, out)
	return string(out)
}

func save(t *testing.T, iso []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drive.iso")
	require.NoError(t, os.WriteFile(path, iso, 0o600))
	return path
}

func TestXorrisoReadsEveryFile(t *testing.T) {
	path := save(t, build(t, whole))
	out := filepath.Join(t.TempDir(), "tree")
	report := run(t, "xorriso", "-osirrox", "on", "-indev", path, "-extract", "/", out)
	require.NotContains(t, strings.ToLower(report), "warning")
	require.NotContains(t, report, "SORRY")
	for _, version := range []string{"latest", "2012-08-10"} {
		for name, want := range map[string]string{
			"meta_data.json":    `{"uuid":"1be26c0b-03f2-4d2e-ae87-c02d7f33c123","name":"n1","public_keys":{"k":"ssh-ed25519 AAAA"}}`,
			"user_data":         "#cloud-config\nhostname: n1\n",
			"network_data.json": `{"links":[],"networks":[],"services":[]}`,
			"vendor_data2.json": `{"a":1}`,
		} {
			got, err := os.ReadFile(filepath.Join(out, "openstack", version, name))
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
	}
	// osirrox extracts read-only folders, which the test's clean-up could not empty.
	require.NoError(t, filepath.Walk(out, func(p string, _ os.FileInfo, _ error) error { return os.Chmod(p, 0o700) }))
}

func TestXorrisoSeesBothTrees(t *testing.T) {
	path := save(t, build(t, whole))
	require.Contains(t, run(t, "xorriso", "-indev", path, "-find", "/", "-exec", "lsdl"), "-r--r--r--    1 0        0")
	for _, mode := range []string{"any", "norock", "nojoliet"} { // norock reads the Joliet tree
		list := run(t, "xorriso", "-read_fs", mode, "-indev", path, "-find", "/")
		require.Contains(t, list, "/openstack/latest/network_data.json", mode)
		require.Contains(t, list, "/openstack/2012-08-10/vendor_data2.json", mode)
	}
}

func TestBlkidFindsTheLabel(t *testing.T) {
	report := run(t, "blkid", "-p", "-o", "export", save(t, build(t, whole)))
	require.Contains(t, report, "TYPE=iso9660")
	require.Contains(t, report, "LABEL=config-2")
}

func TestKernelMountsIt(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	path, dir := save(t, build(t, whole)), t.TempDir()
	if out, err := exec.Command("mount", "-o", "loop,ro", "-t", "iso9660", path, dir).CombinedOutput(); err != nil {
		t.Skipf("this kernel cannot mount a loop device: %s", out)
	}
	defer func() { require.NoError(t, exec.Command("umount", dir).Run()) }()
	got, err := os.ReadFile(filepath.Join(dir, "openstack/latest/user_data"))
	require.NoError(t, err)
	require.Equal(t, "#cloud-config\nhostname: n1\n", string(got))
}

func TestSameInputSameBytes(t *testing.T) {
	first, second := build(t, whole), build(t, whole)
	require.Equal(t, first, second)
	one, err := configdrive.Encode(first)
	require.NoError(t, err)
	two, err := configdrive.Encode(second)
	require.NoError(t, err)
	require.Equal(t, one, two)
}

func TestUserData(t *testing.T) {
	text := build(t, `{"user_data": "a\u00e9\n"}`)
	require.True(t, bytes.Contains(text, []byte("aé\n")))
	asObject := build(t, `{"user_data": {"ignition": {"version": "3.0.0"}}}`)
	require.True(t, bytes.Contains(asObject, []byte(`{"ignition":{"version":"3.0.0"}}`)))
	for _, empty := range []string{`{}`, `{"user_data": null}`, `{"user_data": ""}`} {
		require.False(t, bytes.Contains(build(t, empty), []byte("user_data")), empty)
	}
}

func TestLargeUserData(t *testing.T) {
	iso := build(t, `{"user_data": "`+strings.Repeat("x", 5<<20)+`"}`)
	// Both folders share the one copy of each file.
	require.Less(t, len(iso), 6<<20)
	require.NoError(t, configdrive.Verify(iso))

	d, err := configdrive.Parse([]byte(`{"user_data": "` + strings.Repeat("x", 64<<20) + `"}`))
	require.NoError(t, err)
	_, err = configdrive.Build(d)
	require.ErrorIs(t, err, configdrive.ErrInvalid)
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `"x"`, `{"meta_data": []}`, `{"meta_data": "x"}`, `{"network_data": 1}`, `{"user_data": []}`, `{"user_data": 5}`,
		`{"metadata": {}}`, `{} {}`, `{"vendor_data": tru}`,
	} {
		_, err := configdrive.Parse([]byte(bad))
		require.ErrorIs(t, err, configdrive.ErrInvalid, bad)
	}
}

func TestSetDefaults(t *testing.T) {
	d, err := configdrive.Parse([]byte(`{"meta_data": {"hostname": "mine", "x": 1}}`))
	require.NoError(t, err)
	require.NoError(t, d.SetDefaults("u-1", "node-1"))
	require.JSONEq(t, `{"uuid": "u-1", "name": "node-1", "hostname": "mine", "x": 1}`, string(d.MetaData))

	var empty configdrive.Data
	require.NoError(t, empty.SetDefaults("u-1", ""))
	require.JSONEq(t, `{"uuid": "u-1"}`, string(empty.MetaData))
}
