package vbmc

import (
	"context"
	"encoding/binary"

	"github.com/bougou/go-ipmi/pkg/hal"
	"github.com/bougou/go-ipmi/pkg/types"
)

// Bits of threshold masks and states: lower and upper critical (IPMI tables
// 35-9 and 35-15).
const (
	lowerCritical = 0x02
	upperCritical = 0x10
)

// sensor finds the sensor of a request; sensors are numbered from 1 in the
// machine's order, and so are their SDR records.
func (i *ipmiServer) sensor(ctx context.Context, number uint8) (Sensor, error) {
	sensors, err := i.server.sensors(ctx)
	if err != nil {
		return Sensor{}, err
	}
	if number < 1 || int(number) > len(sensors) {
		return Sensor{}, types.CodeRequestedDataNotPresent
	}
	return sensors[number-1], nil
}

// sensorReading answers Get Sensor Reading (IPMI table 35-15).
func (i *ipmiServer) sensorReading(ctx context.Context, data []byte) ([]byte, error) {
	s, err := i.sensor(ctx, data[0])
	if err != nil {
		return nil, err
	}
	const (
		scanning    = 0x40
		unavailable = 0x20
		reserved    = 0xc0 // always set in the threshold state byte
	)
	if s.Absent {
		return []byte{0, scanning | unavailable, reserved}, nil
	}
	state := byte(reserved)
	if s.LowCritical != 0 && s.Value <= s.LowCritical {
		state |= lowerCritical
	}
	if s.HighCritical != 0 && s.Value >= s.HighCritical {
		state |= upperCritical
	}
	return []byte{s.Kind.scale().raw(s.Value), scanning, state}, nil
}

// limits are a sensor's thresholds: which ones it has, lower and upper critical.
func (s Sensor) limits() (mask, low, high uint8) {
	if s.LowCritical != 0 {
		mask |= lowerCritical
		low = s.Kind.scale().raw(s.LowCritical)
	}
	if s.HighCritical != 0 {
		mask |= upperCritical
		high = s.Kind.scale().raw(s.HighCritical)
	}
	return mask, low, high
}

// sensorThresholds answers Get Sensor Thresholds (IPMI table 35-9).
func (i *ipmiServer) sensorThresholds(ctx context.Context, data []byte) ([]byte, error) {
	s, err := i.sensor(ctx, data[0])
	if err != nil {
		return nil, err
	}
	mask, low, high := s.limits()
	return []byte{mask, 0, low, 0, 0, high, 0}, nil
}

// sensorRecord is the full sensor record of a sensor (IPMI table 43-1).
func sensorRecord(number uint8, s Sensor) []byte {
	name := s.Name
	if len(name) > 16 {
		name = name[:16]
	}
	const (
		sdrVersion, fullRecord = 0x51, 0x01
		ownerBMC               = 0x20
		systemBoard            = 0x07
		scansEvents            = 0x7f // initialisation: everything, enabled
		autoReadable           = 0x48 // auto re-arm, thresholds readable
		thresholdType          = 0x01
		asciiName              = 0xc0
	)
	scale := s.Kind.scale()
	mask, low, high := s.limits()
	record := make([]byte, 48, 48+len(name))
	binary.LittleEndian.PutUint16(record, uint16(number))
	copy(record[2:], []byte{
		sdrVersion, fullRecord, byte(48 + len(name) - 5), ownerBMC, 0, number,
		systemBoard, number, scansEvents, autoReadable, scale.sensorType, thresholdType,
	})
	record[18] = mask // readable thresholds; none can be set
	record[21] = scale.unit
	record[24] = scale.factor
	record[29] = byte(scale.exponent) << 4 // result exponent, signed nibble; B exponent 0
	record[34] = 0xff                      // largest raw reading
	record[37], record[40] = high, low
	record[47] = asciiName | byte(len(name))
	return append(record, name...)
}

// sensorRecords is the SDR repository, made afresh from the machine's sensors
// at every look. It is hal.SDRStore without its writing half.
type sensorRecords struct{ server *Server }

// RecordIDs lists the records.
func (r sensorRecords) RecordIDs(ctx context.Context) ([]uint16, error) {
	sensors, err := r.server.sensors(ctx)
	ids := make([]uint16, 0, len(sensors))
	for n := range sensors {
		ids = append(ids, uint16(n+1))
	}
	return ids, err
}

// Read returns one record.
func (r sensorRecords) Read(ctx context.Context, id uint16) ([]byte, error) {
	sensors, err := r.server.sensors(ctx)
	if err != nil {
		return nil, err
	}
	if id < 1 || int(id) > len(sensors) || id > 255 {
		return nil, hal.ErrNotFound
	}
	return sensorRecord(uint8(id), sensors[id-1]), nil
}

// Write is refused: the sensors are the machine's.
func (r sensorRecords) Write(context.Context, uint16, []byte) error { return hal.ErrNotSupported }

// Delete is refused.
func (r sensorRecords) Delete(context.Context, uint16) error { return hal.ErrNotSupported }
