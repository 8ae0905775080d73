package hypervisor

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Shape is what a guest's domain is to be, worked out of its node, its ports and its host.
type Shape struct {
	Node       string // UUID, the domain's too
	Title      string // the node's name, for people at the host
	Virt       string // kvm or qemu
	CPUs       uint
	MemoryMB   uint
	DiskGB     int64
	Mode       ingot.BootMode
	SecureBoot bool
	TPM        bool
	CPU        ingot.GuestCPU
	Pool       string
	DiskFormat string // qcow2 or raw
	DiskCache  string // of the host before the disk; "" is libvirt's default, a write-back one
	Counted    bool   // its disk is of the host's DISK_GB
	NICs       []NIC
}

// NIC is where a port of the guest is plugged in.
type NIC struct {
	MAC     string
	Bridge  string // or
	Network string // of libvirt
	VLAN    uint   // 0 is none
	Filter  string // nwfilter against false sender addresses; "" none
	// MustFilter says that the guest may not start without it.
	MustFilter bool
	IPs        []string
}

// shapeOf works out a guest's shape, and refuses what its host cannot give (Invalid, Unsupported).
func shapeOf(n *ingot.Node, ports []ingot.Port, host *ingot.Hypervisor) (Shape, error) {
	// Every host can do qemu, one that was not probed yet too.
	s := Shape{Node: n.UUID, Title: n.Name, Virt: cmp.Or(host.Facts.VirtType(), "qemu"), CPU: host.CPU}
	amounts := map[ingot.Resource]int64{}
	for _, r := range ingot.Resources() {
		n, err := whole(n.Properties, r.Property())
		if err != nil {
			return Shape{}, err
		}
		amounts[r] = n
	}
	s.CPUs, s.MemoryMB, s.DiskGB = uint(amounts[ingot.VCPU]), uint(amounts[ingot.MemoryMB]), amounts[ingot.DiskGB]
	if arch := ingot.Text(n.Properties, "cpu_arch"); arch != "" && arch != "x86_64" {
		return Shape{}, ingot.Errorf(ingot.Unsupported, "guests are x86_64, and node %s has cpu_arch %s", n.UUID, arch)
	}
	if err := s.setFirmware(n); err != nil {
		return Shape{}, err
	}
	if err := s.setPool(n, host); err != nil {
		return Shape{}, err
	}
	if err := s.againstFacts(host); err != nil {
		return Shape{}, err
	}
	for i := range ports {
		nic, err := nicOf(&ports[i], host)
		if err != nil {
			return Shape{}, err
		}
		s.NICs = append(s.NICs, nic)
	}
	slices.SortFunc(s.NICs, func(a, b NIC) int { return strings.Compare(a.MAC, b.MAC) })
	return s, nil
}

// whole reads a positive number, which Ironic's clients send as a number or as text.
func whole(properties map[string]any, key string) (int64, error) {
	var value float64
	switch v := properties[key].(type) {
	case float64:
		value = v
	case int:
		value = float64(v)
	case int64:
		value = float64(v)
	case string:
		parsed, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return 0, ingot.Errorf(ingot.Invalid, "properties %s of a guest is %q: give a whole number", key, v)
		}
		value = float64(parsed)
	case nil:
		return 0, ingot.Errorf(ingot.Invalid, "a guest needs properties %s", key)
	}
	if value < 1 || value > math.MaxInt32 || value != math.Trunc(value) {
		return 0, ingot.Errorf(ingot.Invalid, "properties %s of a guest is %v: give a whole number from 1", key, properties[key])
	}
	return int64(value), nil
}

// setFirmware reads the capabilities that a machine's firmware has in Ironic: boot_mode, secure_boot; the TPM is
// driver_info's.
func (s *Shape) setFirmware(n *ingot.Node) error {
	s.Mode = ingot.ModeBIOS
	for _, from := range []map[string]any{n.Properties, n.InstanceInfo} {
		if mode := ingot.Capability(from, "boot_mode"); mode != "" {
			s.Mode = ingot.BootMode(mode)
		}
		s.SecureBoot = s.SecureBoot || strings.EqualFold(ingot.Capability(from, "secure_boot"), "true")
	}
	s.TPM = n.DriverInfo["vtpm"] == true
	switch {
	case s.Mode != ingot.ModeBIOS && s.Mode != ingot.ModeUEFI:
		return ingot.Errorf(ingot.Invalid, "boot_mode %q of node %s is neither bios nor uefi", s.Mode, n.UUID)
	case s.SecureBoot && s.Mode != ingot.ModeUEFI:
		return ingot.Errorf(ingot.Invalid, "node %s asks for secure_boot without boot_mode uefi", n.UUID)
	}
	return nil
}

// againstFacts refuses firmware that a host was found not to have. One that was not probed yet is tried.
func (s *Shape) againstFacts(host *ingot.Hypervisor) error {
	f := &host.Facts
	switch {
	case f.LibvirtVersion == "":
	case s.Mode == ingot.ModeUEFI && !f.UEFI:
		return ingot.Errorf(ingot.Unsupported, "compute host %s has no UEFI firmware: install ovmf there", host.NodeUUID)
	case s.SecureBoot && !f.SecureBoot:
		return ingot.Errorf(ingot.Unsupported, "compute host %s has no firmware with Secure Boot", host.NodeUUID)
	case s.TPM && !f.TPM:
		return ingot.Errorf(ingot.Unsupported, "compute host %s has no TPM for guests: install swtpm there", host.NodeUUID)
	}
	return nil
}

// noCache has what a guest reads and writes go past its host's page cache. Where hosts share files, that of the host that a
// guest moves to may have old ones of them.
const noCache = "none"

// setPool finds the pool of the guest's disk: driver_info's, or the host's first.
func (s *Shape) setPool(n *ingot.Node, host *ingot.Hypervisor) error {
	want := n.DiskPool()
	if pool := host.Pool(want); pool != nil {
		s.Pool, s.DiskFormat, s.DiskCache, s.Counted = pool.Name, pool.DiskFormat(), "", host.Counts(want)
		if pool.Shared {
			s.DiskCache = noCache
		}
		return nil
	}
	if want == "" {
		return ingot.Errorf(ingot.Invalid, "compute host %s has no pool for disks", host.NodeUUID)
	}
	var names []string
	for _, p := range host.Pools {
		names = append(names, p.Name)
	}
	return ingot.Errorf(ingot.Invalid, "compute host %s has no pool %q: it has %s", host.NodeUUID, want, strings.Join(names, ", "))
}

// The filters against false sender addresses: the second also holds the IP addresses, and can be asked for only where
// these are known, since what boots from the network and what was installed have different ones.
const (
	filterMAC = "no-mac-spoofing"
	filterAll = "clean-traffic"
)

// nicOf plugs a port in. extra is Ironic's place for what it has no field for: vlan, fixed_ips, port_security.
func nicOf(p *ingot.Port, host *ingot.Hypervisor) (NIC, error) {
	network, err := networkOf(p, host)
	if err != nil {
		return NIC{}, err
	}
	nic := NIC{MAC: p.Address, Bridge: network.Bridge, Network: network.LibvirtNetwork, Filter: filterMAC}
	if nic.VLAN, err = vlanOf(p, network); err != nil {
		return NIC{}, err
	}
	if nic.VLAN != 0 && nic.Bridge != "" && !tagsBridges(host) {
		return NIC{}, ingot.Errorf(ingot.Unsupported, "port %s has VLAN %d, and the libvirt %s of compute host %s sets no tags on a Linux bridge (11.0.0 does): give it a bridge of the VLAN",
			p.Address, nic.VLAN, host.Facts.LibvirtVersion, host.NodeUUID)
	}
	if nic.IPs, err = fixedIPs(p); err != nil {
		return NIC{}, err
	}
	switch secure, said := p.Extra["port_security"].(bool); {
	case said && !secure:
		nic.Filter, nic.IPs = "", nil
	case len(nic.IPs) > 0:
		nic.Filter, nic.MustFilter = filterAll, true
	case said:
		nic.MustFilter = true
	}
	return nic, nil
}

// networkOf finds the host's network for a port; a port that names none takes the only one there is.
func networkOf(p *ingot.Port, host *ingot.Hypervisor) (ingot.GuestNetwork, error) {
	var names []string
	for _, n := range host.Networks {
		names = append(names, n.PhysicalNetwork)
		if n.PhysicalNetwork == p.PhysicalNetwork || p.PhysicalNetwork == "" && len(host.Networks) == 1 {
			return n, nil
		}
	}
	return ingot.GuestNetwork{}, ingot.Errorf(ingot.Invalid, "port %s is of physical network %q, and compute host %s has %s",
		p.Address, p.PhysicalNetwork, host.NodeUUID, strings.Join(append(names, "no other"), ", "))
}

func vlanOf(p *ingot.Port, network ingot.GuestNetwork) (uint, error) {
	if p.Extra["vlan"] == nil {
		return 0, nil
	}
	tag, ok := p.Extra["vlan"].(float64)
	switch {
	case !ok || tag < 1 || tag > 4094 || tag != math.Trunc(tag):
		return 0, ingot.Errorf(ingot.Invalid, "extra vlan of port %s is %v: give a number from 1 to 4094", p.Address, p.Extra["vlan"])
	case !network.VLAN:
		return 0, ingot.Errorf(ingot.Invalid, "port %s has VLAN %v, and physical network %s of its host carries no tags", p.Address, tag, network.PhysicalNetwork)
	}
	return uint(tag), nil
}

// tagsBridges says whether a host's libvirt sets VLAN tags on a Linux bridge, which it does from version 11.0.0 on.
func tagsBridges(host *ingot.Hypervisor) bool {
	major, _, _ := strings.Cut(host.Facts.LibvirtVersion, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 11
}

func fixedIPs(p *ingot.Port) ([]string, error) {
	if p.Extra["fixed_ips"] == nil {
		return nil, nil
	}
	list, ok := p.Extra["fixed_ips"].([]any)
	var ips []string
	for _, item := range list {
		text, _ := item.(string)
		ip, err := netip.ParseAddr(text)
		switch {
		case err != nil:
			return nil, ingot.Errorf(ingot.Invalid, "extra fixed_ips of port %s has %v, which is no IP address", p.Address, item)
		case !ip.Is4():
			return nil, ingot.Errorf(ingot.Unsupported, "extra fixed_ips of port %s has %v: the filter that holds a port to its addresses (%s) knows IPv4 alone, and lets no IPv6 through",
				p.Address, item, filterAll)
		}
		ips = append(ips, text)
	}
	if !ok || len(ips) == 0 {
		return nil, ingot.Errorf(ingot.Invalid, "extra fixed_ips of port %s is not a list of IP addresses", p.Address)
	}
	return ips, nil
}

// volume names a guest's volume.
func volume(node, suffix string) string { return fmt.Sprintf("%s%s", node, suffix) }
