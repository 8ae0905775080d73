package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// NewServerOnDisk starts a PostgreSQL whose data is on a disk of its own of so many bytes, in memory, which Fill fills. That
// needs the right to mount; without it the disk is the machine's, and Fill says so.
func NewServerOnDisk(t testing.TB, size int64) *Server {
	t.Helper()
	return newServer(t, func(s *Server) {
		err := unix.Mount("ingot-test", s.dir, "tmpfs", 0, "mode=0711,size="+strconv.FormatInt(size, 10))
		if errors.Is(err, unix.EPERM) {
			return
		}
		s.must(err)
		s.disk = true
		t.Cleanup(func() {
			s.Stop()
			if err := unix.Unmount(s.dir, unix.MNT_DETACH); err != nil {
				t.Errorf("cannot unmount %s: %v", s.dir, err)
			}
		})
	})
}

// ballast is the file that fills the disk.
func (s *Server) ballast() string { return filepath.Join(s.dir, "ballast") }

// Fill leaves nothing free on the disk; false when the server has none of its own.
func (s *Server) Fill() bool {
	s.t.Helper()
	if !s.disk {
		return false
	}
	f, err := os.Create(s.ballast())
	s.must(err)
	_, err = io.Copy(f, zeros{})
	if !errors.Is(err, unix.ENOSPC) {
		s.must(fmt.Errorf("the disk is not full: %w", err))
	}
	s.must(f.Close())
	return true
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Free empties the disk again, and starts a server that had to end for want of space.
func (s *Server) Free() {
	s.t.Helper()
	s.must(os.Remove(s.ballast()))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if c, err := pgx.Connect(ctx, s.URL); err == nil {
			s.must(c.Close(ctx))
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Crash()
	s.Start()
}
