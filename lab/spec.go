package lab

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// NIC is a model of network card.
type NIC string

// The network cards, by QEMU's names.
const (
	NICVirtio NIC = "virtio-net"
	NICE1000e NIC = "e1000e"
)

// DiskKind is how a disk is attached.
type DiskKind string

// The kinds of disk.
const (
	DiskVirtio DiskKind = "virtio-blk"
	DiskAHCI   DiskKind = "ahci"
	DiskNVMe   DiskKind = "nvme"
)

// NodeSpec is one virtual machine of a rack. The zero value is a usable one.
type NodeSpec struct {
	Name      string         // "" is node-N, N its place from 0
	Firmware  ingot.BootMode // "" is UEFI
	NIC       NIC            // "" is virtio-net
	Disk      DiskKind       // "" is virtio-blk
	DiskMiB   int            // 0 is 5120: agents choose a disk of 4 GiB or more
	MemoryMiB int            // 0 is 1024
	CPUs      int            // 0 is 1
	Nested    bool           // its processor has what KVM needs; with Accel KVM, where the host's lets it through
	MAC       string         // "" is made from the rack's name and N
	UUID      uuid.UUID      // SMBIOS; zero is made from the rack's name and N
	Serial    string         // SMBIOS; "" is made from the UUID
}

// withDefaults fills in what node i of a rack leaves open.
func (n NodeSpec) withDefaults(rack string, i int) NodeSpec {
	if n.Name == "" {
		n.Name = "node-" + strconv.Itoa(i)
	}
	if n.UUID == uuid.Nil {
		n.UUID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("ingot lab "+rack+" "+strconv.Itoa(i)))
	}
	if n.Serial == "" {
		n.Serial = "LAB-" + n.UUID.String()[:8]
	}
	if n.MAC == "" {
		// 52:54:00 is what QEMU's own addresses begin with.
		n.MAC = net.HardwareAddr{0x52, 0x54, 0, n.UUID[0], n.UUID[1], n.UUID[2]}.String()
	}
	orText(&n.Firmware, ingot.ModeUEFI)
	orText(&n.NIC, NICVirtio)
	orText(&n.Disk, DiskVirtio)
	orInt(&n.DiskMiB, 5120)
	orInt(&n.MemoryMiB, 1024)
	orInt(&n.CPUs, 1)
	return n
}

func orText[T ~string](field *T, otherwise T) {
	if *field == "" {
		*field = otherwise
	}
}

func orInt(field *int, otherwise int) {
	if *field == 0 {
		*field = otherwise
	}
}

// nodeName is what can stand in file names and host names alike.
var nodeName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// check refuses what no machine can be made of.
func (n NodeSpec) check() error {
	mac, err := net.ParseMAC(n.MAC)
	switch {
	case !nodeName.MatchString(n.Name):
		return fmt.Errorf("cannot make node %q: a name has up to 32 small letters, digits and dashes", n.Name)
	case n.Firmware != ingot.ModeBIOS && n.Firmware != ingot.ModeUEFI:
		return fmt.Errorf("cannot make node %s: firmware %q is not bios or uefi", n.Name, n.Firmware)
	case n.NIC != NICVirtio && n.NIC != NICE1000e:
		return fmt.Errorf("cannot make node %s: network card %q is not %s or %s", n.Name, n.NIC, NICVirtio, NICE1000e)
	case n.Disk != DiskVirtio && n.Disk != DiskAHCI && n.Disk != DiskNVMe:
		return fmt.Errorf("cannot make node %s: disk %q is not %s, %s or %s", n.Name, n.Disk, DiskVirtio, DiskAHCI, DiskNVMe)
	case err != nil || len(mac) != 6 || mac[0]&1 != 0:
		return fmt.Errorf("cannot make node %s: %q is not the MAC address of a card", n.Name, n.MAC)
	case n.DiskMiB < 1 || n.MemoryMiB < 64 || n.CPUs < 1:
		return fmt.Errorf("cannot make node %s: it needs a disk, 64 MiB of memory and a processor", n.Name)
	}
	return nil
}

// checkNodes refuses two nodes of one name or address.
func checkNodes(nodes []NodeSpec) error {
	if len(nodes) == 0 {
		return errors.New("cannot make a rack without nodes")
	}
	taken := map[string]string{}
	for _, n := range nodes {
		if err := n.check(); err != nil {
			return err
		}
		for _, id := range []string{"name " + n.Name, "MAC address " + n.MAC, "UUID " + n.UUID.String()} {
			if other, twice := taken[id]; twice {
				return fmt.Errorf("cannot make nodes %s and %s: both have %s", other, n.Name, id)
			}
			taken[id] = n.Name
		}
	}
	return nil
}
