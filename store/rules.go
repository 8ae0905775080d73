package store

import "github.com/ingot-metal/ingot"

// Rules are the store's inspection rules.
func (s *Store) Rules() *Records[ingot.InspectionRule, ingot.RuleQuery] {
	return &Records[ingot.InspectionRule, ingot.RuleQuery]{s, s.tables.rules}
}

func ruleKind() *kind[ingot.InspectionRule, ingot.RuleQuery] {
	type r = ingot.InspectionRule
	return &kind[r, ingot.RuleQuery]{
		noun:  "Rule",
		head:  func(v *r) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		page:  func(q *ingot.RuleQuery) ingot.Page { return q.Page },
		match: func(_ dialect, w *where, q *ingot.RuleQuery) { w.text("phase", q.Phase) },
		unique: []unique[r]{
			sole("uuid", func(v *r) string { return v.UUID }, "A rule with UUID %s already exists.", nil),
		},
		table: &table[r]{
			name: "inspection_rules",
			uuid: func(v *r) string { return v.UUID },
			columns: []column[r]{
				{name: "uuid", place: func(v *r) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *r) field { return (*number)(&v.Version) }, quiet: true},
				{name: "description", place: func(v *r) field { return (*text)(&v.Description) }, sort: own},
				{name: "priority", place: func(v *r) field { return (*whole)(&v.Priority) }, sort: own},
				{name: "phase", place: func(v *r) field { return (*text)(&v.Phase) }, sort: own},
				{name: "sensitive", place: func(v *r) field { return (*flag)(&v.Sensitive) }, sort: own},
				{name: "conditions", place: func(v *r) field { return objects{&v.Conditions, true} }},
				{name: "actions", place: func(v *r) field { return objects{&v.Actions, true} }},
				{name: "created_at", place: func(v *r) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *r) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}
