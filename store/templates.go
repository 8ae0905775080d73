package store

import "github.com/ingot-metal/ingot"

// Templates are the store's deploy templates.
func (s *Store) Templates() *Records[ingot.DeployTemplate, ingot.TemplateQuery] {
	return &Records[ingot.DeployTemplate, ingot.TemplateQuery]{s, s.tables.templates}
}

func templateKind() *kind[ingot.DeployTemplate, ingot.TemplateQuery] {
	type d = ingot.DeployTemplate
	return &kind[d, ingot.TemplateQuery]{
		noun: "Deploy template",
		head: func(v *d) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		keys: byName,
		page: func(q *ingot.TemplateQuery) ingot.Page { return q.Page },
		match: func(_ dialect, w *where, q *ingot.TemplateQuery) {
			if len(q.Names) > 0 {
				w.and("name IN (?)", q.Names)
			}
		},
		unique: []unique[d]{
			sole("uuid", func(v *d) string { return v.UUID }, "A deploy template with UUID %s already exists.", nil),
			sole("name", func(v *d) string { return v.Name }, "A deploy template with name %s already exists.", nil),
		},
		table: &table[d]{
			name: "deploy_templates",
			uuid: func(v *d) string { return v.UUID },
			columns: []column[d]{
				{name: "uuid", place: func(v *d) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *d) field { return (*number)(&v.Version) }, quiet: true},
				{name: "name", place: func(v *d) field { return (*text)(&v.Name) }, sort: own},
				{name: "description", place: func(v *d) field { return (*text)(&v.Description) }, sort: own},
				{name: "steps", place: func(v *d) field { return objects{&v.Steps, true} }},
				{name: "extra", place: func(v *d) field { return document{&v.Extra, false} }},
				{name: "created_at", place: func(v *d) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *d) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}
