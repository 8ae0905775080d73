package osimage_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/lab/osimage"
)

func TestPatchBIOS(t *testing.T) {
	boot := bytes.Repeat([]byte{0xaa}, 512)
	core := make([]byte, 40000)
	mbr, err := osimage.PatchBIOS(boot, core)
	require.NoError(t, err)
	require.Len(t, mbr, 440, "the disk signature and the partition table stay")
	require.EqualValues(t, 2048, binary.LittleEndian.Uint64(mbr[0x5c:]), "core.img starts here")
	require.EqualValues(t, 0xff, mbr[0x64])
	require.Equal(t, []byte{0x90, 0x90, 0xaa}, mbr[0x66:0x69])
	require.EqualValues(t, 2049, binary.LittleEndian.Uint64(core[0x1f4:]), "its second sector")
	require.EqualValues(t, 0xaa, boot[0x66], "the input is not changed")

	_, err = osimage.PatchBIOS(boot[:511], core)
	require.ErrorContains(t, err, "boot.img")
	_, err = osimage.PatchBIOS(boot, make([]byte, 1<<20+1))
	require.ErrorContains(t, err, "core.img")
	_, err = osimage.PatchBIOS(boot, nil)
	require.ErrorContains(t, err, "core.img")
}

func TestGrubConfig(t *testing.T) {
	text := osimage.GrubConfig("1234-uuid")
	require.Contains(t, text, "root=UUID=1234-uuid rw console=ttyS0,115200")
	require.Contains(t, text, "set timeout=0")
	require.Contains(t, text, "initrd /initrd.img")
}

func TestDebstrapArgs(t *testing.T) {
	args := osimage.DebstrapArgs(osimage.Options{Packages: []string{"jq"}}, "conf", "over.tar", "/root", []string{"host.sources"})
	require.Equal(t, []string{osimage.Suite, "/root", "host.sources"}, args[len(args)-3:])
	line := strings.Join(args, " ")
	require.Contains(t, line, "--include=linux-image-cloud-amd64,")
	require.Contains(t, line, ",cloud-init,sudo,jq ")
	generic := strings.Join(osimage.DebstrapArgs(osimage.Options{Kernel: osimage.KernelGeneric}, "", "", "", nil), " ")
	require.Contains(t, generic, "--include=linux-image-amd64,")
}

func TestOverlay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "overlay.tar")
	require.NoError(t, osimage.WriteOverlay(file, osimage.Options{}))
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	entries := map[string]*tar.Header{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.NotContains(t, entries, h.Name, "twice")
		if dir := filepath.Dir(strings.TrimSuffix(h.Name, "/")); dir != "." {
			require.Contains(t, entries, dir+"/", "folders come first")
		}
		require.Zero(t, h.Uid+h.Gid)
		entries[h.Name] = h
	}
	require.EqualValues(t, 0o755, entries["usr/local/sbin/cloud-init-once"].Mode)
	require.EqualValues(t, 0o644, entries["etc/cloud/cloud.cfg"].Mode)
	require.Equal(t, "/dev/null", entries["etc/systemd/system/cloud-init.service"].Linkname)
	wanted := entries["etc/systemd/system/multi-user.target.wants/cloud-init-once.service"]
	require.Contains(t, entries, filepath.Join(filepath.Dir(wanted.Name), wanted.Linkname))
}

// TestComputeOverlay: a compute host has libvirt's pool and the bridge, and the files of any image.
func TestComputeOverlay(t *testing.T) {
	names := func(o osimage.Options) []string {
		file := filepath.Join(t.TempDir(), "overlay.tar")
		require.NoError(t, osimage.WriteOverlay(file, o))
		f, err := os.Open(file)
		require.NoError(t, err)
		defer f.Close()
		var names []string
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return names
			}
			require.NoError(t, err)
			names = append(names, h.Name)
		}
	}
	plain, compute := names(osimage.Options{}), names(osimage.Options{Compute: true})
	require.Subset(t, compute, plain)
	require.Subset(t, compute, []string{"etc/libvirt/libvirtd.conf", "etc/libvirt/storage/autostart/default.xml", "etc/systemd/network/10-br0.netdev"})
	require.NotContains(t, plain, "etc/libvirt/libvirtd.conf")
}

func TestCleanRootLeavesNothingOfTheHost(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"etc/apt/sources.list":              "deb http://secret-mirror bookworm main",
		"etc/apt/sources.list.d/x.sources":  "URIs: http://secret-mirror",
		"etc/apt/apt.conf.d/99mmdebstrap":   "Acquire::http::Proxy \"http://secret-proxy\";",
		"etc/apt/auth.conf.d/x.conf":        "machine secret login a password b",
		"etc/dpkg/dpkg.cfg.d/99mmdebstrap":  "path-exclude=/x",
		"etc/resolv.conf":                   "nameserver 192.0.2.1",
		"etc/hostname":                      "builder",
		"etc/machine-id":                    "0123",
		"etc/ssh/ssh_host_rsa_key":          "secret",
		"var/lib/apt/lists/secret_Packages": "x",
		"var/log/dpkg.log":                  "x",
		"var/log/apt/term.log":              "secret",
		"etc/passwd":                        "root:x:0:0",
	} {
		p := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
	}
	require.NoError(t, osimage.CleanRoot(root))
	var left []string
	require.NoError(t, filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := os.ReadFile(p)
			left = append(left, strings.TrimPrefix(p, root)+"="+string(text))
		}
		return err
	}))
	require.Equal(t, []string{"/etc/hostname=debian\n", "/etc/machine-id=", "/etc/passwd=root:x:0:0", "/etc/resolv.conf="}, left)
	require.DirExists(t, filepath.Join(root, "var/lib/apt/lists/partial"))
}

// TestWriteSums has sha256sum check the file.
func TestWriteSums(t *testing.T) {
	dir := t.TempDir()
	a, b, sums := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "SHA256SUMS")
	require.NoError(t, os.WriteFile(a, []byte("one"), 0o600))
	require.NoError(t, os.WriteFile(b, nil, 0o600))
	require.NoError(t, osimage.WriteSums(sums, a, b))
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = dir
	out, err := check.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "a: OK\nb: OK\n", string(out))
	require.Error(t, osimage.WriteSums(sums, filepath.Join(dir, "gone")))
}

func TestLockKeepsOthersOut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := osimage.Lock(t.Context(), file)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = osimage.Lock(ctx, file)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = osimage.Lock(t.Context(), file)
	require.NoError(t, err)
	unlock()
	_, err = osimage.Lock(t.Context(), filepath.Join(file, "not a folder"))
	require.Error(t, err)
}
