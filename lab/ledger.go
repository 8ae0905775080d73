package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// runRoot holds a folder for each rack that runs: its sockets and its record. It is emptied by a reboot, as the
// namespaces are.
const runRoot = "/run/ingot-lab"

// Record is what a rack writes down about itself for `ingot lab status`, `console`, `ssh` and `down`: enough to find
// everything of it after it was killed.
type Record struct {
	Name      string       `json:"name"`
	Self      Process      `json:"self"` // the process that runs the rack
	Namespace string       `json:"namespace"`
	Dir       string       `json:"dir"`
	Temporary bool         `json:"temporary"` // Dir goes with the rack
	API       string       `json:"api,omitempty"`
	Key       string       `json:"key"` // private SSH key that instances get the public half of
	Nodes     []NodeRecord `json:"nodes"`
	Processes []Process    `json:"processes"`
}

// NodeRecord is how to reach one machine and its BMC.
type NodeRecord struct {
	Name    string `json:"name"`
	MAC     string `json:"mac"`
	IPMI    string `json:"ipmi"`    // host:port inside the namespace
	Redfish string `json:"redfish"` // URL inside the namespace
	Console string `json:"console"` // socket
	Serial  string `json:"serial"`  // pattern of the serial logs' names
}

// Node finds a machine by name; the only one for "".
func (r *Record) Node(name string) (NodeRecord, error) {
	var names []string
	for _, n := range r.Nodes {
		if n.Name == name || name == "" && len(r.Nodes) == 1 {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return NodeRecord{}, fmt.Errorf("cannot find node %q in rack %s: it has %v", name, r.Name, names)
}

// On says whether a machine's process runs.
func (r *Record) On(node string) bool {
	return slices.ContainsFunc(r.Processes, func(p Process) bool { return p.Role == node && p.Alive() })
}

func runDir(name string) string     { return filepath.Join(runRoot, name) }
func recordFile(name string) string { return filepath.Join(runDir(name), "rack.json") }

// ReadRecord reads a rack's record; fs.ErrNotExist when there is no such rack.
func ReadRecord(name string) (*Record, error) {
	text, err := os.ReadFile(recordFile(name))
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("cannot read the record of rack %s: %w", name, err)
	}
	return r, nil
}

// Racks are the names of all racks that run or left something behind.
func Racks() ([]string, error) {
	entries, err := os.ReadDir(runRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot list racks: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// ledger keeps the record's file true while the rack runs.
type ledger struct {
	mu     sync.Mutex
	record Record
	err    error // of the last write
}

// write replaces the file; change is applied first.
func (l *ledger) write(change func(*Record)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.record)
	text, err := json.MarshalIndent(&l.record, "", "  ")
	if err == nil {
		file := recordFile(l.record.Name)
		if err = os.WriteFile(file+".new", text, 0o600); err == nil {
			err = os.Rename(file+".new", file)
		}
	}
	if err != nil {
		l.err = fmt.Errorf("cannot keep the record of rack %s: %w", l.record.Name, err)
	}
	return l.err
}

// began and over are told by the spawner. A record that cannot be written fails the rack when it is closed: the kernel
// ends the processes with the rack all the same.
func (l *ledger) began(p Process) {
	_ = l.write(func(r *Record) { r.Processes = append(r.Processes, p) })
}

func (l *ledger) over(p Process) {
	_ = l.write(func(r *Record) {
		r.Processes = slices.DeleteFunc(r.Processes, func(other Process) bool { return other == p })
	})
}

// lockRack makes sure that one process at a time runs, or clears, a rack of this name. The lock is the kernel's and ends
// with the process.
func lockRack(name string) (*os.File, error) {
	for {
		if err := os.MkdirAll(runDir(name), 0o700); err != nil {
			return nil, fmt.Errorf("cannot make the run folder: %w", err)
		}
		f, err := os.OpenFile(filepath.Join(runRoot, name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("cannot lock rack %s: %w", name, err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("cannot start rack %s: it runs already (`ingot lab status`, `ingot lab down`), or choose another name", name)
			}
			return nil, fmt.Errorf("cannot lock rack %s: %w", name, err)
		}
		if isAt(f) {
			return f, nil
		}
		f.Close() // the rack before removed it after we opened it
	}
}

// isAt says whether an open file is still the one under its name.
func isAt(f *os.File) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(f.Name())
	return err == nil && os.SameFile(open, there)
}

// unlockRack gives the name free; the files go first, so that nothing of the rack is left.
func unlockRack(name string, lock *os.File) error {
	err := errors.Join(os.RemoveAll(runDir(name)), os.Remove(lock.Name()), lock.Close()) // unlocked last
	_ = os.Remove(runRoot)                                                               // only if it was the last one
	return err
}
