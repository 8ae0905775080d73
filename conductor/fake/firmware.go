package fake

import (
	"context"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// firmware is the part of a fake machine that its bios, firmware and raid interfaces show.
type firmware struct {
	bios     later[map[string]string]
	versions later[map[string]string] // by component
	raid     later[map[string]any]
}

func fromFactory(n *ingot.Node) firmware {
	var f firmware
	f.bios.is = factoryBIOS()
	f.versions.is = map[string]string{"bios": "1.0.0", "bmc": "1.0.0"}
	if disks := n.RAIDConfig["logical_disks"]; disks != nil {
		f.raid.is = map[string]any{"logical_disks": disks}
	}
	return f
}

func factoryBIOS() map[string]string {
	return map[string]string{"Virtualization": "Enabled", "TurboMode": "Enabled", "MemoryChannels": "4", "AssetTag": ""}
}

// BIOSSettings are a few of each type, and whatever else was applied: like Ironic's, a fake BIOS takes any name.
func (m *machine) BIOSSettings(context.Context) ([]ingot.BIOSSetting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	values := m.bios.now()
	var settings []ingot.BIOSSetting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		settings = append(settings, describe(name, values[name]))
	}
	return settings, nil
}

// describe adds what the fake registry says of a setting.
func describe(name, value string) ingot.BIOSSetting {
	no, yes := false, true
	s := ingot.BIOSSetting{Name: name, Value: value, BIOSRegistry: ingot.BIOSRegistry{Type: "String", ReadOnly: &no, ResetRequired: &yes, Unique: &no}}
	switch name {
	case "Virtualization", "TurboMode":
		s.Type, s.Allowed = "Enumeration", []string{"Enabled", "Disabled"}
	case "MemoryChannels":
		low, high := 1, 8
		s.Type, s.LowerBound, s.UpperBound = "Integer", &low, &high
	case "AssetTag":
		shortest, longest := 0, 63
		s.MinLength, s.MaxLength, s.Unique = &shortest, &longest, &yes
	}
	return s
}

// ApplyBIOSSettings changes settings after the configured delay; no restart is needed.
func (m *machine) ApplyBIOSSettings(_ context.Context, values map[string]string) (restart bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, value := range values {
		setting := describe(name, "")
		if err := setting.Check(value); err != nil {
			return false, err
		}
	}
	next := maps.Clone(m.bios.now())
	maps.Copy(next, values)
	if !m.bios.pending || !maps.Equal(m.bios.next, next) {
		m.bios.ask(next, m.rack.Delays.BIOS.draw())
	}
	return false, nil
}

// ResetBIOS has the factory's settings again after the configured delay.
func (m *machine) ResetBIOS(context.Context) (restart bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.bios.pending || !maps.Equal(m.bios.next, factoryBIOS()) {
		m.bios.ask(factoryBIOS(), m.rack.Delays.BIOS.draw())
	}
	return false, nil
}

// FirmwareComponents are a BIOS and a BMC.
func (m *machine) FirmwareComponents(context.Context) ([]ingot.FirmwareComponent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	versions := m.versions.now()
	var list []ingot.FirmwareComponent
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		list = append(list, ingot.FirmwareComponent{Component: name, CurrentVersion: versions[name], Vendor: "Ingot", Model: "Fake " + name})
	}
	return list, nil
}

// UpdateFirmware takes the name of the file for the new version, after the configured delay.
func (m *machine) UpdateFirmware(_ context.Context, updates []ingot.FirmwareUpdate) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := maps.Clone(m.versions.now())
	for _, u := range updates {
		if _, known := next[u.Component]; !known {
			return ingot.Errorf(ingot.Invalid, "fake node %s has no firmware component %q", m.node, u.Component)
		}
		next[u.Component] = strings.TrimSuffix(path.Base(u.URL), path.Ext(u.URL))
	}
	m.versions.ask(next, m.rack.Delays.Firmware.draw())
	return nil
}

// UpdatingFirmware says whether the delay is not over.
func (m *machine) UpdatingFirmware(context.Context) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.versions.now()
	return m.versions.pending, nil
}

// RAID is the configuration that was made last.
func (m *machine) RAID(context.Context) (map[string]any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.raid.now(), nil
}

// SetRAID makes the configuration after the configured delay.
func (m *machine) SetRAID(_ context.Context, target map[string]any) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.raid.now()
	if !m.raid.pending || !reflect.DeepEqual(m.raid.next, target) {
		m.raid.ask(target, m.rack.Delays.RAID.draw())
	}
	return nil
}
