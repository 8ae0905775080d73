// Package sim is a pretend machine in a folder: its disks are files, its hardware is what machine.json says. The agent
// runs on it as an ordinary process, for tests, demonstrations and simulated racks, with the same code for everything
// else.
//
//	DIR/machine.json  an inventory as Ironic knows it, without disks; may be missing
//	DIR/*.img         the disks, in the order of their names
//	DIR/rescue        the hash of the rescue password, once there is one
//	DIR/efivars/      UEFI variables, one file each as in efivarfs; if it exists the machine boots by UEFI, else by BIOS
package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// Machine is the folder, and what was given beside it.
type Machine struct {
	Dir    string   // "" when there are only further disks
	Extra  []string // further disks: paths of files
	MACs   []string // instead of machine.json's interfaces
	BootIF string
}

// sector is the logical sector size of a file.
const sector = 512

// Check says whether the folder can be used.
func (m *Machine) Check() error {
	if _, err := m.described(); err != nil {
		return err
	}
	if len(m.Disks()) == 0 {
		return fmt.Errorf("cannot pretend to be a machine: there is no disk; put a file NAME.img into %s, or give --disk FILE", m.Dir)
	}
	return nil
}

// described is machine.json.
func (m *Machine) described() (ingot.Inventory, error) {
	var inv ingot.Inventory
	if m.Dir == "" {
		return inv, nil
	}
	text, err := os.ReadFile(filepath.Join(m.Dir, "machine.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return inv, nil
	}
	if err != nil {
		return inv, fmt.Errorf("cannot read the machine's description: %w", err)
	}
	if err := json.Unmarshal(text, &inv); err != nil {
		return inv, fmt.Errorf("cannot understand %s/machine.json: %w", m.Dir, err)
	}
	return inv, nil
}

// Inventory is the machine's description with its disks and interfaces as they are now.
func (m *Machine) Inventory() ingot.Inventory {
	inv, _ := m.described() // judged by Check
	inv.Disks = m.Disks()
	inv.Interfaces = m.Interfaces()
	inv.Boot = ingot.InventoryBoot{CurrentMode: m.BootMode(), PXEInterface: m.BootIF}
	if inv.CPU.Architecture == "" {
		inv.CPU.Architecture = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	}
	if inv.CPU.Count == 0 {
		inv.CPU.Count = 1
	}
	if inv.Memory.PhysicalMB == 0 {
		inv.Memory = ingot.InventoryMemory{Total: 1 << 30, PhysicalMB: 1 << 10}
	}
	if inv.SystemVendor.Product == "" {
		inv.SystemVendor = ingot.InventoryVendor{Manufacturer: "Ingot", Product: "simulated machine"}
	}
	return inv
}

// Interfaces are the MACs given, else machine.json's.
func (m *Machine) Interfaces() []ingot.InventoryInterface {
	if len(m.MACs) == 0 {
		inv, _ := m.described() // judged by Check
		return inv.Interfaces
	}
	var out []ingot.InventoryInterface
	for i, mac := range m.MACs {
		out = append(out, ingot.InventoryInterface{Name: fmt.Sprintf("eth%d", i), MAC: strings.ToLower(mac), HasCarrier: true})
	}
	return out
}

// Disks are the files.
func (m *Machine) Disks() []ingot.InventoryDisk {
	var paths []string
	if m.Dir != "" {
		paths, _ = filepath.Glob(filepath.Join(m.Dir, "*.img")) // fails only on a bad pattern
	}
	out := []ingot.InventoryDisk{}
	for _, path := range append(paths, m.Extra...) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() < sector {
			continue
		}
		out = append(out, ingot.InventoryDisk{
			Name: path, Size: info.Size(), Model: "simulated disk", Serial: filepath.Base(path),
			LogicalSectorSize: sector, PhysicalSectorSize: sector,
		})
	}
	return out
}

// Sync flushes the files.
func (m *Machine) Sync() error {
	var failures []error
	for _, d := range m.Disks() {
		failures = append(failures, flush(d.Name))
	}
	return errors.Join(failures...)
}

func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("cannot open a disk to flush it: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot flush %s: %w", path, err)
	}
	return nil
}

// BootMode is "uefi" where there are UEFI variables.
func (m *Machine) BootMode() string {
	if dir := m.Variables(); dir != "" {
		return "uefi"
	}
	return "bios"
}

// Variables is the folder of UEFI variables, "" where there is none.
func (m *Machine) Variables() string {
	if m.Dir == "" {
		return ""
	}
	dir := filepath.Join(m.Dir, "efivars")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// Login keeps the rescue password's hash in DIR/rescue, where a real machine would let its owner in.
func (m *Machine) Login(hash string) error {
	if m.Dir == "" {
		return errors.New("a pretend machine without a folder has no console")
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "rescue"), []byte(hash+"\n"), 0o600); err != nil {
		return fmt.Errorf("cannot keep the rescue password: %w", err)
	}
	return nil
}

// PCI is nothing: a pretend machine has no PCI bus.
func (m *Machine) PCI() []map[string]string { return nil }
