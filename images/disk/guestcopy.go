package disk

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Copy is a disk as it is to be on another one of another size. Nothing is written to the disk itself: what differs is
// kept beside it.
type Copy struct {
	under  Target
	size   int64            // of the other one
	end    int64            // behind the last partition: nothing beyond it is taken along
	blocks map[int64][]byte // what differs, by where it begins
}

// guestSector is how much is kept at a time of what differs: the sector of a guest's disk.
const guestSector = 512

// CopyOf looks at what has to go along: everything up to the end of the last partition. The backup GPT is at the end of
// the other disk. Without a partition table nobody knows how much is in use: that is an ErrNoTable. ErrTooLarge: the
// partitions do not fit.
func CopyOf(t Target, size int64, withoutConfigDrive bool) (*Copy, error) {
	if sector := sectorOf(t); sector != guestSector {
		return nil, fmt.Errorf("cannot copy a disk with sectors of %d bytes to one with sectors of %d", sector, guestSector)
	}
	table, err := ReadTable(t)
	if err != nil {
		return nil, err
	}
	c := &Copy{under: t, size: size, blocks: map[int64][]byte{}}
	drive, found, err := table.named(t, ConfigDriveLabel)
	if err != nil {
		return nil, err
	}
	if !found || !withoutConfigDrive || table.Kind == "mbr" && drive.Number > 4 { // a logical one is part of a chain
		drive = Partition{}
	}
	for _, p := range table.Partitions {
		if p.Number != drive.Number {
			c.end = max(c.end, p.Start+p.Size)
		}
	}
	if c.end == 0 {
		return nil, fmt.Errorf("%w: it has no partitions", ErrNoTable)
	}
	if c.end > size {
		return nil, fmt.Errorf("%w: its last partition ends at %d bytes, and the other disk has %d", ErrTooLarge, c.end, size)
	}
	if table.Kind == "gpt" {
		return c, c.moveGPT(drive.Number)
	}
	return c, c.dropFromMBR(drive.Number)
}

// moveGPT has both tables where they are to be, without the partition of a number; 0 is none.
func (c *Copy) moveGPT(without int) error {
	have, err := sizeOf(c.under)
	if err != nil {
		return err
	}
	g, err := readGPT(c.under, have)
	if err != nil {
		return err
	}
	g.each(func(number int, entry []byte) {
		if number == without {
			clear(entry)
		}
	})
	g.disk = c.size
	if err := g.within(); err != nil {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return g.store(c)
}

// dropFromMBR takes a primary partition out of the table; 0 is none.
func (c *Copy) dropFromMBR(number int) error {
	if number == 0 {
		return nil
	}
	sector := make([]byte, guestSector)
	if err := readFull(c, sector, 0); err != nil {
		return err
	}
	clear(sector[446+16*(number-1):][:16])
	_, err := c.WriteAt(sector, 0)
	return err
}

// Size is the other disk's.
func (c *Copy) Size() (int64, error) { return c.size, nil }

// Sync has nothing to do.
func (c *Copy) Sync() error { return nil }

// ReadAt reads what is on the other disk: zeros behind the last partition, save what was written there.
func (c *Copy) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(c.size-off, 0)))
	p, short := p[:n], n < len(p)
	clear(p)
	if use := min(int64(n), c.end-off); use > 0 {
		if err := readFull(c.under, p[:use], off); err != nil {
			return 0, err
		}
	}
	for at, kept := range c.blocks {
		if from := at - off; from > -guestSector && from < int64(n) {
			copy(p[max(from, 0):], kept[max(-from, 0):])
		}
	}
	if short {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt keeps what differs. All that is written of partition tables is whole sectors, but for the last one of a list.
func (c *Copy) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off%guestSector != 0 || off+int64(len(p)) > c.size {
		return 0, fmt.Errorf("cannot keep %d bytes at %d of a disk of %d", len(p), off, c.size)
	}
	for at := 0; at < len(p); at += guestSector {
		kept := make([]byte, guestSector)
		if err := readFull(c, kept, off+int64(at)); err != nil {
			return at, err
		}
		copy(kept, p[at:])
		c.blocks[off+int64(at)] = kept
	}
	return len(p), nil
}

// Each gives all of the other disk that is not zero, in order, at most so many bytes at a time.
func (c *Copy) Each(ctx context.Context, most int64, give func(at int64, p []byte) error) error {
	buffer := make([]byte, most)
	one := func(at int64) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p := buffer[:min(most, c.size-at)]
		if err := readFull(c, p, at); err != nil || isZero(p) {
			return err
		}
		return give(at, p)
	}
	next := int64(0)
	for ; next < c.end; next += most {
		if err := one(next); err != nil {
			return err
		}
	}
	for _, kept := range slices.Sorted(maps.Keys(c.blocks)) { // behind the last partition
		if kept < next {
			continue
		}
		at := kept / most * most
		if err := one(at); err != nil {
			return err
		}
		next = at + most
	}
	return nil
}
