package hypervisor

import (
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// inventory is what a domain is made of, in the words of an agent that would run in it. The disks' sizes are left out: the
// document does not have them.
func (d *document) inventory() ingot.Inventory {
	var i ingot.Inventory
	machine := d.at("os", "type")
	i.CPU = ingot.InventoryCPU{Model: d.at("cpu", "model").text(), Architecture: machine.attr("arch")}
	if i.CPU.Model == "" {
		i.CPU.Model = d.at("cpu").attr("mode")
	}
	i.CPU.Count, _ = strconv.Atoi(d.at("vcpu").text())
	i.Memory.Total = bytesOf(d.at("memory"))
	i.Memory.PhysicalMB = int(i.Memory.Total >> 20)
	i.SystemVendor = ingot.InventoryVendor{Manufacturer: "QEMU", Product: machine.attr("machine"), Serial: d.at("uuid").text()}
	i.Boot.CurrentMode = string(ingot.ModeBIOS)
	if d.at("os").attr("firmware") == "efi" || d.at("os", "loader").attr("type") == "pflash" {
		i.Boot.CurrentMode = string(ingot.ModeUEFI)
	}
	for _, e := range d.disks() {
		i.Disks = append(i.Disks, ingot.InventoryDisk{
			Name: "/dev/" + e.child("target").attr("dev"), Serial: e.child("serial").text(), Vendor: "QEMU", ReadOnly: e.child("readonly") != nil,
		})
	}
	for _, e := range d.at("devices").list() {
		if mac := e.child("mac").attr("address"); e.name == "interface" && mac != "" {
			i.Interfaces = append(i.Interfaces, ingot.InventoryInterface{
				Name: "nic" + strconv.Itoa(len(i.Interfaces)), MAC: strings.ToLower(mac), HasCarrier: e.child("link").attr("state") != "down", Driver: e.child("model").attr("type"),
			})
		}
	}
	return i
}

// disks are the domain's disks that a system could be on, without CD drives and the config drive.
func (d *document) disks() []*element {
	var all []*element
	for _, e := range d.at("devices").list() {
		device := e.attr("device")
		if e.name == "disk" && (device == "" || device == "disk") && e.child("source") != nil && e.child("target").attr("dev") != configTarget {
			all = append(all, e)
		}
	}
	return all
}

// bytesOf reads an amount of memory in its unit, KiB where it has none; 0 for what is none.
func bytesOf(e *element) int64 {
	n, err := strconv.ParseInt(e.text(), 10, 64)
	if err != nil {
		return 0
	}
	shift, known := map[string]int{"b": 0, "bytes": 0, "": 10, "KiB": 10, "k": 10, "MiB": 20, "M": 20, "GiB": 30, "G": 30}[e.attr("unit")]
	if !known {
		return 0
	}
	return n << shift
}
