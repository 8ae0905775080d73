package images

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ingot-metal/ingot"
)

// copiesKept is how long a copy stays that nobody did away with: longer than anything that may need it.
const copiesKept = 7 * 24 * time.Hour

// partSuffix marks a copy that is being written.
const partSuffix = ".part"

// KeptDisk is the copy that was kept under a key (ingot.DiskKeeper). Its file is named KEY.FORMAT.SHA256: what is in it is
// the guest's, and says nothing of what it is.
func (s *Service) KeptDisk(_ context.Context, key string) (ingot.ImageReady, error) {
	path, err := s.copyOf(key)
	if err != nil {
		return ingot.ImageReady{}, err
	}
	from, err := s.openFile(path)
	if err != nil {
		return ingot.ImageReady{}, err
	}
	defer from.Close()
	format, sum, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), key+"."), ".")
	ready := ingot.ImageReady{ID: filepath.Base(path), URL: s.signFile(path), Checksum: sum, ChecksumAlgo: "sha256", Size: from.size}
	return ready, ingot.Fatal(judge(&ready, from, format))
}

// OpenDisk is a copy that was kept, for a guest's disk (ingot.DiskKeeper).
func (s *Service) OpenDisk(ctx context.Context, key string) (ingot.GuestImage, error) {
	ready, err := s.KeptDisk(ctx, key)
	if err != nil {
		return ingot.GuestImage{}, err
	}
	return ingot.GuestImage{ImageReady: ready, Open: func(context.Context) (io.ReadCloser, error) {
		return os.Open(filepath.Join(s.Copies, ready.ID))
	}}, nil
}

// copyOf finds the file of a copy that is whole.
func (s *Service) copyOf(key string) (string, error) {
	found, err := s.copies(key)
	if err != nil {
		return "", err
	}
	for _, path := range found {
		if !strings.HasSuffix(path, partSuffix) {
			return path, nil
		}
	}
	return "", ingot.Errorf(ingot.NotFound, "there is no copy of the disk %s on this machine", key)
}

// copies are all files of a key.
func (s *Service) copies(key string) ([]string, error) {
	if s.Copies == "" || key == "" || strings.ContainsAny(key, `/*?[\`) {
		return nil, ingot.Errorf(ingot.Invalid, "no disk can be kept under %q", key)
	}
	return filepath.Glob(filepath.Join(s.Copies, key+".*"))
}

// NewDisk begins a copy (ingot.DiskKeeper). Two of one key are apart until one is kept.
func (s *Service) NewDisk(key, format string) (ingot.DiskCopy, error) {
	if _, err := s.copies(key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Copies, 0o700); err != nil {
		return nil, full(err)
	}
	s.dropOldCopies()
	f, err := os.OpenFile(filepath.Join(s.Copies, key+"."+rand.Text()[:8]+partSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, full(err)
	}
	return &diskCopy{file: f, sum: sha256.New(), whole: filepath.Join(s.Copies, key+"."+format)}, nil
}

// dropOldCopies does away with what processes left behind that ended in the middle.
func (s *Service) dropOldCopies() {
	files, err := os.ReadDir(s.Copies)
	if err != nil {
		return
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && s.now().Sub(info.ModTime()) > copiesKept {
			_ = os.Remove(filepath.Join(s.Copies, f.Name())) // the next one looks again
		}
	}
}

// DropDisk does away with the copy of a key, and with those that are being written (ingot.DiskKeeper).
func (s *Service) DropDisk(key string) error {
	found, err := s.copies(key)
	if err != nil {
		return err
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cannot remove the copy of a disk: %w", err)
		}
	}
	return nil
}

// diskCopy is a copy that is being written. Blocks of nothing take no room.
type diskCopy struct {
	file  *os.File
	sum   hash.Hash
	size  int64
	whole string // path without the checksum
}

// Write takes the next bytes.
func (d *diskCopy) Write(p []byte) (int, error) {
	d.sum.Write(p)
	d.size += int64(len(p))
	if nothing(p) {
		_, err := d.file.Seek(int64(len(p)), 1)
		return len(p), full(err)
	}
	n, err := d.file.Write(p)
	return n, full(err)
}

func nothing(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// Keep gives the file its name when all of it is on the disk.
func (d *diskCopy) Keep() error {
	err := errors.Join(d.file.Truncate(d.size), d.file.Sync())
	if err = errors.Join(err, d.file.Close()); err != nil {
		d.Drop()
		return full(err)
	}
	return os.Rename(d.file.Name(), d.whole+"."+hex.EncodeToString(d.sum.Sum(nil)))
}

// Drop removes the file.
func (d *diskCopy) Drop() {
	_ = d.file.Close()
	_ = os.Remove(d.file.Name()) // an old copy is removed sooner or later
}

// full is an error that stays where there is no room: the copy will not fit at the next try either, and what waits for it
// does not run meanwhile.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ingot.Fatal(fmt.Errorf("no room for the copy of a disk: %w", err))
	}
	return err
}
