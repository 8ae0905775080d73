package api

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// stepRule is the shape of one kind of step list: which verbs take it, and which keys its steps have.
type stepRule struct {
	name     string // the parameter
	verbs    []ingot.Verb
	needed   bool // the verb cannot do without
	since    int
	required []string
	allowed  []string
}

func stepRules() []stepRule {
	optional := []string{"interface", "step", "args", "order", "execute_on_child_nodes", "limit_child_node_execution"}
	return []stepRule{
		{"clean_steps", []ingot.Verb{ingot.VerbClean}, true, 1, []string{"interface", "step"}, optional},
		{"deploy_steps", []ingot.Verb{ingot.VerbActive, ingot.VerbRebuild}, false, 69, []string{"interface", "step", "args", "priority"}, []string{"interface", "step", "args", "priority"}},
		{"service_steps", []ingot.Verb{ingot.VerbService}, true, 1, []string{"interface", "step"}, optional},
	}
}

// stepInterfaces are the interfaces that have steps (Ironic's CLEANING_INTERFACE_PRIORITY).
func stepInterfaces() []string {
	return []string{"power", "management", "firmware", "deploy", "bios", "raid", "vendor", "network"}
}

var digits = regexp.MustCompile(`^[0-9]+$`)

func (r *request) checkSteps(p *provisionArgs, _ *ingot.Node) error {
	lists := map[string][]map[string]any{"clean_steps": p.req.CleanSteps, "deploy_steps": p.req.DeploySteps, "service_steps": p.req.ServiceSteps}
	for _, rule := range stepRules() {
		steps := lists[rule.name]
		fits := slices.Contains(rule.verbs, ingot.Verb(p.target)) // the alias deploy takes none, as in Ironic
		words := make([]string, len(rule.verbs))
		for i, verb := range rule.verbs {
			words[i] = string(verb)
		}
		targets := strings.Join(words, " or ")
		switch {
		case len(steps) == 0 && fits && rule.needed:
			return ingot.Errorf(ingot.Invalid, `"%s" is required when setting target provision state to %s`, rule.name, targets)
		case len(steps) == 0:
			continue
		case !r.since(rule.since):
			return errNeedsVersion(rule.since)
		case !fits:
			return ingot.Errorf(ingot.Invalid, `"%s" is only valid when setting target provision state to %s`, rule.name, targets)
		}
		for _, step := range steps {
			if err := rule.check(step); err != nil {
				return err
			}
			if err := r.checkChildren(step); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkChildren holds the children that a step is to be carried out on against who asks: each is a node whose provision
// state they may change.
func (r *request) checkChildren(step map[string]any) error {
	list, _ := step["limit_child_node_execution"].([]any)
	if len(list) > 0 && step["execute_on_child_nodes"] != true {
		return ingot.Errorf(ingot.Invalid, "limit_child_node_execution of step %s is only valid with execute_on_child_nodes", ingot.Text(step, "step"))
	}
	for _, item := range list {
		id, _ := item.(string)
		if uuid.Validate(id) != nil {
			return ingot.Errorf(ingot.Invalid, "Invalid entry detected for execute_on_child_node parameter in step %s.", ingot.Text(step, "step"))
		}
		child, err := r.nodeNamed(id)
		if err != nil {
			return err
		}
		if err := r.allow(holderOf(&child)); err != nil {
			return err
		}
	}
	return nil
}

// check holds one step against the rule.
func (rule stepRule) check(step map[string]any) error {
	for _, key := range rule.required {
		if _, ok := step[key]; !ok {
			return ingot.Errorf(ingot.Invalid, "Invalid %s: '%s' is a required property", rule.name, key)
		}
	}
	for key, v := range step {
		ok := false
		switch key {
		case "interface":
			name, _ := v.(string)
			ok = slices.Contains(stepInterfaces(), name)
		case "step":
			name, isText := v.(string)
			ok = isText && name != ""
		case "args":
			_, ok = v.(map[string]any)
		case "order", "priority":
			ok = isCount(v)
		case "execute_on_child_nodes":
			_, ok = v.(bool)
		case "limit_child_node_execution":
			_, ok = v.([]any)
		}
		if !ok || !slices.Contains(rule.allowed, key) {
			return ingot.Errorf(ingot.Invalid, "Invalid %s: %s is not valid for '%s'", rule.name, repr(v), key)
		}
	}
	return nil
}

// isCount says whether v is a whole number that is not negative, or its text.
func isCount(v any) bool {
	switch v := v.(type) {
	case float64:
		return v >= 0 && v == math.Trunc(v)
	case string:
		return digits.MatchString(v)
	}
	return false
}
