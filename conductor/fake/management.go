package fake

import (
	"context"
	"slices"

	"github.com/ingot-metal/ingot"
)

// management is the part of a fake machine that its management and console interfaces show.
type management struct {
	mode    later[ingot.BootMode]
	secure  later[bool]
	lights  map[string]ingot.IndicatorState // by component/name
	drives  map[ingot.MediaDevice]string    // URL of what is inserted
	console bool
}

// asRecorded is the management part of a machine that this process has not seen yet.
func asRecorded(n *ingot.Node) management {
	m := management{lights: map[string]ingot.IndicatorState{}, drives: map[ingot.MediaDevice]string{}, console: n.ConsoleEnabled}
	m.mode.is = n.BootMode
	if m.mode.is == "" {
		m.mode.is = ingot.ModeUEFI
	}
	m.secure.is = n.SecureBoot != nil && *n.SecureBoot
	return m
}

// BootMode is the firmware interface.
func (m *machine) BootMode(context.Context) (ingot.BootMode, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mode.now(), nil
}

// SetBootMode changes it after the configured delay.
func (m *machine) SetBootMode(_ context.Context, mode ingot.BootMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.mode.pending || m.mode.next != mode {
		m.mode.ask(mode, m.rack.Delays.Management.draw())
	}
	return nil
}

// Health is always good.
func (m *machine) Health(context.Context) (ingot.Health, error) { return ingot.HealthOK, nil }

// SecureBoot says whether it is on.
func (m *machine) SecureBoot(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.secure.now(), nil
}

// SetSecureBoot changes it after the configured delay.
func (m *machine) SetSecureBoot(_ context.Context, on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.secure.pending || m.secure.next != on {
		m.secure.ask(on, m.rack.Delays.Management.draw())
	}
	return nil
}

// Indicators are those of Ironic's fake management.
func (m *machine) Indicators(context.Context) ([]ingot.Indicator, error) {
	return []ingot.Indicator{
		{Component: "chassis", Name: "led-0", ReadOnly: true, States: []ingot.IndicatorState{ingot.IndicatorOff, ingot.IndicatorOn}},
		{Component: "system", Name: "led", States: []ingot.IndicatorState{ingot.IndicatorBlinking, ingot.IndicatorOff, ingot.IndicatorOn}},
	}, nil
}

// Indicator is a light's state: on until it is switched.
func (m *machine) Indicator(ctx context.Context, component, name string) (ingot.IndicatorState, error) {
	lights, _ := m.Indicators(ctx) // has no error
	if !slices.ContainsFunc(lights, func(l ingot.Indicator) bool { return l.Component == component && l.Name == name }) {
		return "", ingot.Errorf(ingot.NotFound, "fake node %s has no light %s at %s", m.node, name, component)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if state, set := m.lights[component+"/"+name]; set {
		return state, nil
	}
	return ingot.IndicatorOn, nil
}

// SetIndicator switches a light.
func (m *machine) SetIndicator(ctx context.Context, component, name string, state ingot.IndicatorState) error {
	if _, err := m.Indicator(ctx, component, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lights[component+"/"+name] = state
	return nil
}

// Media are one drive of each sort.
func (m *machine) Media(context.Context) ([]ingot.Medium, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	words := map[ingot.MediaDevice][]string{ingot.MediaDisk: {"USBStick"}, ingot.MediaCDROM: {"CD", "DVD"}, ingot.MediaFloppy: {"Floppy"}}
	var media []ingot.Medium
	for _, device := range ingot.MediaDevices() {
		image := m.drives[device]
		media = append(media, ingot.Medium{
			Name: string(device), Devices: []ingot.MediaDevice{device}, Types: words[device], Inserted: image != "", Image: image,
		})
	}
	return media, nil
}

// InsertMedia puts an image into a drive; nobody reads it.
func (m *machine) InsertMedia(_ context.Context, device ingot.MediaDevice, url string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(ingot.MediaDevices(), device) {
		return ingot.Errorf(ingot.Unsupported, "fake node %s has no virtual drive %q", m.node, device)
	}
	m.drives[device] = url
	return nil
}

// EjectMedia empties drives.
func (m *machine) EjectMedia(_ context.Context, devices []ingot.MediaDevice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(devices) == 0 {
		devices = ingot.MediaDevices()
	}
	for _, device := range devices {
		delete(m.drives, device)
	}
	return nil
}

// SetConsole notes it: a fake console has nothing to see.
func (m *machine) SetConsole(_ context.Context, on bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.console = on
	return nil
}

// ConsoleInfo is empty, as Ironic's fake console's.
func (m *machine) ConsoleInfo(context.Context) (map[string]any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.console {
		return nil, ingot.Errorf(ingot.Invalid, "Console access is not enabled on node %s", m.node)
	}
	return map[string]any{}, nil
}
