package efiboot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Variables is the firmware's store of global variables (EFI_GLOBAL_VARIABLE), by name.
type Variables interface {
	// Get gives a variable's content; ErrNoVariable where there is none.
	Get(name string) ([]byte, error)
	// Set writes a variable that survives power-off and that the operating system sees.
	Set(name string, content []byte) error
	Remove(name string) error
	Names() ([]string, error)
}

// ErrNoVariable says that there is no such variable.
var ErrNoVariable = errors.New("no such UEFI variable")

const (
	globalGUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
	attributes = 7 // non-volatile, boot service access, runtime access
)

// Folder is a store of variables in a folder, each in a file as in Linux's efivarfs: NAME-GUID, four bytes of
// attributes and the content. A simulated machine has one; a real one has efivarfs itself.
type Folder string

func (f Folder) path(name string) string { return filepath.Join(string(f), name+"-"+globalGUID) }

// Get reads the file.
func (f Folder) Get(name string) ([]byte, error) {
	b, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) < 4 {
		return nil, fmt.Errorf("%w: %s", ErrNoVariable, name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read UEFI variable %s: %w", name, err)
	}
	return b[4:], nil
}

// Set replaces the file.
func (f Folder) Set(name string, content []byte) error {
	b := append(binary.LittleEndian.AppendUint32(nil, attributes), content...)
	if err := os.WriteFile(f.path(name), b, 0o644); err != nil {
		return fmt.Errorf("cannot write UEFI variable %s: %w", name, err)
	}
	return nil
}

// Remove deletes the file.
func (f Folder) Remove(name string) error {
	if err := os.Remove(f.path(name)); err != nil {
		return fmt.Errorf("cannot remove UEFI variable %s: %w", name, err)
	}
	return nil
}

// Names lists the files.
func (f Folder) Names() ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fmt.Errorf("cannot list UEFI variables: %w", err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), "-"+globalGUID); ok {
			out = append(out, name)
		}
	}
	return out, nil
}

// entryNumber is the number of a Boot#### variable.
func entryNumber(name string) (uint16, bool) {
	digits, ok := strings.CutPrefix(name, "Boot")
	if !ok || len(digits) != 4 || strings.ToUpper(digits) != digits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 16)
	return uint16(n), err == nil
}

// bootMenu are the boot entries and their order.
type bootMenu struct {
	vars    Variables
	entries map[uint16]Option // those that can be read
	taken   map[uint16]bool   // all
	order   []uint16
}

func readMenu(vars Variables) (*bootMenu, error) {
	m := &bootMenu{vars: vars, entries: map[uint16]Option{}, taken: map[uint16]bool{}}
	names, err := vars.Names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		n, ok := entryNumber(name)
		if !ok {
			continue
		}
		m.taken[n] = true
		b, err := vars.Get(name)
		if err != nil {
			return nil, err
		}
		if o, err := Decode(b); err == nil { // firmware leaves all sorts of things here
			m.entries[n] = o
		}
	}
	b, err := vars.Get("BootOrder")
	if err != nil && !errors.Is(err, ErrNoVariable) {
		return nil, err
	}
	for ; len(b) >= 2; b = b[2:] {
		m.order = append(m.order, binary.LittleEndian.Uint16(b))
	}
	return m, nil
}

// putFirst makes o the first entry. Older entries for the same file or of the same name on a disk are removed; one that
// is the same already is kept, so that a repeat writes nothing but the order.
func (m *bootMenu) putFirst(o Option) (uint16, error) {
	content, err := o.Encode()
	if err != nil {
		return 0, err
	}
	number, have := uint16(0), false
	for _, n := range m.numbers() {
		same, older := m.compare(n, o, content)
		switch {
		case same && !have:
			number, have = n, true
		case same || older:
			if err := m.vars.Remove(entryName(n)); err != nil {
				return 0, err
			}
			delete(m.taken, n)
			m.order = slices.DeleteFunc(m.order, func(x uint16) bool { return x == n })
		}
	}
	if !have {
		for m.taken[number] {
			if number == 0xffff {
				return 0, errors.New("cannot make a boot entry: all 65536 are taken")
			}
			number++
		}
		if err := m.vars.Set(entryName(number), content); err != nil {
			return 0, err
		}
	}
	order := append([]uint16{number}, slices.DeleteFunc(m.order, func(x uint16) bool { return x == number })...)
	var b []byte
	for _, n := range order {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return number, m.vars.Set("BootOrder", b)
}

func entryName(n uint16) string { return fmt.Sprintf("Boot%04X", n) }

// numbers are the readable entries', ascending.
func (m *bootMenu) numbers() []uint16 {
	var out []uint16
	for n := range m.entries {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// compare says whether entry n is o already, or one that o makes superfluous.
func (m *bootMenu) compare(n uint16, o Option, content []byte) (same, older bool) {
	have := m.entries[n]
	if b, err := have.Encode(); err == nil && string(b) == string(content) {
		return true, false
	}
	signature, path, onDisk := have.target()
	wantSignature, wantPath, _ := o.target()
	return false, onDisk && (have.Description == o.Description || signature == wantSignature && path == wantPath)
}
