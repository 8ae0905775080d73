package serve

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot"
)

// seat is a file of the data folder that a conductor locks while it runs, and that keeps the name of its process. Who gets
// the lock knows that the process named there has ended, and need not wait until the others take it for dead.
type seat struct {
	file   *os.File
	before string // the process that had it; "" is unknown
}

// takeSeat locks the seat of a host name and writes the new process into it. Locked: another process has it.
func takeSeat(data, hostname, process string) (*seat, error) {
	path := filepath.Join(data, "conductor-"+filepath.Base(hostname))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot start: %w", err)
	}
	s := &seat{file: f}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(ingot.Errorf(ingot.Locked, "cannot start: another process is the conductor %s with the data folder %s: stop it, or give this one a hostname of its own", hostname, data), f.Close())
	}
	before, err := io.ReadAll(io.LimitReader(f, 64))
	s.before = string(before)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(process), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start: cannot write %s: %w", path, err), f.Close())
	}
	return s, nil
}

// leave unlocks the seat. The name stays: it is of a process that has ended.
func (s *seat) leave() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}
