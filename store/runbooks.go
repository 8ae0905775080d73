package store

import "github.com/ingot-metal/ingot"

// Runbooks are the store's runbooks.
func (s *Store) Runbooks() *Records[ingot.Runbook, ingot.RunbookQuery] {
	return &Records[ingot.Runbook, ingot.RunbookQuery]{s, s.tables.runbooks}
}

func runbookKind() *kind[ingot.Runbook, ingot.RunbookQuery] {
	type b = ingot.Runbook
	return &kind[b, ingot.RunbookQuery]{
		noun: "Runbook",
		head: func(v *b) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys: byName,
		page: func(q *ingot.RunbookQuery) ingot.Page { return q.Page },
		match: func(_ dialect, w *where, q *ingot.RunbookQuery) {
			if q.Project != "" {
				w.and("(owner = ? OR public)", q.Project)
			}
		},
		unique: []unique[b]{
			sole("uuid", func(v *b) string { return v.UUID }, "A runbook with UUID %s already exists.", nil),
			sole("name", func(v *b) string { return v.Name }, "A runbook with name %s already exists.", nil),
		},
		table: &table[b]{
			name: "runbooks",
			uuid: func(v *b) string { return v.UUID },
			columns: []column[b]{
				{name: "uuid", place: func(v *b) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *b) field { return (*number)(&v.Version) }, quiet: true},
				{name: "name", place: func(v *b) field { return (*text)(&v.Name) }, sort: own},
				{name: "description", place: func(v *b) field { return (*text)(&v.Description) }, sort: own},
				{name: "steps", place: func(v *b) field { return objects{&v.Steps, true} }},
				{name: "disable_ramdisk", place: func(v *b) field { return (*flag)(&v.DisableRamdisk) }, sort: own},
				{name: "public", place: func(v *b) field { return (*flag)(&v.Public) }, sort: own},
				{name: "owner", place: func(v *b) field { return (*text)(&v.Owner) }, sort: own},
				{name: "traits", place: func(v *b) field { return record[[]string]{at: &v.Traits} }},
				{name: "extra", place: func(v *b) field { return document{&v.Extra, false} }},
				{name: "created_at", place: func(v *b) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *b) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}
