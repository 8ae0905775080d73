package lab

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// UEFI firmware of Debian's package ovmf: code shared by all machines, and the variables that each has a copy of.
const (
	uefiCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	uefiVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// qemu is the program that a machine is.
const qemu = "qemu-system-x86_64"

// commandLine is the QEMU process of a machine that boots by the BMC's wish. QEMU connects to the monitor's socket, so
// that nobody has to wait for it to appear; its standard input and output are the serial port.
func (m *machine) commandLine(boot vbmc.Boot) []string {
	n := m.spec
	args := []string{
		qemu, "-name", n.Name, "-M", "q35,graphics=off", "-m", strconv.Itoa(n.MemoryMiB), "-smp", strconv.Itoa(n.CPUs),
		"-nodefaults", "-no-user-config", "-display", "none", "-uuid", n.UUID.String(),
		"-smbios", "type=1,manufacturer=Ingot,product=Virtual rack,serial=" + option(n.Serial),
		"-chardev", "stdio,id=serial,signal=off", "-serial", "chardev:serial",
		"-chardev", "socket,id=monitor,path=" + option(m.files.monitor), "-mon", "chardev=monitor,mode=control",
		// A guest that reboots ends the process: the BMC's next boot device has to be asked for again.
		"-no-reboot",
		"-device", "virtio-rng-pci",
	}
	args = append(args, m.accel.arguments(n.Nested)...)
	args = append(args, n.firmwareArguments(m.files.vars)...)
	network, disk := bootOrder(boot)
	args = append(args,
		"-netdev", "tap,id=net0,ifname="+m.tap+",script=no,downscript=no",
		"-device", n.NIC.device()+",netdev=net0,mac="+n.MAC+network,
		// The host does not crash with the machine, so nothing has to wait for its disk.
		"-drive", "if=none,id=disk0,format=raw,cache=unsafe,discard=unmap,file="+option(m.files.disk))
	return append(args, n.Disk.devices(disk)...)
}

// option is text inside a list of QEMU's options, where a comma is doubled.
func option(text string) string { return strings.ReplaceAll(text, ",", ",,") }

func (n NIC) device() string {
	if n == NICVirtio {
		return "virtio-net-pci"
	}
	return string(n)
}

// devices attach drive disk0. The serial number is what root device hints see.
func (d DiskKind) devices(boot string) []string {
	const serial = ",serial=lab-disk-0"
	switch d {
	case DiskAHCI: // q35 has an AHCI controller of its own
		return []string{"-device", "ide-hd,bus=ide.0,drive=disk0" + serial + boot}
	case DiskNVMe:
		return []string{"-device", "nvme,drive=disk0" + serial + boot}
	}
	return []string{"-device", "virtio-blk-pci,drive=disk0" + serial + boot}
}

// bootOrder is the firmware's order, as device options: without a wish the disk first, then the network, as servers
// leave the factory; a wish moves its device to the front, and a disk that is wished for stands alone.
func bootOrder(boot vbmc.Boot) (network, disk string) {
	switch boot.Device {
	case vbmc.BootPXE, vbmc.BootUEFIHTTP:
		return ",bootindex=1", ",bootindex=2"
	case vbmc.BootDisk:
		return "", ",bootindex=1"
	}
	return ",bootindex=2", ",bootindex=1"
}

// firmwareArguments choose the firmware; SeaBIOS is QEMU's own default.
func (n NodeSpec) firmwareArguments(vars string) []string {
	if n.Firmware != ingot.ModeUEFI {
		return nil
	}
	return []string{
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + uefiCode,
		"-drive", "if=pflash,unit=1,format=raw,file=" + option(vars),
	}
}

// makeDisks makes the machine's empty disk and its firmware's variables; what is there from before stays.
func (m *machine) makeDisks() error {
	f, err := os.OpenFile(m.files.disk, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("cannot make the disk of %s: %w", m.spec.Name, err)
	}
	defer f.Close()
	size := int64(m.spec.DiskMiB) << 20
	if info, err := f.Stat(); err != nil || info.Size() != size {
		if err := f.Truncate(size); err != nil {
			return fmt.Errorf("cannot make the disk of %s: %w", m.spec.Name, err)
		}
	}
	if m.spec.Firmware != ingot.ModeUEFI {
		return nil
	}
	return copyOnce(uefiVars, m.files.vars)
}

// copyOnce copies a file that is not there yet.
func copyOnce(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cannot find UEFI firmware; install Debian's package ovmf: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot copy UEFI variables: %w", err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("cannot copy UEFI variables: %w", err)
	}
	return out.Close()
}
