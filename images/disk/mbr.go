package disk

import (
	"encoding/binary"
	"fmt"
)

// mbr is a DOS partition table.
type mbr struct {
	sector  int64
	disk    int64
	boot    []byte // sector 0
	parts   []Partition
	chain   []int64 // where the extended boot records are, bytes
	primary int     // primaries in use, extended ones included
	end     int64   // first byte behind the last partition
}

// readMBR reads the table of a disk of size bytes, following the chain of logical partitions.
func readMBR(t Target, size int64) (*mbr, error) {
	m := &mbr{sector: sectorOf(t), disk: size, boot: make([]byte, 512)}
	if size < 512 {
		return nil, fmt.Errorf("%w: the disk has %d bytes", ErrNoTable, size)
	}
	if err := readFull(t, m.boot, 0); err != nil {
		return nil, err
	}
	if m.boot[510] != 0x55 || m.boot[511] != 0xaa {
		return nil, fmt.Errorf("%w: the disk has neither a GPT nor an MBR", ErrNoTable)
	}
	extended := int64(0)
	for i := range 4 {
		e := m.boot[446+16*i:][:16]
		if e[0]&0x7f != 0 {
			return nil, fmt.Errorf("%w: the disk starts with a boot sector that has no partition table", ErrNoTable)
		}
		if e[4] == 0 {
			continue
		}
		m.primary++
		start := m.add(i+1, e, 0)
		if (e[4] == 0x05 || e[4] == 0x0f || e[4] == 0x85) && extended == 0 {
			extended = start
		}
	}
	if m.primary == 0 {
		return nil, fmt.Errorf("%w: the MBR has no partitions", ErrNoTable)
	}
	if extended == 0 {
		return m, nil
	}
	return m, m.logical(t, extended)
}

// add lists entry e, whose start counts from base, and returns its place. What does not lie on the disk is left out.
func (m *mbr) add(number int, e []byte, base int64) int64 {
	start := base + int64(binary.LittleEndian.Uint32(e[8:]))*m.sector
	size := int64(binary.LittleEndian.Uint32(e[12:])) * m.sector
	if start >= m.disk || start == 0 || size == 0 {
		return 0
	}
	size = min(size, m.disk-start)
	m.end = max(m.end, start+size)
	m.parts = append(m.parts, Partition{Number: number, Start: start, Size: size, Type: fmt.Sprintf("0x%02x", e[4])})
	return start
}

// logical follows the extended boot records, each of which names one partition and the next record.
func (m *mbr) logical(t Target, extended int64) error {
	at, seen := extended, map[int64]bool{}
	for number := 5; number < 5+128 && at > 0 && at < m.disk-512 && !seen[at]; number++ {
		seen[at] = true
		ebr := make([]byte, 512)
		if err := readFull(t, ebr, at); err != nil {
			return err
		}
		if ebr[510] != 0x55 || ebr[511] != 0xaa {
			return nil
		}
		m.chain = append(m.chain, at)
		if ebr[446+4] != 0 {
			m.add(number, ebr[446:462], at)
		}
		next := int64(binary.LittleEndian.Uint32(ebr[462+8:])) * m.sector
		if ebr[462+4] == 0 || next == 0 {
			return nil
		}
		at = extended + next
	}
	return nil
}

// insert adds a primary partition and writes the table. Cylinder fields are set to "beyond their range", as every tool
// since the nineties does for large disks.
func (m *mbr) insert(t Target, kind byte, start, size int64) (int, error) {
	for i := range 4 {
		e := m.boot[446+16*i:][:16]
		if e[4] != 0 {
			continue
		}
		copy(e, []byte{0, 0xfe, 0xff, 0xff, kind, 0xfe, 0xff, 0xff})
		binary.LittleEndian.PutUint32(e[8:], uint32(start/m.sector))
		binary.LittleEndian.PutUint32(e[12:], uint32(size/m.sector))
		sector := make([]byte, max(m.sector, 512))
		if err := readFull(t, sector, 0); err != nil {
			return 0, err
		}
		copy(sector, m.boot)
		if _, err := t.WriteAt(sector, 0); err != nil {
			return 0, fmt.Errorf("cannot write the MBR: %w", err)
		}
		if err := t.Sync(); err != nil {
			return 0, fmt.Errorf("cannot sync the MBR: %w", err)
		}
		return i + 1, nil
	}
	return 0, fmt.Errorf("%w: the MBR already has four primary partitions", ErrNoRoom)
}
