package disk

import (
	"context"
	"errors"
	"fmt"
)

// Signatures stand in the first megabytes of a disk or partition (partition tables, file systems, LUKS with its second
// header at up to 4 MiB, LVM, md 1.1 and 1.2, ZFS, VMFS) and in its last ones (backup GPT, md 0.90 and 1.0, DDF and
// other firmware RAID, ZFS, nilfs2).
const (
	wipeStart = 5 * mib
	wipeEnd   = 2 * mib
)

// btrfs keeps copies of its superblock here, from which a wiped one can be brought back.
const btrfsMagic = "_BHRfS_M"

// WipeMetadata makes a disk look blank: no partition table, file system, RAID or LVM signature is left on it, nor at the
// start and end of any partition that it had (Ironic's erase_devices_metadata does it with wipefs, dd and sgdisk). Data
// is not erased. Partitions go first and the table last, so that a repeat after a failure still knows them.
func WipeMetadata(ctx context.Context, t Target) error {
	size, err := sizeOf(t)
	if err != nil {
		return fmt.Errorf("cannot wipe the disk's metadata: %w", err)
	}
	areas, err := wipeAreas(t, size)
	if err != nil {
		return fmt.Errorf("cannot wipe the disk's metadata: %w", err)
	}
	for _, a := range append(areas, area{0, size}) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := a.wipe(t); err != nil {
			return fmt.Errorf("cannot wipe the disk's metadata: %w", err)
		}
	}
	if err := t.Sync(); err != nil {
		return fmt.Errorf("cannot wipe the disk's metadata: cannot sync: %w", err)
	}
	return nil
}

// area is a disk or a partition.
type area struct{ start, size int64 }

// wipeAreas lists the partitions of every table found: GPT copies and MBR may name different ones.
func wipeAreas(t Target, size int64) ([]area, error) {
	var out []area
	last := size/sectorOf(t) - 1
	for _, lba := range []int64{1, last} {
		if last < 2 {
			break
		}
		g, err := readGPTAt(t, size, sectorOf(t), lba)
		if errors.Is(err, ErrNoTable) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, p := range g.table().Partitions {
			out = append(out, area{p.Start, p.Size})
		}
	}
	m, err := readMBR(t, size)
	if errors.Is(err, ErrNoTable) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	// From the last logical partition to the first: the chain stays whole up to what is still to be done.
	for i := len(m.parts) - 1; i >= 0; i-- {
		if kind := m.parts[i].Type; kind != "0x05" && kind != "0x0f" && kind != "0x85" && kind != "0xee" {
			out = append(out, area{m.parts[i].Start, m.parts[i].Size})
		}
	}
	for i := len(m.chain) - 1; i >= 0; i-- {
		out = append(out, area{m.chain[i], 512})
	}
	return out, nil
}

// wipe zeroes both ends by writing, which every disk obeys, and the copies of a btrfs superblock.
func (a area) wipe(t Target) error {
	for _, copyAt := range []int64{64 * mib, 256 << 30} {
		magic := make([]byte, len(btrfsMagic))
		if a.size < copyAt+4096 {
			continue
		}
		if err := readFull(t, magic, a.start+copyAt+64); err != nil {
			return err
		}
		if string(magic) == btrfsMagic {
			if err := writeZeros(t, a.start+copyAt, 4096); err != nil {
				return err
			}
		}
	}
	end := min(wipeEnd, a.size)
	if err := writeZeros(t, a.start+a.size-end, end); err != nil {
		return err
	}
	return writeZeros(t, a.start, min(wipeStart, a.size))
}
