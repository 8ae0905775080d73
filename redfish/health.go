package redfish

import (
	"context"

	"github.com/stmcginnis/gofish/common"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// Health is that of the system (Status.Health, which is of all its parts where the BMC rolls them up).
func (m *machine) Health(ctx context.Context) (health ingot.Health, err error) {
	err = m.do(ctx, "read the health", func(system *redfish.ComputerSystem) error {
		switch system.Status.Health {
		case common.OKHealth:
			health = ingot.HealthOK
		case common.WarningHealth:
			health = ingot.HealthWarning
		case common.CriticalHealth:
			health = ingot.HealthCritical
		}
		return nil
	})
	return health, err
}

// Maker is the system's Manufacturer.
func (m *machine) Maker(ctx context.Context) (maker string, err error) {
	err = m.do(ctx, "read the manufacturer", func(system *redfish.ComputerSystem) error {
		maker = system.Manufacturer
		return nil
	})
	return maker, err
}
