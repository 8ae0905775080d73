package format_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/images/format"
)

// qemuImg runs the real tool in dir, or skips where it is not installed.
func qemuImg(t *testing.T, dir string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("qemu-img is not installed")
	}
	cmd := exec.Command("qemu-img", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func inspect(t *testing.T, path string) format.Info {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	st, err := f.Stat()
	require.NoError(t, err)
	info, err := format.Inspect(f, st.Size())
	require.NoError(t, err)
	return info
}

func inspectBytes(t *testing.T, b []byte) format.Info {
	t.Helper()
	info, err := format.Inspect(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return info
}

func TestImagesOfQemuImg(t *testing.T) {
	const size = 5 << 20
	rows := []struct {
		name, declared, found string
		create                []string
		unsafe                string // part of the refusal, empty when accepted
	}{
		{"raw", "raw", "raw", []string{"-f", "raw"}, ""},
		{"qcow2", "qcow2", "qcow2", []string{"-f", "qcow2"}, ""},
		{"qcow2 v2", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "compat=0.10"}, ""},
		{"qcow2 zstd", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "compression_type=zstd"}, ""},
		{"qcow2 extended", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "extended_l2=on,cluster_size=128k"}, ""},
		{"qcow2 small clusters", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "cluster_size=512"}, ""},
		{"qcow2 big clusters", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "cluster_size=2M"}, ""},
		{"qcow2 lazy", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "lazy_refcounts=on,refcount_bits=1"}, ""},
		{"qcow2 backing", "qcow2", "qcow2", []string{"-f", "qcow2", "-b", "base", "-F", "raw"}, "backing file"},
		{"qcow2 data file", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "data_file=payload"}, "external"},
		{"qcow2 raw data file", "qcow2", "qcow2", []string{"-f", "qcow2", "-o", "data_file=payload,data_file_raw=on"}, "external"},
		{"qcow", "qcow2", "qcow", []string{"-f", "qcow"}, "declared qcow2, but its content is qcow:"},
		{"qed", "qed", "qed", []string{"-f", "qed"}, "qed is abandoned"},
		{"vmdk", "vmdk", "vmdk", []string{"-f", "vmdk"}, ""},
		{"vmdk flat", "vmdk", "vmdk", []string{"-f", "vmdk", "-o", "subformat=monolithicFlat"}, "names other files"},
		{"vmdk backing", "vmdk", "vmdk", []string{"-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk"}, "parent file"},
		{"vhd dynamic", "vhd", "vhd", []string{"-f", "vpc"}, ""},
		{"vhd as vpc", "vpc", "vhd", []string{"-f", "vpc"}, ""},
		{"vhd fixed", "vhd", "vhd", []string{"-f", "vpc", "-o", "subformat=fixed"}, ""},
		{"vhd fixed as raw", "raw", "vhd", []string{"-f", "vpc", "-o", "subformat=fixed"}, "content is vhd"},
		{"vhdx", "vhdx", "vhdx", []string{"-f", "vhdx"}, ""},
		{"vdi", "vdi", "vdi", []string{"-f", "vdi"}, ""},
		{"luks", "luks", "luks", []string{"-f", "luks", "--object", "secret,id=s,data=x", "-o", "key-secret=s,iter-time=10"}, ""},
		{"qcow2 encrypted", "qcow2", "qcow2", []string{
			"-f", "qcow2", "--object", "secret,id=s,data=x",
			"-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
		}, "encrypted"},
		{"parallels", "raw", "parallels", []string{"-f", "parallels"}, "content is parallels"},
		{"qcow2 as raw", "raw", "qcow2", []string{"-f", "qcow2"}, "declared raw, but its content is qcow2"},
		{"raw as qcow2", "qcow2", "raw", []string{"-f", "raw"}, "declared qcow2, but its content is raw"},
		{"nothing declared", "", "raw", []string{"-f", "raw"}, "none was declared"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			qemuImg(t, dir, "create", "-q", "-f", "raw", "base", "5M")
			qemuImg(t, dir, "create", "-q", "-f", "vmdk", "base.vmdk", "5M")
			qemuImg(t, dir, append(append([]string{"create", "-q"}, row.create...), "image", "5M")...)
			info := inspect(t, filepath.Join(dir, "image"))
			require.Equal(t, row.found, info.Format, "%+v", info)
			err := format.Check(info, row.declared)
			if row.unsafe != "" {
				require.ErrorContains(t, err, row.unsafe)
				return
			}
			require.NoError(t, err)
			if row.found != "luks" {
				// VHD rounds up to its cylinders.
				require.InDelta(t, size, info.VirtualSize, 64<<10)
			}
		})
	}
}

// header returns a valid small qcow2 v3 header in one cluster, with its L1 table in the next.
func header() []byte {
	b := make([]byte, 192<<10)
	be := binary.BigEndian
	copy(b, "QFI\xfb")
	be.PutUint32(b[4:], 3)
	be.PutUint32(b[20:], 16)
	be.PutUint64(b[24:], 1<<30)
	be.PutUint32(b[36:], 2)
	be.PutUint64(b[40:], 64<<10)
	be.PutUint32(b[96:], 4)
	be.PutUint32(b[100:], 104)
	return b
}

func TestHostileQCOW2Headers(t *testing.T) {
	be := binary.BigEndian
	require.NoError(t, format.Check(inspectBytes(t, header()), "qcow2"), "the unchanged header")
	rows := []struct {
		name, want string
		change     func(b []byte)
	}{
		{"backing offset only", "backing file", func(b []byte) { be.PutUint64(b[8:], 512) }},
		{"backing size only", "backing file", func(b []byte) { be.PutUint32(b[16:], 5) }},
		{"unknown version", "version is 9", func(b []byte) { be.PutUint32(b[4:], 9) }},
		{"cluster bits 31", "cluster size", func(b []byte) { be.PutUint32(b[20:], 31) }},
		{"cluster bits 8", "cluster size", func(b []byte) { be.PutUint32(b[20:], 8) }},
		{"size zero", "virtual size", func(b []byte) { be.PutUint64(b[24:], 0) }},
		{"size beyond int64", "virtual size", func(b []byte) { be.PutUint64(b[24:], 1<<63) }},
		{"size near the limit", "virtual size", func(b []byte) { be.PutUint64(b[24:], 1<<63-1) }},
		{"L1 too small", "needs 2048", func(b []byte) { be.PutUint64(b[24:], 1<<40) }},
		{"L1 absurd", "L1 table claims", func(b []byte) { be.PutUint32(b[36:], 1<<31) }},
		{"L1 outside", "beyond the end", func(b []byte) { be.PutUint64(b[40:], 1<<40) }},
		{"L1 offset wraps", "beyond the end", func(b []byte) { be.PutUint64(b[40:], 1<<64-1<<16) }},
		{"L1 in the header", "not a cluster of its own", func(b []byte) { be.PutUint64(b[40:], 0) }},
		{"corrupt bit", "marked corrupt", func(b []byte) { b[79] = 2 }},
		{"data file bit", "external file", func(b []byte) { b[79] = 4 }},
		{"unknown bit low", "unknown incompatible", func(b []byte) { b[79] = 32 }},
		{"unknown bit high", "unknown incompatible", func(b []byte) { b[72] = 0x80 }},
		{"raw external", "external raw data file", func(b []byte) { b[95] = 2 }},
		{"encrypted", "encrypted", func(b []byte) { be.PutUint32(b[32:], 1) }},
		{"snapshots", "internal snapshots", func(b []byte) { be.PutUint32(b[60:], 1<<20) }},
		{"header length", "header claims a length", func(b []byte) { be.PutUint32(b[100:], 1<<30) }},
		{"refcount width", "reference counts", func(b []byte) { be.PutUint32(b[96:], 7) }},
		{"compression without its bit", "compression type", func(b []byte) { be.PutUint32(b[100:], 112); b[104] = 1 }},
		{"unknown compression", "compression type", func(b []byte) { be.PutUint32(b[100:], 112); b[104] = 2; b[79] = 8 }},
		{"data file name only", "external data file", func(b []byte) { be.PutUint32(b[104:], 0x44415441); be.PutUint32(b[108:], 3) }},
		{"crypto header only", "encryption header", func(b []byte) { be.PutUint32(b[104:], 0x0537be77); be.PutUint32(b[108:], 16) }},
		{"second extension", "external data file", func(b []byte) {
			be.PutUint32(b[104:], 0x6803f857)
			be.PutUint32(b[108:], 45)
			be.PutUint32(b[112+48:], 0x44415441)
		}},
		{"also an ISO", "at once", func(b []byte) { copy(b[32769:], "CD001") }},
		{"also a VDI", "at once", func(b []byte) { copy(b[64:], "\x7f\x10\xda\xbe") }},
		{"also a VHD", "at once", func(b []byte) { copy(b[len(b)-512:], "conectix") }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := header()
			row.change(b)
			err := format.Check(inspectBytes(t, b), "qcow2")
			require.ErrorIs(t, err, format.ErrUnsafe)
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestHostileVMDK(t *testing.T) {
	desc := "# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"%s\"\n"
	build := func(desc string) []byte {
		b := make([]byte, 64<<10)
		copy(b, "KDMV\x01")
		binary.LittleEndian.PutUint64(b[12:], 2048)
		binary.LittleEndian.PutUint64(b[28:], 1)
		binary.LittleEndian.PutUint64(b[36:], 20)
		copy(b[512:], desc)
		return b
	}
	ok := strings.ReplaceAll(desc, "%s", "a.vmdk")
	require.NoError(t, format.Check(inspectBytes(t, build(ok)), "vmdk"))
	for name, bad := range map[string]string{
		"path":        strings.ReplaceAll(desc, "%s", "/etc/passwd"),
		"two extents": ok + "RW 1 FLAT \"x\"\n",
		"flat":        strings.ReplaceAll(ok, "monolithicSparse", "monolithicFlat"),
		"parent":      ok + "parentFileNameHint=\"x\"\n",
		"garbage":     ok + "open the pod bay doors\n",
		"none":        "",
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, format.Check(inspectBytes(t, build(bad)), "vmdk"), format.ErrUnsafe)
		})
	}
}

func TestRawFlavours(t *testing.T) {
	mbr := make([]byte, 64<<10)
	mbr[510], mbr[511] = 0x55, 0xaa
	mbr[446+4] = 0x83
	require.Equal(t, "mbr", inspectBytes(t, mbr).Partition)

	gpt := bytes.Clone(mbr)
	gpt[446+4] = 0xee
	copy(gpt[512:], "EFI PART")
	require.Equal(t, "gpt", inspectBytes(t, gpt).Partition)
	require.NoError(t, format.Check(inspectBytes(t, gpt), "gpt"))
	require.NoError(t, format.Check(inspectBytes(t, gpt), "RAW"))
	require.ErrorIs(t, format.Check(inspectBytes(t, mbr), "gpt"), format.ErrMismatch)

	fat := bytes.Clone(mbr)
	fat[446] = 0x4d // boot code, not an entry
	require.Empty(t, inspectBytes(t, fat).Partition)

	hybrid := bytes.Clone(mbr)
	copy(hybrid[32769:], "CD001")
	require.NoError(t, format.Check(inspectBytes(t, hybrid), "raw"))
	require.NoError(t, format.Check(inspectBytes(t, hybrid), "iso"))

	iso := make([]byte, 64<<10)
	copy(iso[32769:], "CD001")
	require.ErrorIs(t, format.Check(inspectBytes(t, iso), "raw"), format.ErrMismatch)
	require.NoError(t, format.Check(inspectBytes(t, iso), "iso"))
}

func TestCompressedIsNotRaw(t *testing.T) {
	for want, magic := range map[string]string{
		"gzip": "\x1f\x8b\x08", "xz": "\xfd7zXZ\x00", "zstd": "\x28\xb5\x2f\xfd", "zip": "PK\x03\x04",
	} {
		info := inspectBytes(t, append([]byte(magic), make([]byte, 100)...))
		require.Equal(t, want, info.Format)
		require.ErrorIs(t, format.Check(info, "raw"), format.ErrMismatch)
	}
}

func TestEmptyAndShort(t *testing.T) {
	require.Equal(t, "raw", inspectBytes(t, nil).Format)
	require.ErrorIs(t, format.Check(inspectBytes(t, []byte("QFI\xfb\x00\x00\x00\x03")), "qcow2"), format.ErrUnsafe)
	_, err := format.Inspect(bytes.NewReader(nil), -1)
	require.Error(t, err)
	_, err = format.Inspect(broken{}, 1<<20)
	require.ErrorContains(t, err, "cannot read")
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errors.New("the disk is gone") }

func FuzzInspect(f *testing.F) {
	f.Add([]byte(nil), "raw")
	f.Add(header(), "qcow2")
	f.Add([]byte("KDMV\x01\x00\x00\x00"), "vmdk")
	vhdx := make([]byte, 260<<10)
	copy(vhdx, "vhdxfile")
	copy(vhdx[192<<10:], "regi\x00\x00\x00\x00\x01")
	f.Add(vhdx, "vhdx")
	f.Add(append(make([]byte, 1024), []byte("conectix")...), "vhd")
	f.Fuzz(func(t *testing.T, b []byte, declared string) {
		info, err := format.Inspect(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("reading from memory failed: %v", err)
		}
		if info.VirtualSize < 0 {
			t.Fatalf("negative size %d", info.VirtualSize)
		}
		if format.Check(info, declared) == nil && info.Format == format.QCOW2 {
			if info.QCOW2 == nil || info.ClusterSize < 512 || int64(info.QCOW2.L1Size)*8 > int64(len(b)) {
				t.Fatalf("accepted %+v", info)
			}
		}
	})
}
