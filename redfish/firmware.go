package redfish

import (
	"context"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// do runs an exchange that bmclib has no word for, with the system as it is now.
func (m *machine) do(ctx context.Context, what string, talk func(*redfish.ComputerSystem) error) error {
	return m.Do(ctx, what, func(*bmclib.Client) error {
		return m.service.ask(ctx, func() error {
			system, err := m.service.system()
			if err != nil {
				return err
			}
			return talk(system)
		})
	})
}

// lacks is the refusal of what the system has no resource for.
func (m *machine) lacks(what string) error {
	return ingot.Errorf(ingot.Unsupported, "cannot do as asked: system %s of BMC %s has no %s", m.service.path, m.service.set.endpoint, what)
}

// FirmwareComponents lists the service's firmware (UpdateService's FirmwareInventory).
func (m *machine) FirmwareComponents(ctx context.Context) (parts []ingot.FirmwareComponent, err error) {
	err = m.do(ctx, "list the firmware", func(*redfish.ComputerSystem) error {
		updates, err := m.service.client.Service.UpdateService()
		if err != nil {
			return err
		}
		if updates == nil {
			return m.lacks("firmware inventory")
		}
		list, err := updates.FirmwareInventories()
		if err != nil {
			return err
		}
		parts = nil
		for _, f := range list {
			parts = append(parts, ingot.FirmwareComponent{Component: f.ID, CurrentVersion: f.Version, Vendor: f.Manufacturer, Model: f.Name})
		}
		return nil
	})
	return parts, err
}
