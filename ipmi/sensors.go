package ipmi

import (
	"context"
	"fmt"
	"strings"

	"github.com/bmc-toolbox/bmclib/v2"
	"github.com/bougou/go-ipmi/pkg/client"
	"github.com/bougou/go-ipmi/pkg/command/sensor"
	"github.com/bougou/go-ipmi/pkg/types"

	"github.com/ingot-metal/ingot"
)

// sensing is a machine that can also read sensors, which bmclib has no word for.
type sensing struct {
	*machine
	native *native
}

// Sensors reads the BMC's own sensors, of the analogue kinds and the discrete ones (IPMI 2.0 sections 33.12 and 35.14).
// Those of satellite controllers are left out: they are reached by bridging only.
func (s *sensing) Sensors(ctx context.Context) ([]ingot.Sensor, error) {
	var found []ingot.Sensor
	err := s.Do(ctx, "read the sensors", func(*bmclib.Client) error {
		return s.native.ask(ctx, "Get Sensor Reading", func() error {
			return s.native.eachSDR(ctx, func(record *types.SDR) error {
				probe, ok := describe(record)
				if !ok {
					return nil
				}
				reading, err := s.native.reading(ctx, probe)
				if err != nil {
					return err
				}
				found = append(found, probe.with(reading))
				return nil
			})
		})
	})
	return found, err
}

// reading asks for a sensor's value; nil when there is none now, as for a part that is not fitted.
func (n *native) reading(ctx context.Context, p probe) (*sensor.GetSensorReadingResponse, error) {
	at := (&client.CommandContext{}).WithResponderLUN(p.lun)
	reading, err := n.client.GetSensorReading(client.WithCommandContext(ctx, at), p.number)
	if err == nil {
		return reading, nil
	}
	if refusal, ok := types.IsResponseError(err); ok && (unknownToBMC(refusal.CompletionCode()) || refusal.CompletionCode() == types.CodeRequestedDataNotPresent) {
		return nil, nil
	}
	return nil, fmt.Errorf("sensor %s: %w", p.name, err)
}

// probe is a sensor as its record describes it.
type probe struct {
	name   string
	number uint8
	lun    uint8
	kind   string
	unit   string
	full   *types.SDRFull // nil: no number can be read
}

// kindOf is ingot.Sensor's word for an analogue sensor's type (IPMI 2.0 table 42-3); the table's own for rarer types.
func kindOf(t types.SensorType) string {
	switch t {
	case types.SensorTypeTemperature:
		return "temperature"
	case types.SensorTypeVoltage:
		return "voltage"
	case types.SensorTypeCurrent:
		return "current"
	case types.SensorTypeFan:
		return "fan"
	case types.SensorTypePowerSupply:
		return "power"
	}
	return strings.ToLower(t.String())
}

// unitOf is the word for a base unit (table 43-15) and what a number of it is a reading of; "" for other units.
func unitOf(u types.SensorUnitType) (unit, kind string) {
	switch u {
	case types.SensorUnitType_DegreesC:
		return "degrees C", "temperature"
	case types.SensorUnitType_Volts:
		return "V", "voltage"
	case types.SensorUnitType_Amps:
		return "A", "current"
	case types.SensorUnitType_Watts:
		return "W", "power"
	case types.SensorUnitType_RPM:
		return "RPM", "fan"
	}
	return "", ""
}

// describe reads a sensor data record; false for records of other things.
func describe(record *types.SDR) (probe, bool) {
	var p probe
	var owner types.GeneratorID
	switch {
	case record.Full != nil:
		f := record.Full
		owner, p = f.GeneratorID, probe{name: text(f.IDStringBytes), number: uint8(f.SensorNumber), kind: kindOf(f.SensorType)}
		if f.SensorUnit.IsAnalog() && f.SensorEventReadingType.IsThreshold() {
			p.full = f
			p.unit = strings.TrimSpace(f.SensorUnit.String())
			if unit, kind := unitOf(f.SensorUnit.BaseUnit); unit != "" && f.SensorUnit.ModifierRelation == 0 && !f.SensorUnit.Percentage {
				p.unit, p.kind = unit, kind
			}
		}
	case record.Compact != nil:
		c := record.Compact
		owner, p = c.GeneratorID, probe{name: text(c.IDStringBytes), number: uint8(c.SensorNumber)}
	default:
		return p, false
	}
	if p.full == nil {
		p.kind = "discrete"
	}
	p.lun = owner.LUN()
	return p, owner.OwnerID() == types.BMC_SA && owner.ChannelNumber() == 0
}

// text is an ID string without its padding.
func text(id []byte) string { return strings.TrimSpace(strings.TrimRight(string(id), "\x00")) }

// with is the sensor with what was read.
func (p probe) with(r *sensor.GetSensorReadingResponse) ingot.Sensor {
	s := ingot.Sensor{Name: p.name, Kind: p.kind, Unit: p.unit, Status: "unavailable"}
	if r == nil || r.ReadingUnavailable || r.SensorScanningDisabled {
		return s
	}
	s.Status = "ok"
	if p.full == nil {
		return s
	}
	s.Value = p.full.ConvertReading(r.Reading)
	switch r.ThresholdStatus() {
	case types.SensorThresholdStatus_LNC, types.SensorThresholdStatus_UNC:
		s.Status = "warning"
	case types.SensorThresholdStatus_LCR, types.SensorThresholdStatus_UCR, types.SensorThresholdStatus_LNR, types.SensorThresholdStatus_UNR:
		s.Status = "critical"
	}
	return s
}
