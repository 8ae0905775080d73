package inventory

import (
	"os"

	ingot "github.com/ingot-metal/ingot"
)

// Interfaces are the network interfaces that stand on a device; bridges, tunnels and the loopback do not.
func (h *Host) Interfaces() []ingot.InventoryInterface {
	out := []ingot.InventoryInterface{}
	for _, name := range h.names("/sys/class/net") {
		at := "/sys/class/net/" + name
		mac := h.text(at, "address")
		if mac == "" || !h.exists(at, "device") {
			continue
		}
		i := ingot.InventoryInterface{
			Name: name, MAC: mac,
			HasCarrier: h.text(at, "carrier") == "1",
			Vendor:     h.text(at, "device/vendor"),
			Product:    h.text(at, "device/device"),
			PCIAddress: pciAddress(h.device(at, "device")),
			Driver:     last(h.device(at, "device/driver")),
			SpeedMbps:  max(int(h.number(at, "speed")), 0), // -1 when the driver does not know
		}
		if h.Addresses != nil {
			v4, v6 := h.Addresses(name)
			if v4.IsValid() {
				i.IPv4 = v4.String()
			}
			if v6.IsValid() {
				i.IPv6 = v6.String()
			}
		}
		out = append(out, i)
	}
	return out
}

// MACs are the interfaces' addresses, for lookup.
func MACs(interfaces []ingot.InventoryInterface) []string {
	var out []string
	for _, i := range interfaces {
		out = append(out, i.MAC)
	}
	return out
}

// PCI is every PCI device, as ironic-python-agent's pci-devices collector tells it.
func (h *Host) PCI() []map[string]string {
	var out []map[string]string
	for _, bus := range h.names("/sys/bus/pci/devices") {
		device := map[string]string{"bus": bus}
		for key, file := range map[string]string{"vendor_id": "vendor", "product_id": "device", "class": "class", "revision": "revision"} {
			if text := h.text("/sys/bus/pci/devices", bus, file); len(text) > 2 {
				device[key] = text[2:] // without 0x
			}
		}
		if node := h.text("/sys/bus/pci/devices", bus, "numa_node"); node != "" {
			device["numa_node_id"] = node
		}
		out = append(out, device)
	}
	return out
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// raw is a file's content, nil when it cannot be read.
func (h *Host) raw(parts ...string) []byte {
	b, err := os.ReadFile(h.path(parts...))
	if err != nil {
		return nil
	}
	return b
}

// printable is the ASCII in b without the blanks around it.
func printable(b []byte) string {
	var out []byte
	for _, c := range b {
		if c >= ' ' && c < 0x7f {
			out = append(out, c)
		}
	}
	return trim(string(out))
}
