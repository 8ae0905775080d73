package redfish

import (
	"context"
	"encoding/json"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/stmcginnis/gofish/common"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// Sensors reads the temperatures, fans, voltages and consumptions of the system's chassis (Thermal and Power).
func (m *machine) Sensors(ctx context.Context) ([]ingot.Sensor, error) {
	var found []ingot.Sensor
	err := m.Do(ctx, "read the sensors", func(*bmclib.Client) error {
		return m.service.ask(ctx, func() (err error) {
			found, err = m.service.sensors()
			return err
		})
	})
	return found, err
}

func (s *service) sensors() ([]ingot.Sensor, error) {
	system, err := s.system()
	if err != nil {
		return nil, err
	}
	var resource struct {
		Links struct{ Chassis common.Links }
	}
	if err := json.Unmarshal(system.RawData, &resource); err != nil {
		return nil, err
	}
	var found []ingot.Sensor
	for _, path := range resource.Links.Chassis.ToStrings() {
		chassis, err := redfish.GetChassis(s.client, path)
		if err != nil {
			return nil, err
		}
		of, err := chassisSensors(chassis)
		if err != nil {
			return nil, err
		}
		found = append(found, of...)
	}
	return found, nil
}

// chassisSensors reads the older Thermal and Power, which services have beside their successors so far.
func chassisSensors(chassis *redfish.Chassis) ([]ingot.Sensor, error) {
	var found []ingot.Sensor
	add := func(name, kind string, value float64, unit string, status common.Status) {
		found = append(found, ingot.Sensor{Name: name, Kind: kind, Value: value, Unit: unit, Status: health(status)})
	}
	thermal, err := chassis.Thermal()
	if err != nil {
		return nil, err
	}
	if thermal != nil {
		for _, t := range thermal.Temperatures {
			add(t.Name, "temperature", float64(t.ReadingCelsius), "degrees C", t.Status)
		}
		for _, f := range thermal.Fans {
			unit := string(f.ReadingUnits)
			if f.ReadingUnits == redfish.PercentReadingUnits {
				unit = "percent"
			}
			add(f.Name, "fan", float64(f.Reading), unit, f.Status)
		}
	}
	power, err := chassis.Power()
	if err != nil || power == nil {
		return found, err
	}
	for _, v := range power.Voltages {
		add(v.Name, "voltage", float64(v.ReadingVolts), "V", v.Status)
	}
	for _, p := range power.PowerControl {
		add(p.Name, "power", float64(p.PowerConsumedWatts), "W", p.Status)
	}
	return found, nil
}

// health is a sensor's status in Ingot's words.
func health(status common.Status) string {
	if status.State != "" && status.State != common.EnabledState {
		return "unavailable"
	}
	switch status.Health {
	case common.WarningHealth:
		return "warning"
	case common.CriticalHealth:
		return "critical"
	}
	return "ok"
}
