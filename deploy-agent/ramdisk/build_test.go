package ramdisk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
)

// testKernel has modules of all the kinds that matter, one of them compressed, and one that no set wants.
func testKernel(t *testing.T) string {
	const dir = "lib/modules/9.9-test/kernel/"
	return kernelDeb(t, map[string][]byte{
		"boot/vmlinuz-9.9-test":                        []byte("kernel"),
		"boot/System.map-9.9-test":                     []byte("map"),
		"lib/modules/9.9-test/modules.builtin":         []byte("kernel/drivers/virtio/virtio_pci.ko\n"),
		dir + "drivers/net/virtio_net.ko":              module(t, "depends=net-failover", "alias=virtio:d00000001v*"),
		dir + "net/net-failover.ko.xz":                 compress(t, module(t, "depends=failover")),
		dir + "net/failover.ko":                        module(t, "depends="),
		dir + "fs/ext4/ext4.ko":                        module(t, "depends=", "softdep=pre: crypto-crc32c", "alias=fs-ext4"),
		dir + "crypto/crc32c_generic.ko":               module(t, "alias=crypto-crc32c"),
		dir + "drivers/extra.ko":                       module(t, "alias=pci:v00001234d*"),
		dir + "drivers/scsi/megaraid/megaraid_sas.ko":  module(t, "alias=pci:v00001000d*", "depends=scsi_gone"),
		"usr/share/doc/linux-image-test/copyright":     []byte("GPL"),
		"lib/modules/9.9-test/modules.builtin.modinfo": []byte("x"),
	})
}

func testAgent(t *testing.T) []byte {
	return elfFile(t, elf.EM_X86_64, ".text", []byte("agent"))
}

func unpackArchive(t *testing.T, path string) map[string]cpio.Record {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := zstd.NewReader(f)
	require.NoError(t, err)
	defer z.Close()
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(plain)))
	require.NoError(t, err)
	out := map[string]cpio.Record{}
	last := ""
	for _, r := range records {
		require.Less(t, last, r.Name, "sorted, so that folders come before what is in them")
		last = r.Name
		if dir := filepath.Dir(r.Name); dir != "." {
			require.Contains(t, out, dir)
		}
		require.Zero(t, r.MTime)
		require.Zero(t, r.UID)
		out[r.Name] = r
	}
	return out
}

func content(t *testing.T, r cpio.Record) string {
	body, err := io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize)))
	require.NoError(t, err)
	return string(body)
}

func TestBuild(t *testing.T) {
	o := ramdisk.Options{
		CacheDir: filepath.Join(t.TempDir(), "cache"), OutDir: filepath.Join(t.TempDir(), "out"),
		Agent: testAgent(t), Arch: "amd64", Set: ramdisk.SetVirtual, KernelPackage: testKernel(t), CABundle: "none",
	}
	res, err := ramdisk.Build(context.Background(), o)
	require.NoError(t, err)
	require.Equal(t, "9.9-test", res.Release)
	require.Equal(t, []string{"crc32c_generic", "ext4", "failover", "net_failover", "virtio_net"}, res.Modules)
	require.Contains(t, res.Missing, "nvme")
	require.NotContains(t, res.Missing, "virtio_pci", "it is built in")
	kernel, err := os.ReadFile(res.Kernel.Path)
	require.NoError(t, err)
	require.Equal(t, "kernel", string(kernel))
	sum := sha256.Sum256(kernel)
	require.Equal(t, hex.EncodeToString(sum[:]), res.Kernel.SHA256)
	require.EqualValues(t, 6, res.Kernel.Size)

	files := unpackArchive(t, res.Initramfs.Path)
	require.Equal(t, string(o.Agent), content(t, files["init"]))
	require.EqualValues(t, 0o100755, files["init"].Mode)
	require.EqualValues(t, 0o041777, files["tmp"].Mode)
	require.EqualValues(t, 0o020600, files["dev/console"].Mode)
	for _, dir := range []string{"dev", "etc", "proc", "run", "sys"} {
		require.Contains(t, files, dir)
	}
	const base = "lib/modules/9.9-test/"
	require.Equal(t, string(module(t, "depends=failover")), content(t, files[base+"kernel/net/net-failover.ko"]), "decompressed")
	require.NotContains(t, files, base+"kernel/drivers/extra.ko")
	require.NotContains(t, files, "etc/ssl")
	require.NotContains(t, content(t, files[base+"modules.alias"]), "1234")
	require.Contains(t, content(t, files[base+"modules.dep"]),
		"kernel/drivers/net/virtio_net.ko: kernel/net/net-failover.ko kernel/net/failover.ko\n", "the first to load is the last")

	dir := t.TempDir()
	for _, name := range []string{"modules.dep", "modules.alias", "modules.softdep", "modules.builtin"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content(t, files[base+name])), 0o600))
	}
	x, err := modules.Open(os.DirFS(dir))
	require.NoError(t, err)
	require.True(t, x.Builtin("virtio_pci"))
	var order []string
	for _, m := range x.Order(x.Lookup("virtio:d00000001v00001AF4")[0]) {
		order = append(order, m.Path)
	}
	require.Equal(t, []string{"kernel/net/failover.ko", "kernel/net/net-failover.ko", "kernel/drivers/net/virtio_net.ko"}, order)
	require.Len(t, x.Order(x.Lookup("ext4")[0]), 2, "the soft dependency is packed and found")
}

func TestBuildAgainGivesTheSameBytes(t *testing.T) {
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(bundle, []byte("certificates"), 0o600))
	o := ramdisk.Options{
		CacheDir: t.TempDir(), OutDir: t.TempDir(), Agent: testAgent(t), Arch: "amd64", KernelPackage: testKernel(t),
		Modules: []string{"extra", "nothing-has-this-name"}, CABundle: bundle,
	}
	first, err := ramdisk.Build(context.Background(), o)
	require.NoError(t, err)
	require.Contains(t, first.Modules, "extra")
	require.Contains(t, first.Modules, "megaraid_sas", "the set for servers is the default; a dependency that no module has is the kernel's")
	require.Contains(t, first.Missing, "nothing-has-this-name")
	require.Equal(t, "certificates", content(t, unpackArchive(t, first.Initramfs.Path)["etc/ssl/certs/ca-certificates.crt"]))

	o.OutDir, o.CacheDir = t.TempDir(), t.TempDir()
	second, err := ramdisk.Build(context.Background(), o)
	require.NoError(t, err)
	require.Equal(t, first.Initramfs.SHA256, second.Initramfs.SHA256)
	require.Equal(t, first.Modules, second.Modules)
}

func TestBuildRefuses(t *testing.T) {
	deb := testKernel(t)
	good := ramdisk.Options{CacheDir: t.TempDir(), OutDir: t.TempDir(), Agent: testAgent(t), Arch: "amd64", KernelPackage: deb}
	script := filepath.Join(t.TempDir(), "agent.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec a program that is not ELF\n"), 0o755))
	for want, change := range map[string]func(*ramdisk.Options){
		"CacheDir and OutDir":     func(o *ramdisk.Options) { o.OutDir = "" },
		"in one of Options.Agent": func(o *ramdisk.Options) { o.AgentPath = "x" },
		"give the agent":          func(o *ramdisk.Options) { o.Agent = nil },
		"unknown module set":      func(o *ramdisk.Options) { o.Set = "all" },
		"unknown kernel":          func(o *ramdisk.Options) { o.Kernel = "rt" },
		"unknown architecture":    func(o *ramdisk.Options) { o.Arch = "s390x" },
		"level 40":                func(o *ramdisk.Options) { o.Level = 40 },
		"it is for EM_X86_64":     func(o *ramdisk.Options) { o.Arch = "arm64" },
		"bad magic number":        func(o *ramdisk.Options) { o.Agent, o.AgentPath = nil, script },
		"cannot read the agent":   func(o *ramdisk.Options) { o.Agent, o.AgentPath = nil, "/nonexistent" },
		"cannot read the cert":    func(o *ramdisk.Options) { o.CABundle = "/nonexistent" },
		"cannot read /nonexist":   func(o *ramdisk.Options) { o.KernelPackage = "/nonexistent.deb" },
		"files boot/vmlinuz-*": func(o *ramdisk.Options) {
			o.KernelPackage = kernelDeb(t, map[string][]byte{"usr/share/doc/x": []byte("not a kernel")})
		},
		"cannot use module": func(o *ramdisk.Options) {
			o.KernelPackage = kernelDeb(t, map[string][]byte{"boot/vmlinuz-1": nil, "lib/modules/1/kernel/a.ko": []byte("not a module")})
		},
		"unknown compression": func(o *ramdisk.Options) {
			o.KernelPackage = kernelDeb(t, map[string][]byte{"boot/vmlinuz-1": nil, "lib/modules/1/kernel/a.ko.zip": nil})
		},
	} {
		o := good
		change(&o)
		_, err := ramdisk.Build(context.Background(), o)
		require.ErrorContains(t, err, want)
		left, err := filepath.Glob(filepath.Join(good.CacheDir, "*.work"))
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

func TestBuildRefusesADynamicAgent(t *testing.T) {
	self, err := elf.Open("/bin/sh")
	if err != nil {
		t.Skip("no /bin/sh to try with")
	}
	defer self.Close()
	arch := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[self.Machine]
	_, err = ramdisk.Build(context.Background(), ramdisk.Options{CacheDir: t.TempDir(), OutDir: t.TempDir(), AgentPath: "/bin/sh", Arch: arch})
	require.ErrorContains(t, err, "dynamically linked")
}

func TestBuildStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := t.TempDir()
	_, err := ramdisk.Build(ctx, ramdisk.Options{CacheDir: t.TempDir(), OutDir: out, Agent: testAgent(t), Arch: "amd64", KernelPackage: testKernel(t)})
	require.ErrorIs(t, err, context.Canceled)
	entries, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestBuildLeavesNoHalfFiles(t *testing.T) {
	o := ramdisk.Options{CacheDir: t.TempDir(), OutDir: t.TempDir(), Agent: testAgent(t), Arch: "amd64", KernelPackage: testKernel(t), CABundle: "none"}
	_, err := ramdisk.Build(t.Context(), o)
	require.NoError(t, err)
	images, err := filepath.Glob(filepath.Join(o.CacheDir, "*", "vmlinuz"))
	require.NoError(t, err)
	require.Len(t, images, 1)
	require.NoError(t, os.Remove(images[0]))
	o.OutDir = t.TempDir()
	_, err = ramdisk.Build(t.Context(), o)
	require.ErrorIs(t, err, os.ErrNotExist)
	entries, err := os.ReadDir(o.OutDir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, ramdisk.InitramfsName, entries[0].Name())
}
