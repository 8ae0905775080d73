package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

type templateField = field[ingot.DeployTemplate, ingot.TemplateQuery]

// templateFields is all that the wire knows of deploy templates: Ironic's TEMPLATE_SCHEMA.
func templateFields() []templateField {
	type template = ingot.DeployTemplate
	name := func(v any) error { return checkTrait("template", v) }
	return []templateField{
		{name: "uuid", brief: true, column: id(func(t *template) *string { return &t.UUID }), create: true, readBy: "store: the key"},
		{name: "name", brief: true, column: text(func(t *template) *string { return &t.Name }), create: true, patch: true, required: true, check: name, readBy: "deploy: the trait that brings the template in"},
		{name: "description", column: text(func(t *template) *string { return &t.Description }), create: true, patch: true, max: 255, readBy: "clients: notes of their own"},
		{name: "steps", column: objects(func(t *template) *[]map[string]any { return &t.Steps }), create: true, patch: true, required: true, check: keptSteps(templateStep()), secret: maskSecrets, readBy: "deploy: collect-steps"},
		{name: "extra", column: object(func(t *template) *map[string]any { return &t.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "created_at", column: moment(func(t *template) *time.Time { return &t.CreatedAt })},
		{name: "updated_at", column: moment(func(t *template) *time.Time { return &t.UpdatedAt })},
	}
}

func templateResource() *resource[ingot.DeployTemplate, ingot.TemplateQuery] {
	type template = ingot.DeployTemplate
	return &resource[template, ingot.TemplateQuery]{
		name: "deploy_template", noun: "Deploy template", path: "deploy_templates", param: "template", since: 55, named: 55, late: true, rule: "deploy_template",
		fields:  templateFields(),
		store:   func(a *API) Records[template, ingot.TemplateQuery] { return a.Templates },
		uuid:    func(t *template) string { return t.UUID },
		version: func(t *template) int64 { return t.Version },
		page:    func(q *ingot.TemplateQuery) *ingot.Page { return &q.Page },
		tell: func(t *template) (string, map[string]any) {
			return "", map[string]any{"deploy_template": t.UUID, "name": t.Name}
		},
	}
}
