package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"unicode/utf16"
)

// gpt is a GUID partition table (UEFI 2.10 section 5.3) as it was read from one of its two places.
type gpt struct {
	sector  int64
	disk    int64 // size of the disk in bytes
	header  []byte
	entries []byte
	at      int64 // LBA it was read from
}

// Offsets in a GPT header; all numbers are little endian.
const (
	gptSize    = 12
	gptCRC     = 16
	gptMy      = 24
	gptOther   = 32
	gptFirst   = 40
	gptLast    = 48
	gptGUID    = 56
	gptTable   = 72
	gptCount   = 80
	gptEntry   = 84
	gptListCRC = 88
	gptMin     = 92
)

// readGPT reads the primary table, or the backup at the disk's end when the primary is damaged.
func readGPT(t Target, disk int64) (*gpt, error) {
	sector := sectorOf(t)
	last := disk/sector - 1
	if last < 2 {
		return nil, fmt.Errorf("%w: the disk has %d bytes", ErrNoTable, disk)
	}
	g, err := readGPTAt(t, disk, sector, 1)
	if err == nil || !errors.Is(err, ErrNoTable) {
		return g, err
	}
	if backup, err2 := readGPTAt(t, disk, sector, last); err2 == nil {
		return backup, nil
	}
	return nil, err
}

// readGPTAt reads and checks the table whose header is in sector lba.
func readGPTAt(t Target, disk, sector, lba int64) (*gpt, error) {
	header := make([]byte, sector)
	if err := readFull(t, header, lba*sector); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if string(header[:8]) != "EFI PART" {
		return nil, fmt.Errorf("%w: there is no GPT header in sector %d", ErrNoTable, lba)
	}
	size := int64(le.Uint32(header[gptSize:]))
	if size < gptMin || size > sector {
		return nil, fmt.Errorf("%w: the GPT header in sector %d claims %d bytes", ErrNoTable, lba, size)
	}
	g := &gpt{sector: sector, disk: disk, header: header[:size], at: lba}
	want := le.Uint32(header[gptCRC:])
	if g.headerCRC() != want || g.lba(gptMy) != lba {
		return nil, fmt.Errorf("%w: the GPT header in sector %d is damaged", ErrNoTable, lba)
	}
	count, each := int64(le.Uint32(header[gptCount:])), int64(le.Uint32(header[gptEntry:]))
	if each < 128 || each > 4096 || each%128 != 0 || count < 1 || count*each > mib {
		return nil, fmt.Errorf("%w: the GPT in sector %d claims %d entries of %d bytes", ErrNoTable, lba, count, each)
	}
	if at := g.lba(gptTable); at < 2 || at > disk/sector-(count*each+sector-1)/sector {
		return nil, fmt.Errorf("%w: the GPT in sector %d says its entries are in sector %d", ErrNoTable, lba, at)
	}
	g.entries = make([]byte, count*each)
	if err := readFull(t, g.entries, g.lba(gptTable)*sector); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(g.entries) != le.Uint32(header[gptListCRC:]) {
		return nil, fmt.Errorf("%w: the entries of the GPT in sector %d are damaged", ErrNoTable, lba)
	}
	return g, nil
}

// lba reads one of the header's sector numbers; those beyond any disk become negative and fit nowhere.
func (g *gpt) lba(field int) int64 { return int64(binary.LittleEndian.Uint64(g.header[field:])) }

func (g *gpt) setLBA(field int, n int64) { binary.LittleEndian.PutUint64(g.header[field:], uint64(n)) }

// headerCRC is computed with its own field as zero.
func (g *gpt) headerCRC() uint32 {
	h := bytes.Clone(g.header)
	clear(h[gptCRC : gptCRC+4])
	return crc32.ChecksumIEEE(h)
}

func (g *gpt) entrySize() int { return int(binary.LittleEndian.Uint32(g.header[gptEntry:])) }

func (g *gpt) listSectors() int64 { return (int64(len(g.entries)) + g.sector - 1) / g.sector }

// each calls f with the number (from 1) and bytes of every entry, used or not.
func (g *gpt) each(f func(number int, entry []byte)) {
	for i := 0; i*g.entrySize() < len(g.entries); i++ {
		f(i+1, g.entries[i*g.entrySize():][:g.entrySize()])
	}
}

// table is the exported form. Entries that lie outside of the disk are left out: nothing can be read or wiped there.
func (g *gpt) table() Table {
	out := Table{Kind: "gpt", GUID: guidText(g.header[gptGUID:]), Sector: g.sector}
	g.each(func(number int, e []byte) {
		first, last := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		if isZero(e[:16]) || first < 0 || last < first || last >= g.disk/g.sector {
			return
		}
		units := make([]uint16, 0, 36)
		for i := 56; i < 128; i += 2 {
			u := binary.LittleEndian.Uint16(e[i:])
			if u == 0 {
				break
			}
			units = append(units, u)
		}
		out.Partitions = append(out.Partitions, Partition{
			Number: number, Start: first * g.sector, Size: (last - first + 1) * g.sector,
			Type: guidText(e), GUID: guidText(e[16:]), Name: string(utf16.Decode(units)),
		})
	})
	return out
}

// store writes both copies, backup first, at the two ends of the disk, and the protective MBR's size. Between any two of
// its steps one valid copy is on the disk.
func (g *gpt) store(t Target) error {
	last := g.disk/g.sector - 1
	g.setLBA(gptLast, last-g.listSectors()-1)
	binary.LittleEndian.PutUint32(g.header[gptListCRC:], crc32.ChecksumIEEE(g.entries))
	first := int64(2)
	if g.at == 1 {
		first = g.lba(gptTable) // where the primary has it: some boards want a gap there
	}
	if first+g.listSectors() > g.lba(gptFirst) {
		return fmt.Errorf("cannot write the GPT: its %d entries would overlap the first usable sector", len(g.entries)/g.entrySize())
	}
	if err := g.put(t, last, 1, last-g.listSectors()); err != nil {
		return err
	}
	if err := g.put(t, 1, last, first); err != nil {
		return err
	}
	return protect(t, g.disk, g.sector)
}

// put writes one copy: its entries first, then the header that makes them valid.
func (g *gpt) put(t Target, my, other, list int64) error {
	g.setLBA(gptMy, my)
	g.setLBA(gptOther, other)
	g.setLBA(gptTable, list)
	binary.LittleEndian.PutUint32(g.header[gptCRC:], g.headerCRC())
	sector := make([]byte, g.sector)
	copy(sector, g.header)
	if _, err := t.WriteAt(g.entries, list*g.sector); err != nil {
		return fmt.Errorf("cannot write the GPT entries to sector %d: %w", list, err)
	}
	if _, err := t.WriteAt(sector, my*g.sector); err != nil {
		return fmt.Errorf("cannot write the GPT header to sector %d: %w", my, err)
	}
	if err := t.Sync(); err != nil {
		return fmt.Errorf("cannot sync the GPT: %w", err)
	}
	return nil
}
