package erase

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/images/disk"
)

const (
	chunk   = 4 << 20  // bytes written at once
	samples = 64       // places that are read back
	sample  = 64 << 10 // bytes of each
)

// overwrite discards securely where the device can, else writes zeros over everything, and reads samples back.
func (j *job) overwrite(ctx context.Context) error {
	d, err := disk.Open(j.disk.Name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := j.guard(d); err != nil {
		return err
	}
	block, err := isBlock(j.disk.Name)
	if err != nil {
		return err
	}
	switch {
	case !block: // a simulated disk: a hole reads as zeros and was never anything else
		if err := d.ZeroOut(0, j.disk.Size); err != nil {
			return err
		}
		j.moved(j.disk.Size)
		j.did = "emptied (a file)"
	case secureDiscard(j.disk.Name, j.disk.Size) == nil:
		j.moved(j.disk.Size)
		j.did = "secure discard"
	case !j.set.overwrites():
		return errors.New("the device has no secure erase, and overwriting is disabled (erase_devices_iterations and erase_devices_zeroize)")
	default:
		if err := j.zeros(ctx); err != nil {
			return err
		}
		j.did = "overwritten once with zeros"
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("cannot sync: %w", err)
	}
	if block && j.did == "secure discard" {
		err = disk.WipeMetadata(ctx, d) // what a discarded block reads as is the device's choice
	} else {
		err = verify(d, j.disk.Size)
	}
	if err != nil {
		return err
	}
	j.reread(ctx, d)
	return nil
}

func isBlock(path string) (bool, error) {
	st, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("cannot look at the disk: %w", err)
	}
	return !st.Mode().IsRegular(), nil
}

// secureDiscard asks the device to erase all blocks and their copies (eMMC's secure trim).
func secureDiscard(path string, size int64) error {
	return discard(path, unix.BLKSECDISCARD, size)
}

func discard(path string, request uintptr, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	span := [2]uint64{0, uint64(size)}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&span))); errno != 0 {
		return errno
	}
	return nil
}

// zeros discards everything, which gives a solid-state drive room to move old copies out, and then writes zeros past
// the page cache. The discard alone promises nothing.
func (j *job) zeros(ctx context.Context) error {
	if err := discard(j.disk.Name, unix.BLKDISCARD, j.disk.Size); err != nil {
		j.Log.Debug("the device does not discard", "disk", j.disk.Name, "error", err)
	}
	past, err := os.OpenFile(j.disk.Name, os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		return fmt.Errorf("cannot open the disk past the page cache: %w", err)
	}
	defer past.Close()
	buf, err := unix.Mmap(-1, 0, chunk, unix.PROT_READ, unix.MAP_ANON|unix.MAP_PRIVATE) // aligned to pages, and zero
	if err != nil {
		return fmt.Errorf("cannot get a buffer: %w", err)
	}
	defer func() { _ = unix.Munmap(buf) }()
	for off := int64(0); off < j.disk.Size; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := past.WriteAt(buf[:min(chunk, j.disk.Size-off)], off)
		if err != nil {
			return fmt.Errorf("cannot write zeros at offset %d: %w", off, err)
		}
		off += int64(n)
		j.moved(int64(n))
	}
	return nil
}

// verify reads both ends and places at random.
func verify(d *disk.Device, size int64) error {
	if err := d.DropCache(); err != nil {
		return err
	}
	buf := make([]byte, sample)
	for i := range samples {
		n := min(int64(sample), size)
		off := int64(0)
		switch i {
		case 0:
		case 1:
			off = size - n
		default:
			off = rand.Int64N(size - n + 1)
		}
		if _, err := d.ReadAt(buf[:n], off); err != nil {
			return fmt.Errorf("cannot read back at offset %d: %w", off, err)
		}
		for at, b := range buf[:n] {
			if b != 0 {
				return fmt.Errorf("the disk was erased, but at offset %d it does not read as zero: it may be failing", off+int64(at))
			}
		}
	}
	return nil
}
