package api

import (
	"net/http"
	"time"

	"github.com/ingot-metal/ingot"
)

type ruleField = field[ingot.InspectionRule, ingot.RuleQuery]

// ruleFields is all that the wire knows of inspection rules.
func ruleFields() []ruleField {
	type rule = ingot.InspectionRule
	return []ruleField{
		{name: "uuid", brief: true, column: id(func(i *rule) *string { return &i.UUID }), create: true, readBy: "store: the key"},
		{name: "description", brief: true, column: text(func(i *rule) *string { return &i.Description }), create: true, patch: true, max: 255, readBy: "clients: notes of their own"},
		{name: "priority", brief: true, column: integer(func(i *rule) *int { return &i.Priority }), create: true, patch: true, readBy: "inspect: the order of rules"},
		{name: "phase", brief: true, column: text(func(i *rule) *string { return &i.Phase }), create: true, patch: true, max: 16, readBy: "inspect: when the rule is carried out", filter: textFilter(func(q *ingot.RuleQuery) *string { return &q.Phase })},
		{name: "sensitive", column: flag(func(i *rule) *bool { return &i.Sensitive }), create: true, patch: true, readBy: "inspection rules: what is shown"},
		{name: "conditions", from: []string{"conditions", "sensitive"}, column: objects(func(i *rule) *[]map[string]any { return &i.Conditions }), create: true, patch: true, check: listOfObjects("conditions"), secret: maskSecrets, readBy: "inspect: whether the rule is carried out"},
		{name: "actions", from: []string{"actions", "sensitive"}, column: objects(func(i *rule) *[]map[string]any { return &i.Actions }), create: true, patch: true, check: listOfObjects("actions"), secret: maskSecrets, readBy: "inspect: what the rule does"},
		{name: "created_at", column: moment(func(i *rule) *time.Time { return &i.CreatedAt })},
		{name: "updated_at", column: moment(func(i *rule) *time.Time { return &i.UpdatedAt })},
	}
}

func ruleResource() *resource[ingot.InspectionRule, ingot.RuleQuery] {
	type rule = ingot.InspectionRule
	return &resource[rule, ingot.RuleQuery]{
		name: "inspection_rule", noun: "Rule", path: "inspection_rules", param: "rule", since: 96, late: true, rule: "inspection_rule",
		fields:  ruleFields(),
		store:   func(a *API) Records[rule, ingot.RuleQuery] { return a.Rules },
		uuid:    func(i *rule) string { return i.UUID },
		version: func(i *rule) int64 { return i.Version },
		page:    func(q *ingot.RuleQuery) *ingot.Page { return &q.Page },
		tell:    func(i *rule) (string, map[string]any) { return "", map[string]any{"inspection_rule": i.UUID} },
		take: func(r *request, body any, i *rule) error {
			object, isObject := body.(map[string]any)
			if _, given := object["actions"]; isObject && !given {
				return schemaError("inspection_rule", "'actions' is a required property")
			}
			if err := r.tables.inspection.fill(r, body, i); err != nil {
				return err
			}
			return soundRule(i)
		},
		judge: judgeRule,
		veil: func(i *rule, out pairs) {
			if i.Sensitive {
				out.replace("conditions", nil)
				out.replace("actions", nil)
			}
		},
	}
}

// soundRule completes a rule and refuses one that could not be carried out.
func soundRule(i *ingot.InspectionRule) error {
	if i.Phase == "" {
		i.Phase = ingot.RulePhase
	}
	return i.Check(false)
}

// judgeRule keeps what was once hidden hidden.
func judgeRule(*request, *ingot.InspectionRule, []patchOp) (func(before, after *ingot.InspectionRule) error, error) {
	return func(before, after *ingot.InspectionRule) error {
		if before.Sensitive && !after.Sensitive {
			return ingot.Errorf(ingot.Invalid, "Inspection rules cannot have the sensitive flag unset.")
		}
		return soundRule(after)
	}, nil
}

// listOfObjects is the check of a field with such a list.
func listOfObjects(of string) func(any) error {
	return func(v any) error {
		items, _ := v.([]any)
		for _, item := range items {
			if _, ok := item.(map[string]any); !ok {
				return schemaError(of, "%s is not of type 'object'", repr(item))
			}
		}
		return nil
	}
}

// inspectionRuleRoutes are the rules, and the deletion of all of them (Ironic's API reference; python-ironicclient calls
// it for "rule delete --all").
func (a *API) inspectionRuleRoutes(t *tables) []route {
	routes := t.inspection.routes(a)
	if len(routes) == 0 {
		return nil
	}
	return append(routes, late("DELETE", "/inspection_rules", 96, "inspection_rule:delete", deleteRules))
}

// deleteRules is DELETE /v1/inspection_rules.
func deleteRules(r *request) (response, error) {
	if err := r.bare(); err != nil {
		return response{}, err
	}
	if err := r.allow(holder{}); err != nil {
		return response{}, err
	}
	rules, err := r.api.Rules.List(r.Context(), ingot.RuleQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return response{}, err
	}
	for i := range rules {
		err := r.api.Rules.Delete(r.Context(), rules[i].UUID, 0, r.tables.inspection.event("deleted", &rules[i]))
		if err != nil && ingot.CodeOf(err) != ingot.NotFound {
			return response{}, err
		}
	}
	return response{status: http.StatusNoContent}, nil
}
