package serve

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/conductor"
	"github.com/ingot-metal/ingot/conductor/agent"
	"github.com/ingot-metal/ingot/conductor/fake"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/ipmi"
	"github.com/ingot-metal/ingot/redfish"
)

// hardware is a row of the drivers' table: what nodes of one hardware type may be made of.
type hardware struct {
	// enabled are the implementations by interface kind; the first is the default.
	enabled map[string][]string
	// machines make the half of a machine that a power or management implementation stands for. A kind's
	// implementation that is not here works without a BMC of its own: it is carried out by the conductor's plans.
	machines map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error)
	// key names a node's BMC, so that exchanges with it take turns; "" needs none.
	key        func(*ingot.Node) string
	properties map[string]string
}

// inBand are the interfaces that the plans and the agent carry out whatever the hardware type is.
func inBand(more map[string][]string) map[string][]string {
	enabled := map[string][]string{
		"bios": {"no-bios"}, "boot": {"ipxe", "pxe"}, "console": {"no-console"}, "deploy": {"direct"}, "firmware": {"no-firmware"},
		"inspect": {"agent", "no-inspect"}, "network": {"noop", "flat"}, "raid": {"no-raid", "agent"}, "rescue": {"agent", "no-rescue"}, "storage": {"noop"}, "vendor": {"no-vendor"},
	}
	for kind, names := range more {
		enabled[kind] = names
	}
	return enabled
}

// table is the one table of drivers. Adding a driver is a folder, its test, and a row here.
func table() map[string]hardware {
	return map[string]hardware{
		"ipmi": {
			enabled:  inBand(map[string][]string{"power": {"ipmitool"}, "management": {"ipmitool", "noop"}, "vendor": {"ipmitool", "no-vendor"}}),
			machines: map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error){"ipmitool": ipmiMachine},
			key:      func(n *ingot.Node) string { return bmcKey(n.DriverInfo, "ipmi_address", "ipmi_port", "623") },
			properties: with(map[string]string{
				"ipmi_address": "IP address or hostname of the BMC. Required.", "ipmi_port": "UDP port of the BMC. Default 623.",
				"ipmi_username": "username; default is the anonymous user.", "ipmi_password": "password.",
				"ipmi_priv_level":           "privilege level: ADMINISTRATOR (default), OPERATOR, USER.",
				"ipmi_cipher_suite":         "RMCP+ cipher suite: 17 or 3; default is the best that the BMC offers.",
				"ipmi_disable_boot_timeout": "true (default) switches off the BMC's 60 s limit on boot flags.",
				"ipmi_backend":              "native (default) or ipmitool, for odd firmware.",
			}),
		},
		"redfish": {
			enabled:  inBand(map[string][]string{"bios": {"redfish", "no-bios"}, "firmware": {"redfish", "no-firmware"}, "power": {"redfish"}, "management": {"redfish", "noop"}, "vendor": {"redfish", "no-vendor"}}),
			machines: map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error){"redfish": redfishMachine},
			key:      func(n *ingot.Node) string { return bmcKey(n.DriverInfo, "redfish_address", "", "") },
			properties: with(map[string]string{
				"redfish_address":   "URL of the Redfish service. Required; https is assumed when it has no scheme.",
				"redfish_system_id": "path of the system; found by itself when the service has only one.",
				"redfish_username":  "username.", "redfish_password": "password.",
				"redfish_verify_ca": "true (default), false, or the path of a CA bundle.",
				"redfish_auth_type": "auto (default), basic or session.", "redfish_tls_minimum_version": "1.2 (default) or 1.3.",
			}),
		},
		"manual-management": {
			enabled:    inBand(map[string][]string{"power": {"fake"}, "management": {"noop"}, "deploy": {"direct", "noop"}}),
			machines:   map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error){"fake": manualMachine},
			key:        func(*ingot.Node) string { return "" },
			properties: with(map[string]string{}),
		},
		ingot.GuestDriver: {
			enabled: inBand(map[string][]string{
				"power": {"libvirt"}, "management": {"libvirt", "noop"}, "deploy": {"libvirt-image", "direct", "ramdisk"}, "console": {"libvirt-serial", "no-console"}, "vendor": {"libvirt", "no-vendor"},
				"inspect": {"libvirt", "agent", "no-inspect"},
			}),
			machines: map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error){"libvirt": guestMachine},
			key:      func(n *ingot.Node) string { return "guest " + n.UUID },
			properties: with(map[string]string{
				"pool":                    "storage pool of the disk; default is the compute host's first.",
				"vtpm":                    "true for a TPM 2.0; default false.",
				"anti_affinity_group":     "name of a group of which each compute host has one guest at most.",
				"rebuild_on_host_failure": "true to have the guest made anew from its image, without what was on its disk, when its compute host is lost, has on_host_failure rebuild and does not share the disk; default false.",
			}),
		},
		"fake-hardware": {
			enabled: map[string][]string{
				"bios": {"fake", "no-bios"}, "boot": {"fake", "ipxe"}, "console": {"fake", "no-console"}, "deploy": {"fake", "direct"}, "firmware": {"fake", "no-firmware"}, "inspect": {"fake", "agent", "no-inspect"},
				"management": {"fake"}, "network": {"noop", "flat"}, "power": {"fake"}, "raid": {"fake", "no-raid"}, "rescue": {"fake", "no-rescue"}, "storage": {"noop", "fake"}, "vendor": {"fake", "no-vendor"},
			},
			machines:   map[string]func(*Drivers, *ingot.Node) (ingot.Machine, error){"fake": fakeMachine},
			key:        func(*ingot.Node) string { return "" },
			properties: map[string]string{hasDedicatedPower: dedicatedPower},
		},
	}
}

// The one key of driver_info that children of every type have.
const (
	hasDedicatedPower = "has_dedicated_power_supply"
	dedicatedPower    = "true for a child that does not live off its parent's power; default false."
)

// with adds the keys of driver_info that the plans read for every real machine.
func with(properties map[string]string) map[string]string {
	for key, text := range map[string]string{
		"deploy_kernel":         "file:// URL of the ramdisk's kernel; default is the built-in ramdisk's.",
		"deploy_ramdisk":        "file:// URL of the ramdisk's initramfs; default is the built-in one.",
		"rescue_kernel":         "file:// URL of the kernel for rescue; default is the one of deployments.",
		"rescue_ramdisk":        "file:// URL of the initramfs for rescue; default is the one of deployments.",
		hasDedicatedPower:       dedicatedPower,
		"kernel_append_params":  "appended to the ramdisk's kernel command line.",
		"image_download_source": "http (default): the agent reads the image from its source; local: through Ingot's cache.",
	} {
		properties[key] = text
	}
	return properties
}

func ipmiMachine(d *Drivers, n *ingot.Node) (ingot.Machine, error) {
	return ipmi.New(n.DriverInfo, ipmi.Options{Suites: &d.suites})
}

func redfishMachine(_ *Drivers, n *ingot.Node) (ingot.Machine, error) {
	return redfish.New(n.DriverInfo, redfish.Options{})
}

// guestMachine is a virtual machine on the node's parent.
func guestMachine(d *Drivers, n *ingot.Node) (ingot.Machine, error) {
	return d.Hosts.Guest(n, d.Hypervisor)
}

func fakeMachine(d *Drivers, n *ingot.Node) (ingot.Machine, error) { return d.Fake.Machine(n), nil }

// bmcKey names a BMC by its address and port.
func bmcKey(info map[string]any, address, port, otherwise string) string {
	if port == "" {
		return ingot.Text(info, address)
	}
	p := otherwise
	if v, ok := info[port]; ok {
		p = fmt.Sprint(v)
	}
	return net.JoinHostPort(ingot.Text(info, address), p)
}

// Drivers assembles machines out of the table (conductor.Machines) and shows it (api.Drivers).
type Drivers struct {
	Enabled []string // hardware types; the others are refused
	Fake    *fake.Rack
	Wire    *agent.Client
	// Alive lists the conductors.
	Alive func(context.Context) ([]ingot.Conductor, error)

	// Hosts speak to compute hosts, which Hypervisor finds.
	Hosts      *hypervisor.Hosts
	Hypervisor func(ctx context.Context, node string) (ingot.Hypervisor, error)

	suites ipmi.Suites // what each BMC was found to speak
}

// row is the node's row of the table.
func (d *Drivers) row(n *ingot.Node) (hardware, error) {
	h, known := table()[n.Driver]
	if !known || !slices.Contains(d.Enabled, n.Driver) {
		return h, ingot.Errorf(ingot.Invalid, "driver %s is not enabled here; enabled are %v", n.Driver, d.Enabled)
	}
	return h, nil
}

// halves is a machine whose power and boot device are set by different implementations.
type halves struct {
	ingot.Power
	ingot.Booter
	parts []any
}

// Unwrap lets abilities be found in both halves (ingot.As).
func (h halves) Unwrap() []any { return h.parts }

// ownOrder is management "noop": the machine boots by its own boot order, which nobody sets.
type ownOrder struct{}

func (ownOrder) BootDevice(context.Context) (ingot.BootSetting, error) {
	return ingot.BootSetting{}, ingot.Errorf(ingot.Unsupported, "management interface noop knows no boot device")
}

func (ownOrder) SetBootDevice(context.Context, ingot.BootSetting) error {
	return ingot.Errorf(ingot.Unsupported, "management interface noop sets no boot device")
}

// Machine assembles the node's machine; it makes no connection.
func (d *Drivers) Machine(n *ingot.Node) (ingot.Machine, string, error) {
	h, err := d.row(n)
	if err != nil {
		return nil, "", err
	}
	build := h.machines[n.Interfaces.Power]
	if build == nil {
		return nil, "", ingot.Errorf(ingot.Invalid, "power interface %q is not one of %v", n.Interfaces.Power, h.enabled["power"])
	}
	power, err := build(d, n)
	if err != nil {
		return nil, "", err
	}
	key := h.key(n)
	switch {
	case n.Interfaces.Management == n.Interfaces.Power:
		return power, key, nil
	case n.Interfaces.Management == "noop":
		return halves{Power: power, Booter: ownOrder{}, parts: []any{power}}, key, nil
	}
	return nil, "", ingot.Errorf(ingot.Invalid, "management interface %q cannot be combined with power interface %q", n.Interfaces.Management, n.Interfaces.Power)
}

// Agent is the wire to the agent on the node.
func (d *Drivers) Agent(n *ingot.Node) conductor.AgentWire {
	if n.Interfaces.Boot == "fake" {
		return d.Fake
	}
	return d.Wire
}

// Supports says whether the node's hardware type has an implementation for a kind.
func (d *Drivers) Supports(n *ingot.Node, kind, implementation string) bool {
	h, err := d.row(n)
	return err == nil && slices.Contains(h.enabled[kind], implementation)
}

// HardwareTypes are the enabled ones, with the conductors that carry them now.
func (d *Drivers) HardwareTypes(ctx context.Context) ([]ingot.HardwareType, error) {
	conductors, err := d.Alive(ctx)
	if err != nil {
		return nil, err
	}
	rows := table()
	types := make([]ingot.HardwareType, 0, len(d.Enabled))
	for _, name := range d.Enabled {
		h := rows[name]
		t := ingot.HardwareType{Name: name, Enabled: h.enabled, Default: map[string]string{}, Properties: h.properties}
		for _, c := range conductors {
			if c.Alive && slices.Contains(c.Drivers, name) {
				t.Hosts = append(t.Hosts, c.Hostname)
			}
		}
		for kind, names := range h.enabled {
			t.Default[kind] = names[0]
		}
		types = append(types, t)
	}
	return types, nil
}

// Conductors are the processes that carry operations out.
func (d *Drivers) Conductors(ctx context.Context) ([]ingot.Conductor, error) {
	return d.Alive(ctx)
}
