package ramdisk_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
)

// realCache decides whether tests run that fetch Debian's kernels and boot them: INGOT_BUILD_RAMDISK=1 with a passing cache,
// or the name of a folder to keep kernels in.
func realCache(t *testing.T) string {
	t.Helper()
	switch dir := os.Getenv("INGOT_BUILD_RAMDISK"); {
	case dir == "" || dir == "0":
		t.Skip("fetches kernel packages: set INGOT_BUILD_RAMDISK to 1, or to a folder that keeps them")
	case filepath.IsAbs(dir):
		return dir
	}
	return t.TempDir()
}

// testInit builds the program that stands for the agent.
func testInit(t testing.TB, arch string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "init")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/init")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
	return out
}

// console boots a machine until it powers off and returns what it printed, test lines only.
func console(t *testing.T, res ramdisk.Result, args ...string) string {
	t.Helper()
	qemu, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		t.Skip("qemu-system-x86_64 is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, append([]string{
		"-M", "q35", "-accel", "tcg", "-cpu", "qemu64", "-m", "512", "-nodefaults", "-no-user-config", "-display", "none",
		"-no-reboot", "-serial", "stdio", "-kernel", res.Kernel.Path, "-initrd", res.Initramfs.Path, "-append", "console=ttyS0 quiet panic=-1",
	}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	require.NoError(t, cmd.Run(), out.String())
	var lines []string
	for line := range strings.Lines(out.String()) {
		if _, rest, ok := strings.Cut(line, "test: "); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	text := strings.Join(lines, "\n")
	require.NotEmpty(t, text, out.String())
	t.Logf("from power on to power off: %.1f s\n%s", time.Since(start).Seconds(), text)
	return text
}

func TestBootVirtio(t *testing.T) {
	res, err := ramdisk.Build(t.Context(), ramdisk.Options{
		CacheDir: realCache(t), OutDir: t.TempDir(), AgentPath: testInit(t, "amd64"), Arch: "amd64", Set: ramdisk.SetVirtual,
	})
	require.NoError(t, err)
	require.Less(t, res.Initramfs.Size, int64(8<<20))
	out := console(t, res,
		"-nic", "user,model=virtio-net-pci,restrict=on",
		"-drive", "if=none,id=a,driver=null-co,size=1G", "-device", "virtio-blk-pci,drive=a",
		"-device", "virtio-scsi-pci", "-drive", "if=none,id=b,driver=null-co,size=1G", "-device", "scsi-hd,drive=b",
		"-device", "scsi-cd", "-drive", "if=none,id=c,driver=null-co,size=1G", "-device", "nvme,drive=c,serial=x")
	for _, want := range []string{
		"settled true", "nic eth0 virtio_net", "disk vda virtio_blk", "disk sda sd", "disk sr0 sr", "disk nvme0n1 nvme",
	} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, strings.ReplaceAll(out, "failed efivarfs", ""), "failed", "only efivarfs, without EFI")
}

func TestBootEmulatedHardware(t *testing.T) {
	res, err := ramdisk.Build(t.Context(), ramdisk.Options{
		CacheDir: realCache(t), OutDir: t.TempDir(), AgentPath: testInit(t, "amd64"), Arch: "amd64",
		Set: ramdisk.SetVirtual, Kernel: ramdisk.KernelGeneric,
	})
	require.NoError(t, err)
	require.Empty(t, res.Missing)
	require.Less(t, res.Initramfs.Size, int64(8<<20))
	out := console(t, res,
		"-nic", "user,model=e1000e,restrict=on", "-nic", "user,model=e1000,restrict=on",
		"-drive", "if=none,id=a,driver=null-co,size=1G", "-device", "ide-hd,drive=a,bus=ide.0", "-device", "ide-cd,bus=ide.1",
		"-device", "ipmi-bmc-sim,id=bmc", "-device", "isa-ipmi-kcs,bmc=bmc",
		"-device", "qemu-xhci", "-drive", "if=none,id=u,driver=null-co,size=1G", "-device", "usb-storage,drive=u")
	for _, want := range []string{
		"settled true", "nic eth0 e1000", "nic eth1 e1000", "disk sda sd", "disk sdb sd", "disk sr0 sr", "ipmi /dev/ipmi0",
		"loaded", "e1000e", "vfat", "iso9660", "ext4",
	} {
		require.Contains(t, out, want)
	}
}

func TestBootServer(t *testing.T) {
	res, err := ramdisk.Build(t.Context(), ramdisk.Options{
		CacheDir: realCache(t), OutDir: t.TempDir(), AgentPath: testInit(t, "amd64"), Arch: "amd64",
	})
	require.NoError(t, err)
	require.Empty(t, res.Missing)
	require.Less(t, res.Initramfs.Size, int64(26<<20))
	t.Logf("%d modules, %d bytes", len(res.Modules), res.Initramfs.Size)
	out := console(t, res,
		"-nic", "user,model=vmxnet3,restrict=on",
		"-device", "megasas", "-drive", "if=none,id=a,driver=null-co,size=1G", "-device", "scsi-hd,drive=a",
		"-device", "pvscsi,id=p", "-drive", "if=none,id=b,driver=null-co,size=1G", "-device", "scsi-hd,drive=b,bus=p.0")
	for _, want := range []string{"settled true", "nic eth0 vmxnet3", "disk sda sd", "disk sdb sd", "megaraid_sas", "vmw_pvscsi"} {
		require.Contains(t, out, want)
	}
}

// TestIndexAgainstKmod holds our reading of modules against depmod's, and our matching against modprobe's.
func TestIndexAgainstKmod(t *testing.T) {
	cache := realCache(t)
	res, err := ramdisk.Build(t.Context(), ramdisk.Options{
		CacheDir: cache, OutDir: t.TempDir(), AgentPath: testInit(t, "amd64"), Arch: "amd64",
	})
	require.NoError(t, err)
	dirs, err := filepath.Glob(filepath.Join(cache, "*", "modules", res.Release))
	require.NoError(t, err)
	require.Len(t, dirs, 1)
	root := t.TempDir()
	their := filepath.Join(root, "lib/modules", res.Release)
	require.NoError(t, os.MkdirAll(filepath.Dir(their), 0o755))
	require.NoError(t, os.CopyFS(their, os.DirFS(dirs[0])))
	if out, err := exec.Command("/usr/sbin/depmod", "-b", root, res.Release).CombinedOutput(); err != nil {
		t.Skipf("depmod does not run here: %v %s", err, out)
	}
	ours, err := modules.Open(os.DirFS(dirs[0]))
	require.NoError(t, err)
	theirs, err := modules.Open(os.DirFS(their))
	require.NoError(t, err)
	require.Len(t, ours.Modules(), len(theirs.Modules()))
	for i, m := range theirs.Modules() {
		require.Equal(t, m.Path, ours.Modules()[i].Path)
		require.ElementsMatch(t, m.Deps, ours.Modules()[i].Deps, m.Name)
		require.Equal(t, m.Pre, ours.Modules()[i].Pre, m.Name)
		require.Equal(t, m.Post, ours.Modules()[i].Post, m.Name)
	}
	for _, alias := range []string{
		"pci:v00008086d00001572sv00008086sd00000000bc02sc00i00", "pci:v00001000d00000097sv00001028sd00001F45bc01sc07i00",
		"virtio:d00000001v00001AF4", "usb:v0781p5567d0126dc00dsc00dp00ic08isc06ip50in00", "acpi:IPI0001:", "fs-ext4",
		"cpu:type:x86,ven0002fam0017mod0031:feature:,0000,0001", "scsi:t-0x00", "dmi:bvnDell:bvr2.1:pnPowerEdgeR640:", "net-pf-16-proto-10",
	} {
		out, err := exec.Command("/usr/sbin/modprobe", "-d", root, "-S", res.Release, "-R", alias).Output()
		want := strings.Fields(string(out))
		if err != nil {
			want = nil
		}
		var got []string
		for _, m := range ours.Lookup(alias) {
			got = append(got, m.Name)
		}
		require.ElementsMatch(t, want, got, alias)
	}
}

// BenchmarkLevels shows what zstd levels cost and bring: bytes and seconds for the server set.
func BenchmarkLevels(b *testing.B) {
	dir := os.Getenv("INGOT_BUILD_RAMDISK")
	if !filepath.IsAbs(dir) {
		b.Skip("set INGOT_BUILD_RAMDISK to a folder that keeps kernels")
	}
	for _, level := range []int{1, 3, 7, 19} {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			for b.Loop() {
				res, err := ramdisk.Build(b.Context(), ramdisk.Options{
					CacheDir: dir, OutDir: b.TempDir(), AgentPath: testInit(b, "amd64"), Arch: "amd64", Level: level,
				})
				require.NoError(b, err)
				b.ReportMetric(float64(res.Initramfs.Size), "bytes")
			}
		})
	}
}
