package inventory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	ingot "github.com/ingot-metal/ingot"
)

// smbios is the machine's parsed table, empty where the firmware has none or only root may read it.
func (h *Host) smbios() Tables { return ParseSMBIOS(h.raw("/sys/firmware/dmi/tables/DMI")) }

// vendor is the make out of the SMBIOS table, or of what the kernel took from it.
func (h *Host) vendor(t Tables) ingot.InventoryVendor {
	id := func(file string) string { return h.text("/sys/class/dmi/id", file) }
	v := ingot.InventoryVendor{
		Product: id("product_name"), Serial: id("product_serial"), Manufacturer: id("sys_vendor"),
		Firmware: &ingot.InventoryFirmware{Vendor: id("bios_vendor"), Version: id("bios_version"), BuildDate: id("bios_date")},
	}
	if system := t.of(1); len(system) > 0 {
		v.Manufacturer, v.Product, v.Serial = system[0].text(4), system[0].text(5), system[0].text(7)
	}
	if firmware := t.of(0); len(firmware) > 0 {
		f := firmware[0]
		*v.Firmware = ingot.InventoryFirmware{Vendor: f.text(4), Version: f.text(5), BuildDate: f.text(8)}
	}
	return v
}

// memory is the kernel's MemTotal and what SMBIOS says is fitted.
func (h *Host) memory(t Tables) ingot.InventoryMemory {
	m := ingot.InventoryMemory{PhysicalMB: t.PhysicalMB()}
	for line := range strings.Lines(h.text("/proc/meminfo")) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err == nil {
				m.Total = kib * 1024
			}
		}
	}
	if m.PhysicalMB == 0 {
		m.PhysicalMB = int(m.Total >> 20)
	}
	return m
}

// cpu reads /proc/cpuinfo; its frequency is the highest that the processor can do, else the current one.
func (h *Host) cpu(t Tables) ingot.InventoryCPU {
	c := ingot.InventoryCPU{Architecture: h.Arch, Flags: []string{}}
	var packages []string
	for line := range strings.Lines(h.text("/proc/cpuinfo")) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "processor":
			c.Count++
		case "model name":
			c.Model = value
		case "cpu MHz":
			c.Frequency = value
		case "flags", "Features": // x86, arm
			c.Flags = strings.Fields(value)
		case "physical id":
			if !slices.Contains(packages, value) {
				packages = append(packages, value)
			}
		}
	}
	if c.Model == "" {
		c.Model = t.Processor()
	}
	if khz := h.number("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"); khz > 0 {
		c.Frequency = fmt.Sprintf("%.4f", float64(khz)/1000)
	}
	c.Sockets = len(packages)
	if c.Sockets == 0 {
		c.Sockets = t.Sockets()
	}
	return c
}
