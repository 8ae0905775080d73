package redfish

import (
	"context"
	"encoding/json"

	"github.com/stmcginnis/gofish/common"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// light is a resource with a locator light.
type light struct {
	ingot.Indicator
	state common.IndicatorLED
	set   func(common.IndicatorLED) error
}

// lights are those of the system and of its chassis (IndicatorLED). As in Ironic a light has its resource's UUID for a
// name, and its Id where there is none.
func (m *machine) lights(ctx context.Context, what string, talk func([]light) error) error {
	return m.do(ctx, what, func(system *redfish.ComputerSystem) error {
		var found []light
		add := func(component, uuid, id string, state common.IndicatorLED, set func(common.IndicatorLED) error) {
			if uuid == "" {
				uuid = id
			}
			if state != "" {
				found = append(found, light{state: state, set: set, Indicator: ingot.Indicator{
					Component: component, Name: uuid, States: []ingot.IndicatorState{ingot.IndicatorBlinking, ingot.IndicatorOff, ingot.IndicatorOn},
				}})
			}
		}
		add("system", system.UUID, system.ID, system.IndicatorLED, func(state common.IndicatorLED) error {
			system.IndicatorLED = state
			return system.Update()
		})
		var resource struct {
			Links struct{ Chassis common.Links }
		}
		if err := json.Unmarshal(system.RawData, &resource); err != nil {
			return err
		}
		for _, path := range resource.Links.Chassis.ToStrings() {
			chassis, err := redfish.GetChassis(m.service.client, path)
			if err != nil {
				return err
			}
			add("chassis", chassis.UUID, chassis.ID, chassis.IndicatorLED, func(state common.IndicatorLED) error {
				chassis.IndicatorLED = state
				return chassis.Update()
			})
		}
		return talk(found)
	})
}

// Indicators lists the lights.
func (m *machine) Indicators(ctx context.Context) (list []ingot.Indicator, err error) {
	err = m.lights(ctx, "list the indicators", func(found []light) error {
		list = nil
		for _, l := range found {
			list = append(list, l.Indicator)
		}
		return nil
	})
	return list, err
}

// states pairs Redfish's words for what a light does with Ironic's.
var states = [...]struct {
	redfish common.IndicatorLED
	ironic  ingot.IndicatorState
}{
	{common.LitIndicatorLED, ingot.IndicatorOn},
	{common.OffIndicatorLED, ingot.IndicatorOff},
	{common.BlinkingIndicatorLED, ingot.IndicatorBlinking},
}

// Indicator looks at a light.
func (m *machine) Indicator(ctx context.Context, component, name string) (ingot.IndicatorState, error) {
	state := ingot.IndicatorUnknown
	err := m.light(ctx, "read an indicator", component, name, func(l light) error {
		for _, s := range states {
			if s.redfish == l.state {
				state = s.ironic
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return state, nil
}

// SetIndicator switches a light where it differs.
func (m *machine) SetIndicator(ctx context.Context, component, name string, state ingot.IndicatorState) error {
	return m.light(ctx, "set an indicator", component, name, func(l light) error {
		for _, s := range states {
			if s.ironic == state && s.redfish != l.state {
				return l.set(s.redfish)
			}
		}
		return nil
	})
}

func (m *machine) light(ctx context.Context, what, component, name string, talk func(light) error) error {
	return m.lights(ctx, what, func(found []light) error {
		for _, l := range found {
			if l.Component == component && l.Name == name {
				return talk(l)
			}
		}
		return ingot.Errorf(ingot.NotFound, "BMC %s has no light %s at %s", m.service.set.endpoint, name, component)
	})
}
