package store

import "github.com/ingot-metal/ingot"

// Flavors are the store's flavors, which are found by their class too.
func (s *Store) Flavors() *Records[ingot.Flavor, ingot.FlavorQuery] {
	return &Records[ingot.Flavor, ingot.FlavorQuery]{s, s.tables.flavors}
}

func flavorKind() *kind[ingot.Flavor, ingot.FlavorQuery] {
	type f = ingot.Flavor
	return &kind[f, ingot.FlavorQuery]{
		noun: "Flavor",
		head: func(v *f) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys: func(ident string) (column, value string) { return "resource_class", ident },
		page: func(q *ingot.FlavorQuery) ingot.Page { return q.Page },
		unique: []unique[f]{
			sole("uuid", func(v *f) string { return v.UUID }, "A flavor with UUID %s already exists.", nil),
			sole("resource_class", func(v *f) string { return v.ResourceClass }, "A flavor of resource class %s already exists.", func(v *f) string { return "flavor " + v.UUID }),
		},
		table: &table[f]{
			name: "flavors",
			uuid: func(v *f) string { return v.UUID },
			columns: []column[f]{
				{name: "uuid", place: func(v *f) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *f) field { return (*number)(&v.Version) }, quiet: true},
				{name: "resource_class", place: func(v *f) field { return (*text)(&v.ResourceClass) }, sort: own},
				{name: "resources", place: func(v *f) field { return record[ingot.Amounts]{at: &v.Resources} }},
				{name: "arch", place: func(v *f) field { return (*text)(&v.Arch) }, sort: own},
				{name: "boot_mode", place: func(v *f) field { return (*text)(&v.BootMode) }, sort: own},
				{name: "required_traits", place: func(v *f) field { return record[[]string]{at: &v.RequiredTraits} }},
				{name: "provided_traits", place: func(v *f) field { return record[[]string]{at: &v.ProvidedTraits} }},
				{name: "inherit_traits", place: func(v *f) field { return record[[]string]{at: &v.InheritTraits} }},
				{name: "fallback_for", place: func(v *f) field { return record[[]string]{at: &v.FallbackFor} }},
				{name: "created_at", place: func(v *f) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *f) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}
