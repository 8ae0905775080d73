package vbmc

import (
	"context"
	"fmt"
	"math"
)

// SensorKind is what a sensor measures, with its unit.
type SensorKind string

// Kinds of sensors.
const (
	SensorTemperature SensorKind = "temperature" // degrees Celsius
	SensorFan         SensorKind = "fan"         // revolutions per minute
	SensorVoltage     SensorKind = "voltage"     // volts
	SensorPower       SensorKind = "power"       // watts
)

// Sensor is one reading.
type Sensor struct {
	// Name is at most 16 bytes of ASCII, unique in its machine.
	Name string
	Kind SensorKind
	// Value is in the kind's unit. IPMI shows it in the kind's steps: 1 degree
	// from 0 to 255, 100 rpm to 25500, 0.06 V to 15.3, 4 W to 1020.
	Value float64
	// Absent is a sensor that cannot be read now, as fans of a machine that is
	// off; Value is then ignored.
	Absent bool
	// LowCritical and HighCritical are limits in the kind's unit; 0 is none.
	LowCritical, HighCritical float64
}

// Critical says whether the value is beyond a limit.
func (s Sensor) Critical() bool {
	return !s.Absent && (s.HighCritical != 0 && s.Value >= s.HighCritical || s.LowCritical != 0 && s.Value <= s.LowCritical)
}

// sensors asks the machine, or invents what every server has.
func (s *Server) sensors(ctx context.Context) ([]Sensor, error) {
	if reader, ok := s.Machine.(SensorReader); ok {
		sensors, err := reader.Sensors(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot read the machine's sensors: %w", err)
		}
		return sensors, nil
	}
	on, err := s.Machine.Power(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the machine for its power state: %w", err)
	}
	sensors := []Sensor{
		{Name: "Inlet Temp", Kind: SensorTemperature, Value: 23, HighCritical: 47},
		{Name: "CPU Temp", Kind: SensorTemperature, Value: 41, HighCritical: 95, Absent: !on},
		{Name: "Fan 1", Kind: SensorFan, Value: 4200, LowCritical: 600, Absent: !on},
		{Name: "Fan 2", Kind: SensorFan, Value: 4300, LowCritical: 600, Absent: !on},
		{Name: "12V", Kind: SensorVoltage, Value: 12.06, LowCritical: 10.8, HighCritical: 13.2, Absent: !on},
		{Name: "Power", Kind: SensorPower, Value: 12},
	}
	if on {
		sensors[5].Value = 148
	}
	return sensors, nil
}

// scale is how a kind's readings become one byte: value = factor * raw *
// 10^exponent, and what IPMI calls kind and unit (tables 42-3 and 43-15).
type scale struct {
	sensorType, unit uint8
	factor           uint8
	exponent         int8
}

func (k SensorKind) scale() scale {
	switch k {
	case SensorFan:
		return scale{sensorType: 0x04, unit: 18, factor: 100}
	case SensorVoltage:
		return scale{sensorType: 0x02, unit: 4, factor: 6, exponent: -2}
	case SensorPower:
		return scale{sensorType: 0x0b, unit: 6, factor: 4}
	default:
		return scale{sensorType: 0x01, unit: 1, factor: 1}
	}
}

// raw is value as a byte, the nearest that fits.
func (s scale) raw(value float64) uint8 {
	steps := math.Round(value / (float64(s.factor) * math.Pow10(int(s.exponent))))
	return uint8(max(0, min(255, steps)))
}
