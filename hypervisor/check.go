package hypervisor

import (
	"slices"

	"github.com/ingot-metal/ingot"
)

// checkHost refuses settings that cannot be right for any host.
func checkHost(h *ingot.Hypervisor) error {
	if h.Type != "libvirt" {
		return ingot.Errorf(ingot.Invalid, "hypervisor type %q is not one of: libvirt", h.Type)
	}
	if _, err := ParseURI(h.URI); err != nil {
		return err
	}
	for i, n := range h.Networks {
		if (n.Bridge == "") == (n.LibvirtNetwork == "") {
			return ingot.Errorf(ingot.Invalid, "network %q needs either a bridge or a libvirt_network", n.PhysicalNetwork)
		}
		if slices.ContainsFunc(h.Networks[:i], func(o ingot.GuestNetwork) bool { return o.PhysicalNetwork == n.PhysicalNetwork }) {
			return ingot.Errorf(ingot.Invalid, "physical network %q is there twice", n.PhysicalNetwork)
		}
	}
	for i, p := range h.Pools {
		if slices.ContainsFunc(h.Pools[:i], func(o ingot.StoragePool) bool { return o.Name == p.Name }) {
			return ingot.Errorf(ingot.Invalid, "pool %q is there twice", p.Name)
		}
		if slices.ContainsFunc(p.Formats, func(f string) bool { return f != "qcow2" && f != "raw" }) {
			return ingot.Errorf(ingot.Invalid, "pool %q has formats %q: guests' disks are qcow2 or raw", p.Name, p.Formats)
		}
	}
	return checkCPU(h.CPU)
}

func checkCPU(cpu ingot.GuestCPU) error {
	switch cpu.Mode {
	case "", "host-model", "host-passthrough":
		if cpu.Model != "" {
			return ingot.Errorf(ingot.Invalid, "cpu model %q is for cpu mode custom", cpu.Model)
		}
	case "custom":
		if cpu.Model == "" {
			return ingot.Errorf(ingot.Invalid, "cpu mode custom needs a cpu model")
		}
	default:
		return ingot.Errorf(ingot.Invalid, "cpu mode %q is not one of host-model, host-passthrough, custom", cpu.Mode)
	}
	return nil
}
