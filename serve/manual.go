package serve

import (
	"context"
	"sync"

	"github.com/ingot-metal/ingot"
)

// byHand is the power of hardware type manual-management (Ironic's power interface fake): an operator does what the
// history asks for, and nobody can look. What is recorded is what was last asked.
type byHand struct {
	mu    sync.Mutex
	power ingot.PowerState
}

func manualMachine(_ *Drivers, n *ingot.Node) (ingot.Machine, error) {
	m := &byHand{power: n.PowerState}
	if m.power == "" {
		m.power = ingot.PowerOff
	}
	return struct {
		*byHand
		ownOrder
	}{m, ownOrder{}}, nil
}

// SwitchedByHand marks the machine (ingot.Manual).
func (*byHand) SwitchedByHand() {}

// PowerState is what was last asked.
func (m *byHand) PowerState(context.Context) (ingot.PowerState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.power, nil
}

// SetPower takes note of what is asked.
func (m *byHand) SetPower(_ context.Context, action ingot.PowerAction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.power = ingot.PowerOff
	if action == ingot.ActionOn {
		m.power = ingot.PowerOn
	}
	return nil
}
