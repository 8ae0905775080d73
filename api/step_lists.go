package api

import (
	"slices"
	"strconv"

	"github.com/ingot-metal/ingot"
)

// Lists of steps that are kept: those of deploy templates and runbooks.

// templateStep and runbookStep are the shapes of their steps (Ironic's DEPLOY_STEP_SCHEMA and RUNBOOK_STEP_SCHEMA).
func templateStep() stepRule {
	words := []string{"interface", "step", "args", "priority"}
	return stepRule{name: "steps", required: words, allowed: words}
}

func runbookStep() stepRule {
	return stepRule{name: "steps", required: []string{"interface", "step", "order"}, allowed: []string{"interface", "step", "args", "order"}}
}

// keptSteps is the check of a field with such a list: each step of the shape, and none twice.
func keptSteps(rule stepRule) func(any) error {
	return func(v any) error {
		items, _ := v.([]any)
		if len(items) == 0 {
			return schemaError("steps", "[] is too short")
		}
		var seen []string
		for _, item := range items {
			step, ok := item.(map[string]any)
			if !ok {
				return schemaError("steps", "%s is not of type 'object'", repr(item))
			}
			if err := rule.check(step); err != nil {
				return err
			}
			settleStep(step)
			label := "interface: " + ingot.Text(step, "interface") + ", step: " + ingot.Text(step, "step")
			if slices.Contains(seen, label) {
				return ingot.Errorf(ingot.Invalid, "Deploy template invalid: Duplicate deploy steps. A template cannot have multiple deploy steps with the same interface and step. Duplicates: %s.", label)
			}
			seen = append(seen, label)
		}
		return nil
	}
}

// settleStep turns a priority or an order that came as text into a number, and gives a step without arguments none.
func settleStep(step map[string]any) {
	for _, key := range []string{"priority", "order"} {
		if text, ok := step[key].(string); ok {
			n, _ := strconv.ParseFloat(text, 64) // digits alone, by the rule
			step[key] = n
		}
	}
	if step["args"] == nil {
		step["args"] = map[string]any{}
	}
}

// traitNames is the check of a field with a list of traits.
func traitNames(of string) func(any) error {
	return func(v any) error {
		if v == nil {
			return nil
		}
		_, err := traitList(of, v)
		return err
	}
}
