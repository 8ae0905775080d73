package inventory

import (
	"regexp"
	"strconv"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// notDisks are block devices that are no place for an image: memory, floppies, optical drives, loops, what is built on
// top of disks (device mapper, md), and an eMMC's boot and replay-protected parts.
const notDisks = `^(ram|zram|fd|sr|scd|loop|dm-|md|nbd|mtdblock|drbd|rbd)|^mmcblk\d+(boot\d|rpmb|gp\d)`

// Disks are the disks that could take an image, by name.
func (h *Host) Disks() []ingot.InventoryDisk {
	skip := regexp.MustCompile(notDisks)
	out := []ingot.InventoryDisk{}
	for _, name := range h.names("/sys/block") {
		if skip.MatchString(name) {
			continue
		}
		// A path of a multipath NVMe device is hidden: the namespace itself is the disk.
		if h.number("/sys/block", name, "hidden") != 0 {
			continue
		}
		if d := h.disk(name); d.Size > 0 {
			out = append(out, d)
		}
	}
	return out
}

func (h *Host) disk(name string) ingot.InventoryDisk {
	at := "/sys/block/" + name
	d := ingot.InventoryDisk{
		Name:               "/dev/" + strings.ReplaceAll(name, "!", "/"),
		Model:              h.text(at, "device/model"),
		Vendor:             h.text(at, "device/vendor"),
		Size:               h.number(at, "size") * 512, // always in units of 512, whatever the sector size
		Rotational:         h.number(at, "queue/rotational") != 0,
		Serial:             h.serial(at),
		HCTL:               first(h.names(at, "device/scsi_device")),
		LogicalSectorSize:  int(h.number(at, "queue/logical_block_size")),
		PhysicalSectorSize: int(h.number(at, "queue/physical_block_size")),
		ReadOnly:           h.number(at, "ro") != 0,
	}
	d.ByPath = h.byPath(name)
	d.WWN, d.WWNVendorExtension, d.WWNWithExtension = wwn(h.wwid(at))
	return d
}

// serial is the drive's own serial number: from SCSI's unit serial number page (SPC-5 7.7.18), from NVMe's identify
// data, or what virtio-blk was told.
func (h *Host) serial(at string) string {
	if page := h.raw(at, "device/vpd_pg80"); len(page) > 4 {
		n := int(page[2])<<8 | int(page[3])
		if text := printable(page[4:min(len(page), 4+n)]); text != "" {
			return text
		}
	}
	for _, file := range []string{"device/serial", "serial"} {
		if text := h.text(at, file); text != "" {
			return text
		}
	}
	return ""
}

func (h *Host) wwid(at string) string {
	if id := h.text(at, "wwid"); id != "" {
		return id
	}
	return h.text(at, "device/wwid")
}

// wwn splits the kernel's wwid into the three values that udev makes of it. NAA types 2, 3 and 5 have 8 bytes, type 6
// has 16, of which the last 8 are the vendor's.
func wwn(wwid string) (short, extension, long string) {
	hex, ok := strings.CutPrefix(wwid, "naa.")
	switch {
	case ok && len(hex) == 32:
		return "0x" + hex[:16], "0x" + hex[16:], "0x" + hex
	case ok:
		return "0x" + hex, "", "0x" + hex
	case strings.HasPrefix(wwid, "eui.") || strings.HasPrefix(wwid, "nvme.") || strings.HasPrefix(wwid, "uuid."):
		return wwid, "", wwid
	}
	return "", "", ""
}

// byPath is the name that udev's path_id would give the disk below /dev/disk/by-path, for the buses whose rule is
// simple; "" for the others (SAS expanders, Fibre Channel, iSCSI).
func (h *Host) byPath(name string) string {
	device := h.device("/sys/block", name)
	pci := pciAddress(device)
	if pci == "" {
		return ""
	}
	prefix := "/dev/disk/by-path/pci-" + pci
	inner := device[index(device, pci)+1:]
	if len(inner) == 0 {
		return ""
	}
	switch joined := strings.Join(inner, "/"); {
	case strings.HasPrefix(inner[0], "virtio") && !strings.Contains(joined, "/host"):
		return prefix
	case inner[0] == "nvme":
		if id := h.text("/sys/block", name, "nsid"); id != "" {
			return prefix + "-nvme-" + id
		}
	case regexp.MustCompile(`^ata\d+$`).MatchString(inner[0]):
		return h.ataPath(prefix, inner)
	case regexp.MustCompile(`^(virtio\d+/)?host\d+/target`).MatchString(joined):
		return h.scsiPath(prefix, pci, inner)
	}
	return ""
}

// ataPath counts the port on its controller (ata_port/port_no, from 1), and the second device of a PATA channel.
func (h *Host) ataPath(prefix string, inner []string) string {
	port := h.text("/sys/class/ata_port", inner[0], "port_no")
	if port == "" {
		port = strings.TrimPrefix(inner[0], "ata")
	}
	hctl := strings.Split(hctlIn(inner), ":")
	if len(hctl) == 4 && hctl[2] != "0" {
		return prefix + "-ata-" + port + "." + hctl[2]
	}
	return prefix + "-ata-" + port
}

// scsiPath numbers the host from 0 on its controller: the kernel's numbers depend on what was probed first.
func (h *Host) scsiPath(prefix, pci string, inner []string) string {
	parts := strings.Split(hctlIn(inner), ":")
	if len(parts) != 4 {
		return ""
	}
	own, err := strconv.Atoi(parts[0])
	if err != nil {
		return ""
	}
	lowest := own
	for _, host := range h.names("/sys/class/scsi_host") {
		n, err := strconv.Atoi(strings.TrimPrefix(host, "host"))
		if err == nil && n < lowest && pciAddress(h.device("/sys/class/scsi_host", host)) == pci {
			lowest = n
		}
	}
	return prefix + "-scsi-" + strconv.Itoa(own-lowest) + ":" + strings.Join(parts[1:], ":")
}

// hctlIn finds host:channel:target:lun in a device path.
func hctlIn(device []string) string {
	form := regexp.MustCompile(`^\d+:\d+:\d+:\d+$`)
	for _, part := range device {
		if form.MatchString(part) {
			return part
		}
	}
	return ""
}

func index(list []string, s string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == s {
			return i
		}
	}
	return -1
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
