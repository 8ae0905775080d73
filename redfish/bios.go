package redfish

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stmcginnis/gofish/common"
	"github.com/stmcginnis/gofish/redfish"

	"github.com/ingot-metal/ingot"
)

// BIOSSettings reads the attributes, each with what its registry says (Bios and AttributeRegistry).
func (m *machine) BIOSSettings(ctx context.Context) (settings []ingot.BIOSSetting, err error) {
	err = m.bios(ctx, "read the BIOS settings", func(bios *redfish.Bios) error {
		registry, err := m.service.registry(bios.AttributeRegistry)
		if err != nil {
			return err
		}
		settings = nil
		for name, v := range bios.Attributes {
			s := ingot.BIOSSetting{Name: name, BIOSRegistry: registry[name]}
			if v != nil {
				s.Value = fmt.Sprint(v)
			}
			settings = append(settings, s)
		}
		slices.SortFunc(settings, func(a, b ingot.BIOSSetting) int { return strings.Compare(a.Name, b.Name) })
		return nil
	})
	return settings, err
}

func (m *machine) bios(ctx context.Context, what string, talk func(*redfish.Bios) error) error {
	return m.do(ctx, what, func(system *redfish.ComputerSystem) error {
		bios, err := system.Bios()
		if err != nil {
			return err
		}
		if bios == nil || bios.Attributes == nil {
			return m.lacks("BIOS settings")
		}
		return talk(bios)
	})
}

// registry reads the attribute registry of a name; empty where the service has it not.
func (s *service) registry(name string) (map[string]ingot.BIOSRegistry, error) {
	entries := map[string]ingot.BIOSRegistry{}
	if name == "" {
		return entries, nil
	}
	files, err := s.client.Service.Registries()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(files, func(f *redfish.MessageRegistryFile) bool { return f.Registry == name || f.ID == name })
	if i < 0 || len(files[i].Location) == 0 {
		return entries, nil
	}
	registry, err := redfish.GetAttributeRegistry(s.client, files[i].Location[0].URI)
	if err != nil {
		return nil, err
	}
	for _, a := range registry.RegistryEntries.Attributes {
		entries[a.AttributeName] = entry(a)
	}
	return entries, nil
}

// entry is a registry's entry in Ironic's words.
func entry(a redfish.Attribute) ingot.BIOSRegistry {
	e := ingot.BIOSRegistry{Type: string(a.Type), ReadOnly: &a.ReadOnly, ResetRequired: &a.ResetRequired, Unique: &a.IsSystemUniqueProperty}
	switch a.Type {
	case redfish.EnumerationAttributeType:
		for _, v := range a.Value {
			e.Allowed = append(e.Allowed, v.ValueName)
		}
	case redfish.IntegerAttributeType:
		low, high := int(a.LowerBound), int(a.UpperBound.Int64())
		if low < high { // 0 and 0: the registry does not say
			e.LowerBound, e.UpperBound = &low, &high
		}
	case redfish.StringAttributeType:
		shortest, longest := int(a.MinLength), int(a.MaxLength)
		if longest > 0 {
			e.MinLength, e.MaxLength = &shortest, &longest
		}
	}
	return e
}

// ApplyBIOSSettings writes what differs to the settings that hold from the machine's next start on.
func (m *machine) ApplyBIOSSettings(ctx context.Context, values map[string]string) (restart bool, err error) {
	err = m.bios(ctx, "change the BIOS settings", func(bios *redfish.Bios) error {
		registry, err := m.service.registry(bios.AttributeRegistry)
		if err != nil {
			return err
		}
		wanted := redfish.SettingsAttributes{}
		for name, value := range values {
			now, known := bios.Attributes[name]
			if !known {
				return ingot.Errorf(ingot.Invalid, "cannot change BIOS setting %s of BMC %s: the machine has no such setting", name, m.service.set.endpoint)
			}
			setting := ingot.BIOSSetting{Name: name, BIOSRegistry: registry[name]}
			if err := setting.Check(value); err != nil {
				return err
			}
			if fmt.Sprint(now) == value {
				continue
			}
			if wanted[name], err = typed(name, value, now); err != nil {
				return err
			}
		}
		if restart = len(wanted) > 0; !restart {
			return nil
		}
		return m.service.patchBIOS(bios.ODataID, wanted)
	})
	return restart, err
}

// patchBIOS writes attributes to the object that keeps those of the next start, with the apply time OnReset where the
// service knows it. gofish's own way keeps one answer open while it asks for the next, which never comes on a machine's
// only connection.
func (s *service) patchBIOS(path string, attributes redfish.SettingsAttributes) error {
	var bios struct {
		Settings struct {
			SettingsObject      common.Link
			SupportedApplyTimes []common.ApplyTime
		} `json:"@Redfish.Settings"`
	}
	if _, err := s.read(path, &bios); err != nil {
		return err
	}
	target := string(bios.Settings.SettingsObject)
	if target == "" {
		return ingot.Errorf(ingot.Unsupported, "cannot change the BIOS settings of BMC %s: they can only be read", s.set.endpoint)
	}
	tag, err := s.read(target, &struct{}{})
	if err != nil {
		return err
	}
	payload, headers := map[string]any{"Attributes": attributes}, map[string]string{}
	if slices.Contains(bios.Settings.SupportedApplyTimes, common.OnResetApplyTime) {
		payload["@Redfish.SettingsApplyTime"] = map[string]any{"ApplyTime": common.OnResetApplyTime}
	}
	if tag != "" {
		headers["If-Match"] = tag
	}
	answer, err := s.client.PatchWithHeaders(target, payload, headers)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// read gets a resource whole, and its entity tag.
func (s *service) read(path string, into any) (tag string, err error) {
	answer, err := s.client.Get(path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	return answer.Header.Get("Etag"), json.NewDecoder(answer.Body).Decode(into)
}

// typed is a setting's value as the service writes it: like the present one.
func typed(name, value string, now any) (any, error) {
	var v any = value
	var err error
	switch now.(type) {
	case float64:
		v, err = strconv.Atoi(value)
	case bool:
		v, err = strconv.ParseBool(value)
	}
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "BIOS setting %s can not be %q: it is %T", name, value, now)
	}
	return v, nil
}

// ResetBIOS has the factory's settings hold from the machine's next start on (action Bios.ResetBios).
func (m *machine) ResetBIOS(ctx context.Context) (restart bool, err error) {
	return true, m.bios(ctx, "reset the BIOS settings", func(bios *redfish.Bios) error { return bios.ResetBios() })
}
