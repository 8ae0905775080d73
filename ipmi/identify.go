package ipmi

import (
	"context"

	"github.com/bmc-toolbox/bmclib/v2"

	"github.com/ingot-metal/ingot"
)

// identifyLight is the only light that IPMI knows.
const identifyLight = "identify"

// Indicators is the chassis' locator light (IPMI 2.0 section 28.5). BMCs that do not say whether they have it in Get
// Chassis Status are taken at the answer to the command.
func (m *machine) Indicators(context.Context) ([]ingot.Indicator, error) {
	return []ingot.Indicator{{Component: "chassis", Name: identifyLight, States: []ingot.IndicatorState{ingot.IndicatorOff, ingot.IndicatorOn}}}, nil
}

// Indicator reads it out of Get Chassis Status (section 28.2, third byte): bit 6 says that bits 5:4 tell.
func (m *machine) Indicator(ctx context.Context, component, name string) (ingot.IndicatorState, error) {
	if err := m.knowsLight(component, name); err != nil {
		return "", err
	}
	state := ingot.IndicatorUnknown
	err := m.Do(ctx, "read the identify light", func(*bmclib.Client) error {
		status, err := m.sender.raw(ctx, chassisStatus[:]...)
		if err == nil && len(status) >= 3 && status[2]&0x40 != 0 {
			state = ingot.IndicatorOff
			if status[2]&0x30 != 0 {
				state = ingot.IndicatorOn
			}
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return state, nil
}

// SetIndicator switches it: on without end, or off (section 28.5: interval 0, and Force Identify On).
func (m *machine) SetIndicator(ctx context.Context, component, name string, state ingot.IndicatorState) error {
	if err := m.knowsLight(component, name); err != nil {
		return err
	}
	request := []byte{0x00, 0x04, 0x00, 0x00}
	if state == ingot.IndicatorOn {
		request[3] = 1
	}
	return m.Do(ctx, "switch the identify light", func(*bmclib.Client) error {
		_, err := m.sender.raw(ctx, request...)
		return err
	})
}

func (m *machine) knowsLight(component, name string) error {
	if component == "chassis" && name == identifyLight {
		return nil
	}
	return ingot.Errorf(ingot.NotFound, "IPMI has no light %s at %s: it is %s at chassis", name, component, identifyLight)
}
