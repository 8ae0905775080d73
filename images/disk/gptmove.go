package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// RelocateGPT moves the backup GPT to the end of a disk that is larger than the image that was written to it, and tells
// the primary (as sgdisk -e). It says whether anything had to be written; on a disk without a GPT nothing has. It may be
// repeated.
func RelocateGPT(t Target) (bool, error) {
	size, err := sizeOf(t)
	if err != nil {
		return false, err
	}
	g, err := readGPT(t, size)
	if errors.Is(err, ErrNoTable) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if g.placed(t) {
		return false, nil
	}
	if err := g.within(); err != nil {
		return false, err
	}
	if err := g.store(t); err != nil {
		return false, err
	}
	return true, nil
}

// within refuses a table of which a partition does not lie on the disk, in front of the backup table.
func (g *gpt) within() error {
	first, last := uint64(g.lba(gptFirst)), uint64(g.disk/g.sector-1-g.listSectors()-1)
	var wrong error
	g.each(func(number int, e []byte) {
		from, to := binary.LittleEndian.Uint64(e[32:]), binary.LittleEndian.Uint64(e[40:])
		if !isZero(e[:16]) && (from < first || to < from || to > last) {
			wrong = fmt.Errorf("cannot move the backup GPT: partition %d has the sectors %d to %d, usable are %d to %d",
				number, from, to, first, last)
		}
	})
	return wrong
}

// placed tells whether both copies are valid, equal, and at the disk's two ends.
func (g *gpt) placed(t Target) bool {
	last := g.disk/g.sector - 1
	if g.at != 1 || g.lba(gptOther) != last || g.lba(gptLast) != last-g.listSectors()-1 {
		return false
	}
	backup, err := readGPTAt(t, g.disk, g.sector, last)
	return err == nil && backup.lba(gptOther) == 1 && bytes.Equal(backup.entries, g.entries) &&
		bytes.Equal(backup.header[gptFirst:gptTable], g.header[gptFirst:gptTable])
}

// protect makes a plain protective MBR cover the whole disk (UEFI 2.10 section 5.2.3). A hybrid MBR is left alone.
func protect(t Target, disk, sector int64) error {
	mbr := make([]byte, 512)
	if err := readFull(t, mbr, 0); err != nil {
		return err
	}
	entry := mbr[446:462]
	le := binary.LittleEndian
	if mbr[510] != 0x55 || mbr[511] != 0xaa || entry[4] != 0xee || le.Uint32(entry[8:]) != 1 || !isZero(mbr[462:510]) {
		return nil
	}
	want := uint32(min(disk/sector-1, math.MaxUint32))
	if le.Uint32(entry[12:]) == want {
		return nil
	}
	le.PutUint32(entry[12:], want)
	copy(entry[5:8], chs(disk/sector-1))
	// A whole sector is written, also where it is larger than the MBR.
	full := make([]byte, sector)
	if err := readFull(t, full, 0); err != nil {
		return err
	}
	copy(full, mbr)
	if _, err := t.WriteAt(full, 0); err != nil {
		return fmt.Errorf("cannot write the protective MBR: %w", err)
	}
	if err := t.Sync(); err != nil {
		return fmt.Errorf("cannot sync the protective MBR: %w", err)
	}
	return nil
}

// chs is a sector number in the form of an MBR, with the 255 heads and 63 sectors that everything assumes; ff ff ff where
// it does not fit.
func chs(lba int64) []byte {
	cylinder, head, sector := lba/(255*63), lba/63%255, lba%63+1
	if cylinder > 1023 {
		return []byte{0xff, 0xff, 0xff}
	}
	return []byte{byte(head), byte(sector | cylinder>>2&0xc0), byte(cylinder)}
}
