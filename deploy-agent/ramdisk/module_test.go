package ramdisk_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/ingot-metal/ingot/deploy-agent/ramdisk"
)

// elfFile makes a minimal 64-bit ELF file with one section of that name and content.
func elfFile(t testing.TB, machine elf.Machine, section string, content []byte) []byte {
	t.Helper()
	names := "\x00" + section + "\x00.shstrtab\x00"
	const headerSize, sectionSize = 64, 64
	tables := uint64(headerSize + len(content) + len(names))
	h := elf.Header64{
		Type: uint16(elf.ET_REL), Machine: uint16(machine), Version: 1, Shoff: tables,
		Ehsize: headerSize, Shentsize: sectionSize, Shnum: 3, Shstrndx: 2,
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: headerSize, Size: uint64(len(content))},
		{Name: uint32(2 + len(section)), Type: uint32(elf.SHT_STRTAB), Off: headerSize + uint64(len(content)), Size: uint64(len(names))},
	}
	var b bytes.Buffer
	for _, part := range []any{h, content, []byte(names), sections} {
		require.NoError(t, binary.Write(&b, binary.LittleEndian, part))
	}
	return b.Bytes()
}

func module(t testing.TB, entries ...string) []byte {
	return elfFile(t, elf.EM_X86_64, ".modinfo", []byte(strings.Join(entries, "\x00")+"\x00"))
}

func compress(t testing.TB, body []byte) []byte {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// kernelDeb packs files as a Debian package, as a kernel package is laid out.
func kernelDeb(t testing.TB, files map[string][]byte) string {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not installed")
	}
	root := t.TempDir()
	files["DEBIAN/control"] = []byte("Package: linux-image-test\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: test\n")
	for name, body := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), body, 0o644))
	}
	require.NoError(t, os.Chmod(root, 0o755))
	deb := filepath.Join(t.TempDir(), "kernel.deb")
	out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Znone", "--build", root, deb).CombinedOutput()
	require.NoError(t, err, string(out))
	return deb
}

func FuzzParseModinfo(f *testing.F) {
	f.Add(module(f, "depends=a,b", "alias=pci:v*", "softdep=pre: x post: y", "license=GPL"))
	f.Add(module(f, "alias=two words", "alias=line\nbreak", "depends=", "depends"))
	f.Add(elfFile(f, elf.EM_AARCH64, ".text", []byte("x")))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, body []byte) {
		info, err := ramdisk.ParseModinfo(body)
		if err == nil && len(body) == 0 {
			t.Fatalf("nothing is no module: %+v", info)
		}
	})
}
