package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Device is a block device, or a file that stands for one, with every ability that Writer knows to use. It is a Target.
type Device struct {
	f      *os.File
	block  bool
	size   int64
	sector int
	dirty  atomic.Int64 // bytes written since the kernel was last asked to write out
}

// Open opens the block device or file at path for writing. A block device is claimed: opening fails while it is mounted
// or in use by RAID or LVM.
func Open(path string) (*Device, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the disk: %w", err)
	}
	block := st.Mode()&os.ModeDevice != 0 && st.Mode()&os.ModeCharDevice == 0
	if !block && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot open the disk: %s is neither a block device nor a file", path)
	}
	flags := os.O_RDWR
	if block {
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) {
			err = fmt.Errorf("%w: it is in use: mounted, part of a running RAID or LVM, or being written by another process", err)
		}
		return nil, fmt.Errorf("cannot open the disk: %w", err)
	}
	d := &Device{f: f, block: block, sector: 512}
	if block {
		if n, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKSSZGET); err == nil && n > 0 {
			d.sector = n
		}
	}
	if d.size, err = f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot tell the size of %s: %w", path, err)
	}
	return d, nil
}

// ReadAt, Sync and Close are those of the file.
func (d *Device) ReadAt(p []byte, off int64) (int, error) { return d.f.ReadAt(p, off) }
func (d *Device) Sync() error                             { return d.f.Sync() }
func (d *Device) Close() error                            { return d.f.Close() }

// writeBehind is how many bytes may be written before the disk is put to work on them.
const writeBehind = 16 * mib

// WriteAt is that of the file, and keeps the disk busy meanwhile: left alone, the kernel begins to write out when a tenth
// of the memory is dirty, which for most images is when Sync is called and the download has ended.
func (d *Device) WriteAt(p []byte, off int64) (int, error) {
	n, err := d.f.WriteAt(p, off)
	if total := d.dirty.Add(int64(n)); total >= writeBehind && d.dirty.CompareAndSwap(total, 0) {
		// It only begins the writing; what fails there, Sync tells.
		_ = unix.SyncFileRange(int(d.f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	}
	return n, err
}

// Size is the size when opened, in bytes.
func (d *Device) Size() (int64, error) { return d.size, nil }

// SectorSize is the logical sector size in bytes.
func (d *Device) SectorSize() int { return d.sector }

// ZeroOut makes a range read as zeros, by the first of these that the device can do: deallocating it with the guarantee
// of zeros (unlike a plain discard), a write-zeroes command, BLKZEROOUT (where the kernel may fall back to writing), and
// writing. Parts that are not whole sectors are written.
func (d *Device) ZeroOut(off, n int64) error {
	sector := int64(d.sector)
	from, to := (off+sector-1)/sector*sector, (off+n)/sector*sector
	if from >= to {
		return writeZeros(d, off, n)
	}
	if err := writeZeros(d, off, from-off); err != nil {
		return err
	}
	if err := writeZeros(d, to, off+n-to); err != nil {
		return err
	}
	fd := int(d.f.Fd())
	for _, mode := range []uint32{unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE} {
		if ignoringEINTR(func() error { return unix.Fallocate(fd, mode, from, to-from) }) == nil {
			return nil
		}
	}
	if d.block {
		span := [2]uint64{uint64(from), uint64(to - from)}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.BLKZEROOUT, uintptr(unsafe.Pointer(&span))); errno == 0 {
			return nil
		}
	}
	return writeZeros(d, from, to-from)
}

// DropCache makes the next reads come from the medium: everything is written out, then the page cache is given up, and a
// block device's buffers are flushed where that is allowed.
func (d *Device) DropCache() error {
	if err := d.f.Sync(); err != nil {
		return fmt.Errorf("cannot sync before dropping the cache: %w", err)
	}
	fd := int(d.f.Fd())
	if d.block {
		if err := unix.IoctlSetInt(fd, unix.BLKFLSBUF, 0); err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("cannot flush the buffers of %s: %w", d.f.Name(), err)
		}
	}
	if err := unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("cannot drop the cache of %s: %w", d.f.Name(), err)
	}
	return nil
}

// RereadPartitions makes the kernel read the partition table again (BLKRRPART). udev opens a disk for a moment after
// each write to it, so a busy disk is tried again ten times, pausing by wait (nil for the machine's clock). It does
// nothing for a file.
func (d *Device) RereadPartitions(ctx context.Context, pause func(ctx context.Context, d time.Duration) error) error {
	if !d.block {
		return nil
	}
	if pause == nil {
		pause = wait
	}
	var err error
	for range 10 {
		if err = unix.IoctlSetInt(int(d.f.Fd()), unix.BLKRRPART, 0); err == nil {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) {
			break
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("cannot make the kernel read the partition table of %s again: %w", d.f.Name(), err)
}

func ignoringEINTR(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
