// Package inventory looks at the machine: its disks, network interfaces, processors, memory and make, in the form that
// Ironic knows from ironic-python-agent's list_hardware_info. It reads /sys, /proc and the SMBIOS tables only; there
// is no udev, lshw, lsblk or lscpu in the ramdisk.
package inventory

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// Host is the machine to look at.
type Host struct {
	Root     string // where /sys, /proc and /dev are found: "" or "/" for this machine, a folder in tests
	BootIF   string // BOOTIF of the kernel command line, as given
	Arch     string // uname's machine: x86_64, aarch64
	Hostname string
	Log      *slog.Logger
	// Addresses gives an interface's IPv4 and IPv6 address, invalid where it has none.
	Addresses func(name string) (v4, v6 netip.Addr)
	// BMC gives the management controller's addresses, "" where there is none.
	BMC func() (v4, v6 string)
}

// Inventory is all of it. What cannot be read is left out, and logged where it should be there.
func (h *Host) Inventory() ingot.Inventory {
	tables := h.smbios()
	inv := ingot.Inventory{
		Interfaces:   h.Interfaces(),
		CPU:          h.cpu(tables),
		Disks:        h.Disks(),
		Memory:       h.memory(tables),
		SystemVendor: h.vendor(tables),
		Boot:         ingot.InventoryBoot{CurrentMode: h.BootMode(), PXEInterface: h.BootIF},
		Hostname:     h.Hostname,
	}
	if h.BMC != nil {
		inv.BMCAddress, inv.BMCV6Address = h.BMC()
	}
	return inv
}

// BootMode is "uefi" where the kernel was started by UEFI, else "bios".
func (h *Host) BootMode() string {
	if info, err := os.Stat(h.path("/sys/firmware/efi")); err == nil && info.IsDir() {
		return "uefi"
	}
	return "bios"
}

func (h *Host) path(parts ...string) string {
	return filepath.Join(append([]string{"/", h.Root}, parts...)...)
}

// text is a file's content without the white space around it, "" when it cannot be read. Reading sysfs fails in
// ordinary ways: an attribute that this driver lacks, the carrier of an interface that is down.
func (h *Host) text(parts ...string) string {
	b, err := os.ReadFile(h.path(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(strings.Trim(string(b), "\x00 \n\t"), ""))
}

// number is a file's content as an integer, 0 when it is none.
func (h *Host) number(parts ...string) int64 {
	n, err := strconv.ParseInt(h.text(parts...), 0, 64)
	if err != nil {
		return 0
	}
	return n
}

// names are a directory's entries, sorted.
func (h *Host) names(parts ...string) []string {
	entries, err := os.ReadDir(h.path(parts...))
	if err != nil {
		return nil
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out
}

// exists says whether there is such a file.
func (h *Host) exists(parts ...string) bool {
	_, err := os.Stat(h.path(parts...))
	return err == nil
}

// device is the path below /sys/devices that the link leads to, its elements from the top; nil when there is none.
func (h *Host) device(parts ...string) []string {
	real, err := filepath.EvalSymlinks(h.path(parts...))
	if err != nil {
		return nil
	}
	root, err := filepath.EvalSymlinks(h.path("/"))
	if err != nil {
		return nil
	}
	rel, err := filepath.Rel(root, real)
	if err != nil || strings.HasPrefix(rel, "..") {
		return nil
	}
	return strings.Split(rel, "/")
}

// pciAddress is the last element of a device path that is a PCI address (0000:00:1f.2), "" when none is.
func pciAddress(device []string) string {
	for i := len(device) - 1; i >= 0; i-- {
		if isPCI(device[i]) {
			return device[i]
		}
	}
	return ""
}

// isPCI tells domain:bus:device.function by its form.
func isPCI(name string) bool {
	colon := strings.Split(name, ":")
	if len(colon) != 3 || len(colon[0]) < 4 || len(colon[1]) != 2 || len(colon[2]) != 4 || colon[2][2] != '.' {
		return false
	}
	_, err := strconv.ParseUint(colon[0], 16, 64)
	return err == nil
}
