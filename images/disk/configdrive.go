package disk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// ConfigDriveLabel is the label of a config drive's volume and of its GPT partition.
const ConfigDriveLabel = "config-2"

// configDriveSize is what a config drive's partition gets where there is room, as from Ironic's agent.
const configDriveSize = 64 * mib

// linuxData is the GPT type "Linux filesystem data", 0fc63daf-8483-4772-8e79-3d69d8477de4, as stored.
const linuxData = "\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4"

// AddConfigDrive puts a config drive (an ISO 9660 volume labelled config-2) on a disk that has a partition table: into
// the partition that is labelled config-2 already, or into a new one of 64 MiB at the disk's end (less if only less is
// free). A GPT is first stretched to the disk's end. The volume is written and read back before the table names it, so
// that a repeat after a failure finds either none or a whole one. The kernel is not told; see RereadPartitions.
func AddConfigDrive(ctx context.Context, t Target, iso []byte) (Partition, error) {
	if sector := sectorOf(t); sector > 2048 {
		return Partition{}, fmt.Errorf("cannot add a config drive: ISO 9660 has sectors of 2048 bytes, the disk has %d: use a virtual media config drive", sector)
	}
	if _, err := RelocateGPT(t); err != nil {
		return Partition{}, fmt.Errorf("cannot add a config drive: %w", err)
	}
	table, err := ReadTable(t)
	if err != nil {
		return Partition{}, fmt.Errorf("cannot add a config drive: %w", err)
	}
	part, found, err := table.named(t, ConfigDriveLabel)
	if err != nil {
		return Partition{}, fmt.Errorf("cannot add a config drive: %w", err)
	}
	if ctx.Err() != nil {
		return Partition{}, context.Cause(ctx)
	}
	switch {
	case found && part.Size < int64(len(iso)):
		err = fmt.Errorf("%w: the image's own config-2 partition has %d bytes, %d are needed", ErrNoRoom, part.Size, len(iso))
	case found:
		err = putVolume(t, part.Start, iso)
	case table.Kind == "gpt":
		part, err = addToGPT(t, iso)
	default:
		part, err = addToMBR(t, iso)
	}
	if err != nil {
		return Partition{}, fmt.Errorf("cannot add a config drive: %w", err)
	}
	return part, nil
}

// putVolume writes the volume and reads it back.
func putVolume(t Target, at int64, iso []byte) error {
	if _, err := t.WriteAt(iso, at); err != nil {
		return fmt.Errorf("cannot write %d bytes at offset %d: %w", len(iso), at, err)
	}
	if err := t.Sync(); err != nil {
		return fmt.Errorf("cannot sync: %w", err)
	}
	if d, ok := t.(CacheDropper); ok {
		if err := d.DropCache(); err != nil {
			return fmt.Errorf("cannot read back from the medium: %w", err)
		}
	}
	got := make([]byte, len(iso))
	if err := readFull(t, got, at); err != nil {
		return err
	}
	if !bytes.Equal(got, iso) {
		return &MismatchError{Offset: at, Length: int64(len(iso))}
	}
	return nil
}

// place finds room for n bytes between used and limit, at the end of it, aligned to a megabyte.
func place(n, used, limit int64) (start, size int64, err error) {
	for _, size := range []int64{max(n, configDriveSize), n} {
		size = (size + mib - 1) / mib * mib
		if start := (limit - size) / mib * mib; start >= used && start > 0 {
			return start, size, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: it needs %d bytes, and %d are free behind the last partition; use a larger disk or a smaller image",
		ErrNoRoom, n, max(limit-used, 0))
}

// addToGPT adds a partition entry with a random GUID.
func addToGPT(t Target, iso []byte) (Partition, error) {
	size, err := sizeOf(t)
	if err != nil {
		return Partition{}, err
	}
	g, err := readGPT(t, size)
	if err != nil {
		return Partition{}, err
	}
	used := g.lba(gptFirst) * g.sector
	for _, p := range g.table().Partitions {
		used = max(used, p.Start+p.Size)
	}
	start, length, err := place(int64(len(iso)), used, (g.lba(gptLast)+1)*g.sector)
	if err != nil {
		return Partition{}, err
	}
	number, entry := g.vacant()
	if entry == nil {
		return Partition{}, fmt.Errorf("%w: the GPT has no free entry", ErrNoRoom)
	}
	if err := putVolume(t, start, iso); err != nil {
		return Partition{}, err
	}
	g.fill(entry, start, length)
	if err := g.store(t); err != nil {
		return Partition{}, err
	}
	for _, p := range g.table().Partitions {
		if p.Number == number {
			return p, nil
		}
	}
	return Partition{}, errors.New("the new partition is not in its table")
}

// vacant is the first unused entry, nil when all are used.
func (g *gpt) vacant() (number int, entry []byte) {
	g.each(func(n int, e []byte) {
		if entry == nil && isZero(e[:16]) {
			number, entry = n, e
		}
	})
	return number, entry
}

// fill makes entry the config drive's.
func (g *gpt) fill(entry []byte, start, length int64) {
	clear(entry)
	copy(entry, linuxData)
	rand.Read(entry[16:32])               // never fails
	entry[16+7] = entry[16+7]&0x0f | 0x40 // version 4, in a field stored little endian
	entry[16+8] = entry[16+8]&0x3f | 0x80
	binary.LittleEndian.PutUint64(entry[32:], uint64(start/g.sector))
	binary.LittleEndian.PutUint64(entry[40:], uint64((start+length)/g.sector-1))
	for i, u := range utf16.Encode([]rune(ConfigDriveLabel)) {
		binary.LittleEndian.PutUint16(entry[56+2*i:], u)
	}
}

// addToMBR adds a primary partition, below 2 TiB, which is as far as an MBR counts.
func addToMBR(t Target, iso []byte) (Partition, error) {
	size, err := sizeOf(t)
	if err != nil {
		return Partition{}, err
	}
	m, err := readMBR(t, size)
	if err != nil {
		return Partition{}, err
	}
	if m.primary == 4 {
		return Partition{}, fmt.Errorf("%w: the MBR already has four primary partitions", ErrNoRoom)
	}
	start, length, err := place(int64(len(iso)), m.end, min(size, (1<<32-1)*m.sector))
	if err != nil {
		return Partition{}, err
	}
	if err := putVolume(t, start, iso); err != nil {
		return Partition{}, err
	}
	const fat32 = 0x0c // what Ironic's agent makes parted write
	number, err := m.insert(t, fat32, start, length)
	if err != nil {
		return Partition{}, err
	}
	return Partition{Number: number, Start: start, Size: length, Type: "0x0c"}, nil
}
