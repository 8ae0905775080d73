// Package redfish drives servers by Redfish (DMTF DSP0266): through bmclib, with a provider of Ingot's own on gofish.
package redfish

import (
	"log/slog"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/bmc"
)

// Options are what all machines of a process share. The zero value is good.
type Options struct {
	// AuthType is for nodes whose driver_info has no redfish_auth_type; "" is "auto".
	AuthType string
	// Logger gets bmclib's debug lines; nil drops them.
	Logger *slog.Logger
}

// machine is a server behind a Redfish service.
type machine struct {
	*bmc.Machine
	service *service
}

// AsksPermit is true: see carrier (ingot.Permitted).
func (m *machine) AsksPermit() bool { return true }

// New makes a machine from a node's driver_info; nothing is sent yet. It has the abilities ingot.Closer,
// ingot.BootDevices, ingot.NMI, ingot.Sensors, ingot.BootModes, ingot.SecureBoot, ingot.HealthMonitor, ingot.MakerNamer, ingot.Indicators, ingot.VirtualMedia,
// ingot.BIOSSettings, ingot.BIOSChanger, ingot.FirmwareInventory and ingot.Vendor. Keys that are missing, wrong or not carried out are Invalid, in
// Ironic's words where it has some.
func New(info map[string]any, opt Options) (ingot.Machine, error) {
	set, err := parse(info, opt)
	if err != nil {
		return nil, err
	}
	s := newService(set)
	return &machine{Machine: bmc.New(s, bootDevices(), opt.Logger), service: s}, nil
}
