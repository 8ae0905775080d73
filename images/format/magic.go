package format

import (
	"bytes"
	"encoding/binary"
)

// magics are the signatures at fixed offsets, in the order of precedence when an image carries several.
func magics() []struct {
	format string
	at     int
	magic  string
} {
	return []struct {
		format string
		at     int
		magic  string
	}{
		{QED, 0, "QED\x00"},
		{VMDK, 0, "KDMV"},
		{VMDK, 0, "COWD"},
		{VMDK, 0, "# Disk DescriptorFile"},
		{VHDX, 0, "vhdxfile"},
		{VHD, 0, "conectix"},
		{VDI, 64, "\x7f\x10\xda\xbe"},
		{Parallels, 0, "WithoutFreeSpace"},
		{Parallels, 0, "WithouFreSpacExt"},
		{Bochs, 0, "Bochs Virtual HD Image"},
		{LUKS, 0, "LUKS\xba\xbe"},
		{Gzip, 0, "\x1f\x8b\x08"},
		{XZ, 0, "\xfd7zXZ\x00"},
		{Zstd, 0, "\x28\xb5\x2f\xfd"},
		{Bzip2, 0, "BZh"},
		{LZ4, 0, "\x04\x22\x4d\x18"},
		{Zip, 0, "PK\x03\x04"},
		{SevenZip, 0, "7z\xbc\xaf\x27\x1c"},
		{Tar, 257, "ustar"},
	}
}

// containers lists every container format whose signature the image carries.
func (s *scan) containers() []string {
	var found []string
	add := func(f string) {
		for _, have := range found {
			if have == f {
				return
			}
		}
		found = append(found, f)
	}
	if bytes.HasPrefix(s.head, []byte("QFI\xfb")) && len(s.head) >= 8 {
		if binary.BigEndian.Uint32(s.head[4:]) == 1 {
			add(QCOW)
		} else {
			add(QCOW2)
		}
	}
	for _, m := range magics() {
		if len(s.head) >= m.at+len(m.magic) && string(s.head[m.at:m.at+len(m.magic)]) == m.magic {
			add(m.format)
		}
	}
	if f := Footer(s.foot); f != "" {
		add(f)
	}
	return found
}

// Footer names the format told by an image's last 512 bytes: "vhd" for a fixed VHD, which is raw data followed by a
// footer and cannot be told from its start, "dmg" for an Apple disk image, or "". A streaming reader that saw only the
// start calls it at the end.
func Footer(last []byte) string {
	switch {
	case len(last) == 512 && bytes.HasPrefix(last, []byte("conectix")):
		return VHD
	case len(last) == 512 && bytes.HasPrefix(last, []byte("koly\x00\x00\x00\x04")):
		return DMG
	}
	return ""
}

// iso tells whether an ISO 9660 or UDF volume starts in sector 16 (ECMA-119 6.2.1, ECMA-167 2/8).
func (s *scan) iso() bool {
	const at = 16*2048 + 1
	if len(s.head) < at+5 {
		return false
	}
	switch string(s.head[at : at+5]) {
	case "CD001", "BEA01", "NSR02", "NSR03":
		return true
	}
	return false
}

// partition names the partition table at the image's start. A FAT boot sector ends in 55 AA too, so the four entries
// have to look like entries: boot flag 00 or 80, and at least one in use.
func (s *scan) partition() string {
	if len(s.head) < 512 || s.head[510] != 0x55 || s.head[511] != 0xaa {
		return ""
	}
	used := false
	for i := range 4 {
		entry := s.head[446+16*i:][:16]
		if entry[0]&0x7f != 0 {
			return ""
		}
		if entry[4] == 0 {
			continue
		}
		used = true
		if entry[4] == 0xee && s.gptHeader() {
			return "gpt"
		}
	}
	if used {
		return "mbr"
	}
	return ""
}

// gptHeader tells whether a GPT header stands in LBA 1, for 512 and 4096 byte sectors (UEFI 2.10 section 5.3.2).
func (s *scan) gptHeader() bool {
	for _, at := range []int{512, 4096} {
		if len(s.head) >= at+8 && string(s.head[at:at+8]) == "EFI PART" {
			return true
		}
	}
	return false
}
