package efiboot_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/efiboot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
)

// disk makes a disk of 64 MiB with an EFI system partition that holds the files.
func disk(t *testing.T, files map[string]string) string {
	t.Helper()
	for _, name := range []string{"sgdisk", "mformat", "mcopy", "mmd"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "disk.img")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.Truncate(path, 64<<20))
	run := func(name string, args ...string) {
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
	if files == nil {
		run("sgdisk", "-n", "1:0:0", "-t", "1:8300", path)
		return path
	}
	run("sgdisk", "-n", "2:2048:+40M", "-t", "2:ef00", "-u", "2:11223344-5566-7788-99AA-BBCCDDEEFF00", path)
	run("mformat", "-i", path+"@@1M", "-T", "81920", "-h", "64", "-s", "32", "::")
	made := map[string]bool{}
	for name, content := range files {
		dirs := strings.Split(strings.Trim(filepath.Dir(name), "/"), "/")
		for i := range dirs {
			if d := "/" + strings.Join(dirs[:i+1], "/"); !made[d] && d != "/" {
				run("mmd", "-i", path+"@@1M", "::"+d)
				made[d] = true
			}
		}
		file := filepath.Join(dir, "content")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
		run("mcopy", "-i", path+"@@1M", file, "::"+name)
	}
	return path
}

// wide is text in UTF-16, little endian.
func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

type list []ingot.InventoryDisk

func (l list) Disks() []ingot.InventoryDisk { return l }

func installer(path, vars, arch string) *efiboot.Installer {
	return &efiboot.Installer{
		Chooser: &target.Chooser{Disks: list{{Name: path, Size: 5 << 30}}, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Until: time.Time{}},
		Log:     slog.New(slog.DiscardHandler), Arch: arch, Mode: func() string { return "uefi" },
		Variables: func() (efiboot.Variables, error) { return efiboot.Folder(vars), nil },
	}
}

func TestChoosesTheLoader(t *testing.T) {
	shim := wide("\ufeffshimx64.efi,debian,,This is the boot entry for debian\n")
	for name, c := range map[string]struct {
		files map[string]string
		arch  string
		label string
		path  string
	}{
		"shim's list":    {map[string]string{"/EFI/debian/BOOTX64.CSV": shim, "/EFI/debian/shimx64.efi": "MZ", "/EFI/BOOT/BOOTX64.EFI": "MZ"}, "x86_64", "debian", `\EFI\debian\shimx64.efi`},
		"list lies":      {map[string]string{"/EFI/debian/BOOTX64.CSV": shim, "/EFI/BOOT/BOOTX64.EFI": "MZ"}, "x86_64", "Ingot", `\EFI\BOOT\BOOTX64.EFI`},
		"list of others": {map[string]string{"/EFI/x/BOOTIA32.CSV": shim, "/EFI/x/shimx64.efi": "MZ"}, "x86_64", "Ingot", `\EFI\x\shimx64.efi`},
		"fallback":       {map[string]string{"/EFI/BOOT/BOOTX64.EFI": "MZ", "/EFI/BOOT/BOOTAA64.EFI": "MZ", "/EFI/debian/grubx64.efi": "MZ"}, "x86_64", "Ingot", `\EFI\BOOT\BOOTX64.EFI`},
		"arm":            {map[string]string{"/EFI/BOOT/BOOTX64.EFI": "MZ", "/EFI/BOOT/BOOTAA64.EFI": "MZ"}, "aarch64", "Ingot", `\EFI\BOOT\BOOTAA64.EFI`},
		"windows":        {map[string]string{"/EFI/Microsoft/Boot/bootmgfw.efi": "MZ"}, "x86_64", "Ingot", `\EFI\Microsoft\Boot\bootmgfw.efi`},
		"plain boot.csv": {map[string]string{"/EFI/centos/BOOT.CSV": wide("gone.efi,no\nshim.efi,CentOS Linux,quiet\n"), "/EFI/centos/shim.efi": "MZ"}, "x86_64", "CentOS Linux", `\EFI\centos\shim.efi`},
	} {
		t.Run(name, func(t *testing.T) {
			vars := t.TempDir()
			_, err := installer(disk(t, c.files), vars, c.arch).Install(context.Background(), "")
			require.NoError(t, err)
			b, err := efiboot.Folder(vars).Get("Boot0000")
			require.NoError(t, err)
			o, err := efiboot.Decode(b)
			require.NoError(t, err)
			require.Equal(t, c.label, o.Description)
			require.Equal(t, uint32(efiboot.Active), o.Attributes)
			require.Len(t, o.Path, 2)
			require.Equal(t, strings.ToLower(wide(c.path+"\x00")), strings.ToLower(string(o.Path[1].Data)))
			if c.label == "CentOS Linux" {
				require.Equal(t, wide("quiet\x00"), string(o.Data))
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	_, err := installer(disk(t, nil), t.TempDir(), "x86_64").Install(context.Background(), "")
	require.ErrorContains(t, err, "No EFI partition could be detected on device")
	_, err = installer(disk(t, map[string]string{"/EFI/BOOT/BOOTAA64.EFI": "MZ"}), t.TempDir(), "x86_64").Install(context.Background(), "")
	require.ErrorContains(t, err, "no boot loader for x86_64")
}

// set puts a boot entry that somebody else made.
func set(t *testing.T, vars string, name string, o efiboot.Option) {
	t.Helper()
	b, err := o.Encode()
	require.NoError(t, err)
	require.NoError(t, efiboot.Folder(vars).Set(name, b))
}

func TestEntryComesFirstAndOldOnesGo(t *testing.T) {
	path := disk(t, map[string]string{"/EFI/debian/BOOTX64.CSV": wide("shimx64.efi,debian,,x\n"), "/EFI/debian/shimx64.efi": "MZ"})
	vars := t.TempDir()
	network := efiboot.Option{Attributes: 1, Description: "UEFI PXEv4", Path: []efiboot.Node{{Type: 3, SubType: 11, Data: make([]byte, 33)}}}
	stale := efiboot.Option{Attributes: 1, Description: "debian", Path: []efiboot.Node{{Type: 4, SubType: 1, Data: make([]byte, 38)}}}
	named := efiboot.Option{Attributes: 1, Description: "debian", Path: network.Path}
	set(t, vars, "Boot0000", network)
	set(t, vars, "Boot0001", stale)
	set(t, vars, "Boot000A", named)
	require.NoError(t, efiboot.Folder(vars).Set("Boot0002", []byte("what firmware leaves behind")))
	require.NoError(t, efiboot.Folder(vars).Set("BootOrder", []byte{1, 0, 0, 0, 2, 0, 10, 0}))

	said, err := installer(path, vars, "x86_64").Install(context.Background(), "")
	require.NoError(t, err)
	require.Contains(t, said, "Boot0001 (debian) starts")
	order, err := efiboot.Folder(vars).Get("BootOrder")
	require.NoError(t, err)
	require.Equal(t, []byte{1, 0, 0, 0, 2, 0, 10, 0}, order)
	names, err := efiboot.Folder(vars).Names()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"Boot0000", "Boot0001", "Boot0002", "Boot000A", "BootOrder"}, names, "the network entry of the same name stays")

	again, err := installer(path, vars, "x86_64").Install(context.Background(), "")
	require.NoError(t, err)
	require.Equal(t, said, again, "a repeat changes nothing")
	after, err := efiboot.Folder(vars).Names()
	require.NoError(t, err)
	require.ElementsMatch(t, names, after)
}

func TestEfibootmgrReadsIt(t *testing.T) {
	if _, err := exec.LookPath("efibootmgr"); err != nil {
		t.Skip("efibootmgr is not installed")
	}
	path := disk(t, map[string]string{"/EFI/debian/BOOTX64.CSV": wide("shimx64.efi,debian,,x\n"), "/EFI/debian/shimx64.efi": "MZ"})
	vars := t.TempDir()
	_, err := installer(path, vars, "x86_64").Install(context.Background(), "")
	require.NoError(t, err)
	cmd := exec.Command("efibootmgr", "-v")
	cmd.Env = append(os.Environ(), "EFIVARFS_PATH="+vars+"/", "LIBEFIVAR_OPS=efivarfs")
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "not supported") {
		t.Skipf("efibootmgr does not read variables from a folder here: %s", out)
	}
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "BootOrder: 0000")
	require.Regexp(t, `(?i)Boot0000\* debian\s+HD\(2,GPT,11223344-5566-7788-99aa-bbccddeeff00,0x800,0x14000\)/File\(\\EFI\\debian\\shimx64\.efi\)`, string(out))
}

// The bytes are those that efibootmgr 17 writes for: -c -d DISK -p 2 -L debian -l '\EFI\debian\shimx64.efi'.
func TestBytes(t *testing.T) {
	vars := t.TempDir()
	path := disk(t, map[string]string{"/EFI/debian/BOOTX64.CSV": wide("shimx64.efi,debian,,x\n"), "/EFI/debian/shimx64.efi": "MZ"})
	_, err := installer(path, vars, "x86_64").Install(context.Background(), "")
	require.NoError(t, err)
	got, err := efiboot.Folder(vars).Get("Boot0000")
	require.NoError(t, err)
	want := "01000000" + "6200" + hex.EncodeToString([]byte(wide("debian\x00"))) +
		"04012a00" + "02000000" + "0008000000000000" + "0040010000000000" + "443322116655887799aabbccddeeff00" + "0202" +
		"04043400" + hex.EncodeToString([]byte(wide(`\EFI\debian\shimx64.efi`+"\x00"))) + "7fff0400"
	require.Equal(t, want, hex.EncodeToString(got))
}

func TestBIOSNeedsNothing(t *testing.T) {
	i := installer("/nonexistent", t.TempDir(), "x86_64")
	i.Mode = func() string { return "bios" }
	require.Len(t, i.Commands(), 1)
}

func FuzzOption(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x04\x00a\x00\x00\x00\x7f\xff\x04\x00data"))
	f.Add(bytes.Repeat([]byte{4, 1, 4, 0}, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := efiboot.Decode(b)
		if err != nil {
			return
		}
		again, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		twice, err := efiboot.Decode(again)
		if err != nil {
			t.Fatalf("%x became %x: %v", b, again, err)
		}
		if twice.Description != o.Description || len(twice.Path) != len(o.Path) || !bytes.Equal(twice.Data, o.Data) {
			t.Fatalf("%+v became %+v", o, twice)
		}
	})
}
