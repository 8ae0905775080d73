package disk

import (
	"errors"
	"fmt"
	"strings"
)

// Partition is one entry of a disk's partition table.
type Partition struct {
	Number int    // as the kernel counts: GPT entries and MBR primaries from 1, logical partitions from 5
	Start  int64  // bytes from the disk's start
	Size   int64  // bytes
	Type   string // GPT: the type's GUID in lower case; MBR: as 0x83
	GUID   string // GPT: the partition's own GUID in lower case
	Name   string // GPT: its label
}

// Table is a disk's partition table.
type Table struct {
	Kind       string // "gpt" or "mbr"
	GUID       string // GPT: the disk's GUID in lower case
	Sector     int64  // bytes per sector that the table counts in
	Partitions []Partition
}

// ReadTable reads the disk's partition table: the primary GPT, the backup GPT when that is damaged, or the MBR with its
// logical partitions. A disk without one is an ErrNoTable.
func ReadTable(t Target) (Table, error) {
	size, err := sizeOf(t)
	if err != nil {
		return Table{}, err
	}
	g, err := readGPT(t, size)
	if err == nil {
		return g.table(), nil
	}
	if !errors.Is(err, ErrNoTable) {
		return Table{}, err
	}
	m, err := readMBR(t, size)
	if err != nil {
		return Table{}, err
	}
	return Table{Kind: "mbr", Sector: m.sector, Partitions: m.parts}, nil
}

// guidText shows a GUID as stored by EFI, its first three fields little endian.
func guidText(b []byte) string {
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}

// named finds the partition that already is a config drive, by its GPT label or by its volume's.
func (t Table) named(dev Target, label string) (Partition, bool, error) {
	for _, p := range t.Partitions {
		if strings.EqualFold(p.Name, label) {
			return p, true, nil
		}
		have, err := volumeLabel(dev, p)
		if err != nil {
			return Partition{}, false, err
		}
		if strings.EqualFold(have, label) {
			return p, true, nil
		}
	}
	return Partition{}, false, nil
}

// volumeLabel reads the label of an ISO 9660 or FAT volume, the two that config drives come in.
func volumeLabel(dev Target, p Partition) (string, error) {
	const pvd = 16 * 2048
	if p.Size < pvd+2048 {
		return "", nil
	}
	head := make([]byte, pvd+2048)
	if err := readFull(dev, head, p.Start); err != nil {
		return "", err
	}
	label := ""
	switch {
	case string(head[pvd+1:pvd+6]) == "CD001":
		label = string(head[pvd+40 : pvd+72])
	case string(head[82:87]) == "FAT32":
		label = string(head[71:82])
	case string(head[54:57]) == "FAT":
		label = string(head[43:54])
	}
	return strings.TrimRight(label, " \x00"), nil
}
