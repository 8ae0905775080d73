package vbmc

import (
	"context"
	"fmt"

	"github.com/bougou/go-ipmi/pkg/hal"
	"github.com/bougou/go-ipmi/pkg/types"
)

// hardware is what go-ipmi's own handlers see of the machine: SDR and FRU
// stores and the serial port. Chassis commands never reach it.
type hardware struct{ server *Server }

// Storage is the SDR and FRU store.
func (h *hardware) Storage() hal.StorageHAL { return storage{h.server} }

// Console is the serial port, nil when the machine has none.
func (h *hardware) Console() hal.ConsoleHAL {
	if port, ok := h.server.Machine.(SerialConsole); ok {
		return &solPort{port: port}
	}
	return nil
}

// Chassis is nil: Server answers chassis commands itself.
func (h *hardware) Chassis() hal.ChassisHAL { return nil }

// Sensors is nil: Server answers sensor commands itself.
func (h *hardware) Sensors() hal.SensorHAL { return nil }

// Network is nil: there is no LAN configuration to show.
func (h *hardware) Network() hal.NetworkHAL { return nil }

// GPIO is nil.
func (h *hardware) GPIO() hal.GPIOHAL { return nil }

// I2C is nil.
func (h *hardware) I2C() hal.I2CHAL { return nil }

// Close has nothing to release.
func (h *hardware) Close() error { return nil }

type storage struct{ server *Server }

// SDR is the sensor records.
func (s storage) SDR() hal.SDRStore { return sensorRecords(s) }

// FRU is the inventory.
func (s storage) FRU() hal.FRUStore { return inventory(s) }

// inventory is the FRU inventory of device 0, from the machine's description.
type inventory struct{ server *Server }

// Read returns the FRU area of device 0.
func (f inventory) Read(_ context.Context, device uint8) ([]byte, error) {
	if device != 0 {
		return nil, hal.ErrNotFound
	}
	d := f.server.device
	area, err := types.PackFRU(types.FRUPackConfig{Product: &types.FRUPackProduct{
		Manufacturer: clip(d.Manufacturer), Name: clip(d.Model), Serial: clip(d.Serial),
	}})
	if err != nil {
		return nil, fmt.Errorf("cannot pack FRU inventory: %w", err)
	}
	return area, nil
}

// clip fits a text into a FRU field, whose length has six bits.
func clip(text string) string { return text[:min(len(text), 63)] }

// DeviceIDs lists device 0.
func (f inventory) DeviceIDs(context.Context) ([]uint8, error) { return []uint8{0}, nil }

// Write is refused.
func (f inventory) Write(context.Context, uint8, []byte) error { return hal.ErrNotSupported }

// Delete is refused.
func (f inventory) Delete(context.Context, uint8) error { return hal.ErrNotSupported }
