package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

// biosFields are what the wire knows of a firmware setting; the brief ones make the short form.
func biosFields() []field[ingot.BIOSSetting, struct{}] {
	type setting = ingot.BIOSSetting
	number := func(at func(*setting) *int) column[setting] {
		return computed(func(s *setting) any { return orNil(at(s)) })
	}
	truth := func(at func(*setting) *bool) column[setting] {
		return computed(func(s *setting) any { return orNil(at(s)) })
	}
	return []field[setting, struct{}]{
		{name: "name", brief: true, column: shown(emptyText(func(s *setting) *string { return &s.Name }))},
		{name: "value", brief: true, column: shown(emptyText(func(s *setting) *string { return &s.Value }))},
		{name: "created_at", brief: true, column: moment(func(s *setting) *time.Time { return &s.CreatedAt })},
		{name: "updated_at", brief: true, column: moment(func(s *setting) *time.Time { return &s.UpdatedAt })},
		{name: "attribute_type", since: 74, column: shown(text(func(s *setting) *string { return &s.Type }))},
		{name: "allowable_values", since: 74, column: computed(func(s *setting) any { return append([]string{}, s.Allowed...) })},
		{name: "lower_bound", since: 74, column: number(func(s *setting) *int { return s.LowerBound })},
		{name: "upper_bound", since: 74, column: number(func(s *setting) *int { return s.UpperBound })},
		{name: "min_length", since: 74, column: number(func(s *setting) *int { return s.MinLength })},
		{name: "max_length", since: 74, column: number(func(s *setting) *int { return s.MaxLength })},
		{name: "read_only", since: 74, column: truth(func(s *setting) *bool { return s.ReadOnly })},
		{name: "reset_required", since: 74, column: truth(func(s *setting) *bool { return s.ResetRequired })},
		{name: "unique", since: 74, column: truth(func(s *setting) *bool { return s.Unique })},
	}
}

// orNil is what a pointer points to, or null.
func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// firmwareFields are what the wire knows of a part that has firmware.
func firmwareFields() []field[ingot.FirmwareComponent, struct{}] {
	type part = ingot.FirmwareComponent
	return []field[part, struct{}]{
		{name: "component", column: shown(text(func(f *part) *string { return &f.Component }))},
		{name: "initial_version", column: shown(text(func(f *part) *string { return &f.InitialVersion }))},
		{name: "current_version", column: shown(text(func(f *part) *string { return &f.CurrentVersion }))},
		{name: "last_version_flashed", column: shown(text(func(f *part) *string { return &f.LastVersionFlashed }))},
		{name: "created_at", brief: true, column: moment(func(f *part) *time.Time { return &f.CreatedAt })},
		{name: "updated_at", brief: true, column: moment(func(f *part) *time.Time { return &f.UpdatedAt })},
		{name: "vendor", since: 114, column: shown(text(func(f *part) *string { return &f.Vendor }))},
		{name: "model", since: 114, column: shown(text(func(f *part) *string { return &f.Model }))},
		{name: "serial_number", since: 114, column: shown(text(func(f *part) *string { return &f.SerialNumber }))},
	}
}
