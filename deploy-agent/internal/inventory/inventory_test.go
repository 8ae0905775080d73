package inventory_test

import (
	"encoding/json"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/inventory"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tree builds the machine that a .tree file describes: "path = content", "path -> link" or "path/ dir" on each line.
func tree(t *testing.T, file string) string {
	t.Helper()
	root := t.TempDir()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		path, rest, ok := strings.Cut(line, " ")
		require.True(t, ok, line)
		at := filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		sign, value, _ := strings.Cut(rest, " ")
		switch sign {
		case "=":
			content, err := strconv.Unquote(`"` + strings.ReplaceAll(value, `"`, `\"`) + `"`)
			require.NoError(t, err, line)
			require.NoError(t, os.WriteFile(at, []byte(content+"\n"), 0o644))
		case "->":
			require.NoError(t, os.Symlink(value, at))
		case "dir":
			require.NoError(t, os.MkdirAll(at, 0o755))
		default:
			t.Fatal(line)
		}
	}
	return root
}

// golden compares got with the file, or writes it with -update.
func golden(t *testing.T, file string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(text))
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"server"} {
		t.Run(name, func(t *testing.T) {
			h := &inventory.Host{
				Root: tree(t, "testdata/"+name+".tree"), BootIF: "01-24-6e-96-11-22-33", Arch: "x86_64", Hostname: "box", Log: slog.New(slog.DiscardHandler),
				Addresses: func(name string) (v4, v6 netip.Addr) {
					if name == "eno1" {
						return netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("fd00::7")
					}
					return v4, v6
				},
				BMC: func() (string, string) { return "10.0.1.7", "" },
			}
			golden(t, "testdata/"+name+".json", h.Inventory())
			golden(t, "testdata/"+name+"-pci.json", h.PCI())
		})
	}
}

func TestEmptyMachine(t *testing.T) {
	h := &inventory.Host{Root: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	got := h.Inventory()
	require.Empty(t, got.Disks)
	require.Equal(t, "bios", got.Boot.CurrentMode)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.Contains(t, string(text), `"disks":[]`, "Ironic wants lists, not null")
	require.Contains(t, string(text), `"interfaces":[]`)
}

// table is an SMBIOS table: each structure's formatted part after the header, and its strings.
func table(structures ...func() (kind byte, body []byte, texts []string)) []byte {
	var out []byte
	for i, s := range structures {
		kind, body, texts := s()
		out = append(out, kind, byte(4+len(body)), byte(i), 0)
		out = append(out, body...)
		for _, text := range texts {
			out = append(append(out, text...), 0)
		}
		if len(texts) == 0 {
			out = append(out, 0)
		}
		out = append(out, 0)
	}
	return out
}

func memory(size uint16, extended uint32) func() (byte, []byte, []string) {
	return func() (byte, []byte, []string) {
		body := make([]byte, 0x22-4)
		body[0x0c-4], body[0x0d-4] = byte(size), byte(size>>8)
		for i := range 4 {
			body[0x1c-4+i] = byte(extended >> (8 * i))
		}
		return 17, body, []string{"DIMM"}
	}
}

func smbios() []byte {
	return table(
		func() (byte, []byte, []string) {
			return 0, []byte{1, 2, 0, 0, 3, 0}, []string{"SeaBIOS", "1.16.2", "04/01/2014"}
		},
		func() (byte, []byte, []string) {
			return 1, []byte{1, 2, 0, 3}, []string{"QEMU", "Standard PC", "S/N 5"}
		},
		memory(2048, 0), memory(0x7fff, 65536), memory(0xffff, 0), memory(0, 0), memory(0x8000|2048, 0),
		func() (byte, []byte, []string) {
			body := make([]byte, 0x1a-4)
			body[0x10-4], body[0x18-4] = 1, 0x41
			return 4, body, []string{"Neoverse-N1"}
		},
		func() (byte, []byte, []string) { return 127, nil, nil },
	)
}

func TestSMBIOS(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/firmware/dmi/tables"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "sys/firmware/dmi/tables/DMI"), append(smbios(), "junk after the end"...), 0o644))
	got := (&inventory.Host{Root: root, Log: slog.New(slog.DiscardHandler)}).Inventory()
	require.Equal(t, "QEMU", got.SystemVendor.Manufacturer)
	require.Equal(t, "Standard PC", got.SystemVendor.Product)
	require.Equal(t, "S/N 5", got.SystemVendor.Serial)
	require.Equal(t, "1.16.2", got.SystemVendor.Firmware.Version)
	require.Equal(t, "04/01/2014", got.SystemVendor.Firmware.BuildDate)
	require.Equal(t, 2048+65536+2, got.Memory.PhysicalMB)
	require.Equal(t, "Neoverse-N1", got.CPU.Model)
	require.Equal(t, 1, got.CPU.Sockets)
}

func FuzzSMBIOS(f *testing.F) {
	f.Add(smbios())
	f.Add([]byte{17, 4, 0, 0, 0})
	f.Add([]byte{1, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		tables := inventory.ParseSMBIOS(b)
		if tables.PhysicalMB() < 0 {
			t.Fatal("negative memory")
		}
		_ = tables.Processor()
		_ = tables.Sockets()
	})
}
