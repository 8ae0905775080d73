package hypervisor

import (
	"fmt"

	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// rootPorts are the places for PCI Express devices of a guest: those that it starts with take about seven, the rest is
// for what is plugged in later (q35 has none to spare by itself).
const rootPorts = 14

// domainName is the name of the domains that Ingot makes. One of the node's UUID with another name was somebody's before
// it became a guest: it is switched and looked at as any other, but what it is and what it is made of stays its own.
func domainName(node string) string { return "ingot-" + node }

// domainXML is the domain of a shape, turned off and with nothing asked of its boot order. consoleLog is the path on the
// host for what its serial port says; "" keeps nothing.
func domainXML(s Shape, consoleLog string) (string, error) {
	d := libvirtxml.Domain{
		Type: s.Virt, UUID: s.Node, Name: domainName(s.Node), Title: s.Title,
		Metadata: &libvirtxml.DomainMetadata{XML: `<ingot:guest xmlns:ingot="` + namespace + `"/>`},
		Memory:   &libvirtxml.DomainMemory{Value: s.MemoryMB, Unit: "MiB"},
		VCPU:     &libvirtxml.DomainVCPU{Value: s.CPUs},
		OS:       s.os(), Features: s.features(), CPU: s.cpu(),
		Clock:      &libvirtxml.DomainClock{Offset: "utc"},
		OnPoweroff: "destroy", OnReboot: "restart", OnCrash: "destroy",
		Devices: s.devices(consoleLog),
	}
	text, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("cannot write the XML of domain %s: %w", s.Node, err)
	}
	doc, err := parse(text)
	if err != nil {
		return "", err
	}
	doc.order("")
	return doc.String(), nil
}

func (s *Shape) os() *libvirtxml.DomainOS {
	os := &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Type: "hvm", Arch: "x86_64", Machine: "q35"}}
	if s.Mode == ingot.ModeUEFI {
		secure := map[bool]string{true: "yes", false: "no"}[s.SecureBoot]
		features := []libvirtxml.DomainOSFirmwareFeature{{Enabled: secure, Name: "secure-boot"}}
		if s.SecureBoot {
			features = append(features, libvirtxml.DomainOSFirmwareFeature{Enabled: "yes", Name: "enrolled-keys"})
		}
		os.Firmware, os.FirmwareInfo = "efi", &libvirtxml.DomainOSFirmwareInfo{Features: features}
	}
	return os
}

func (s *Shape) features() *libvirtxml.DomainFeatureList {
	f := &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{}}
	if s.SecureBoot { // what keeps the firmware's variables from the system
		f.SMM = &libvirtxml.DomainFeatureSMM{State: "on"}
	}
	return f
}

// cpu is what the operator chose for the host; a guest without KVM has the plain one, which is emulated fastest.
func (s *Shape) cpu() *libvirtxml.DomainCPU {
	cpu := &libvirtxml.DomainCPU{Mode: s.CPU.Mode}
	switch {
	case s.Virt != "kvm":
		return &libvirtxml.DomainCPU{Mode: "custom", Match: "exact", Check: "none", Model: &libvirtxml.DomainCPUModel{Fallback: "allow", Value: "qemu64"}}
	case s.CPU.Mode == "":
		cpu.Mode = "host-model"
	case s.CPU.Mode == "custom":
		cpu.Match, cpu.Model = "exact", &libvirtxml.DomainCPUModel{Fallback: "forbid", Value: s.CPU.Model}
	}
	for _, name := range s.CPU.Require {
		cpu.Features = append(cpu.Features, libvirtxml.DomainCPUFeature{Policy: "require", Name: name})
	}
	for _, name := range s.CPU.Disable {
		cpu.Features = append(cpu.Features, libvirtxml.DomainCPUFeature{Policy: "disable", Name: name})
	}
	return cpu
}

func (s *Shape) devices(consoleLog string) *libvirtxml.DomainDeviceList {
	port := uint(0)
	serial := libvirtxml.DomainSerial{
		Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
		Target: &libvirtxml.DomainSerialTarget{Port: &port},
	}
	if consoleLog != "" {
		serial.Log = &libvirtxml.DomainChardevLog{File: consoleLog, Append: "on"}
	}
	list := &libvirtxml.DomainDeviceList{
		Disks:   []libvirtxml.DomainDisk{s.rootDisk(), emptyDrive()},
		Serials: []libvirtxml.DomainSerial{serial},
		Channels: []libvirtxml.DomainChannel{{
			Source: &libvirtxml.DomainChardevSource{UNIX: &libvirtxml.DomainChardevSourceUNIX{Mode: "bind"}},
			Target: &libvirtxml.DomainChannelTarget{VirtIO: &libvirtxml.DomainChannelTargetVirtIO{Name: "org.qemu.guest_agent.0"}},
		}},
		Graphics: []libvirtxml.DomainGraphic{{VNC: &libvirtxml.DomainGraphicVNC{AutoPort: "yes", Listen: "127.0.0.1"}}},
		Videos:   []libvirtxml.DomainVideo{{Model: libvirtxml.DomainVideoModel{Type: "vga"}}},
		RNGs:     []libvirtxml.DomainRNG{{Model: "virtio", Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}}}},
		MemBalloon: &libvirtxml.DomainMemBalloon{
			Model: "virtio", Stats: &libvirtxml.DomainMemBalloonStats{Period: 30},
		},
	}
	for i := range uint(rootPorts + 1) {
		model := map[bool]string{true: "pcie-root", false: "pcie-root-port"}[i == 0]
		list.Controllers = append(list.Controllers, libvirtxml.DomainController{Type: "pci", Index: &i, Model: model})
	}
	for _, nic := range s.NICs {
		list.Interfaces = append(list.Interfaces, nic.device())
	}
	if s.TPM {
		list.TPMs = []libvirtxml.DomainTPM{{Model: "tpm-crb", Backend: &libvirtxml.DomainTPMBackend{Emulator: &libvirtxml.DomainTPMBackendEmulator{Version: "2.0"}}}}
	}
	return list
}

// rootDisk is the guest's disk; its serial number lets Ironic's root device hints find it.
func (s *Shape) rootDisk() libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "disk",
		Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: s.DiskFormat, Cache: s.DiskCache, Discard: "unmap"},
		Source: &libvirtxml.DomainDiskSource{Volume: &libvirtxml.DomainDiskSourceVolume{Pool: s.Pool, Volume: s.root()}},
		Target: &libvirtxml.DomainDiskTarget{Dev: "vda", Bus: "virtio"},
		Serial: s.Node[:min(len(s.Node), 20)], // what virtio carries
	}
}

// root names the volume of the guest's disk.
func (s *Shape) root() string { return volume(s.Node, "."+s.DiskFormat) }

// The targets of the config drive, which is there only where there is one, and of the CD drive.
const (
	configTarget = "vdz"
	mediaTarget  = "sdb"
)

// emptyDrive is the CD drive for virtual media.
func emptyDrive() libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "cdrom", Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw"},
		Target: &libvirtxml.DomainDiskTarget{Dev: mediaTarget, Bus: "sata"}, ReadOnly: &libvirtxml.DomainDiskReadOnly{},
	}
}

// configDisk is the XML of the config drive. It is a disk like the root disk and no CD: kernels for clouds (Debian's) come
// without AHCI, and cloud-init goes by the file system's label.
func configDisk(pool, volume string) (string, error) {
	disk := libvirtxml.DomainDisk{
		Device: "disk", Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw"},
		Source: &libvirtxml.DomainDiskSource{Volume: &libvirtxml.DomainDiskSourceVolume{Pool: pool, Volume: volume}},
		Target: &libvirtxml.DomainDiskTarget{Dev: configTarget, Bus: "virtio"}, ReadOnly: &libvirtxml.DomainDiskReadOnly{},
	}
	return disk.Marshal()
}

func (n NIC) device() libvirtxml.DomainInterface {
	i := libvirtxml.DomainInterface{
		MAC: &libvirtxml.DomainInterfaceMAC{Address: n.MAC}, Model: &libvirtxml.DomainInterfaceModel{Type: "virtio"},
		Source: &libvirtxml.DomainInterfaceSource{},
	}
	if n.Network != "" {
		i.Source.Network = &libvirtxml.DomainInterfaceSourceNetwork{Network: n.Network}
	} else {
		i.Source.Bridge = &libvirtxml.DomainInterfaceSourceBridge{Bridge: n.Bridge}
	}
	if n.VLAN != 0 {
		i.VLan = &libvirtxml.DomainInterfaceVLan{Tags: []libvirtxml.DomainInterfaceVLanTag{{ID: n.VLAN}}}
	}
	if n.Filter != "" {
		i.FilterRef = &libvirtxml.DomainInterfaceFilterRef{Filter: n.Filter}
		for _, ip := range n.IPs {
			i.FilterRef.Parameters = append(i.FilterRef.Parameters, libvirtxml.DomainInterfaceFilterParam{Name: "IP", Value: ip})
		}
	}
	return i
}
