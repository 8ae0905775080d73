package ingot

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// InspectionRule changes what an inspection found, or what it leads to: when all conditions hold, its actions are carried
// out (Ironic: /v1/inspection_rules, since 1.96).
type InspectionRule struct {
	UUID        string
	Version     int64
	Description string
	Priority    int    // the highest first; 0 to 9999
	Phase       string // RulePhase
	Sensitive   bool   // conditions and actions are not shown; never taken back
	// Conditions are {op, args, loop, multiple}, actions {op, args, loop}.
	Conditions []map[string]any
	Actions    []map[string]any
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// RulePhase is the one phase that rules are carried out in: when the agent's report has been read.
const RulePhase = "main"

// MaxRulePriority bounds the priority of users' rules.
const MaxRulePriority = 9999

// RuleQuery selects inspection rules.
type RuleQuery struct {
	Phase string
	Page
}

// RuleOp is the signature of an operator or an action.
type RuleOp struct {
	Required, Optional []string
	// Formatted are the arguments in whose text {node…}, {inventory…} and {plugin_data…} are replaced.
	Formatted []string
}

// RuleOperators are what conditions can ask, each also with "!" before it (Ironic: inspection_rules/operators.py).
func RuleOperators() map[string]RuleOp {
	compare := RuleOp{Required: []string{"values"}, Optional: []string{"force_strings"}, Formatted: []string{"values"}}
	value := RuleOp{Required: []string{"value"}, Formatted: []string{"value"}}
	regex := RuleOp{Required: []string{"value", "regex"}, Formatted: []string{"value"}}
	return map[string]RuleOp{
		"eq": compare, "lt": compare, "gt": compare,
		"is-empty": value, "is-none": value, "is-true": value, "is-false": value,
		"in-net":  {Required: []string{"address", "subnet"}, Formatted: []string{"address", "subnet"}},
		"matches": regex, "contains": regex,
		"one-of": {Required: []string{"value"}, Optional: []string{"values"}, Formatted: []string{"value"}},
	}
}

// RuleActions are what rules can do (Ironic: inspection_rules/actions.py).
func RuleActions() map[string]RuleOp {
	path, name := RuleOp{Required: []string{"path"}}, RuleOp{Required: []string{"name"}}
	value := []string{"value"}
	set := RuleOp{Required: []string{"path", "value"}, Formatted: value}
	extend := RuleOp{Required: []string{"path", "value"}, Optional: []string{"unique"}, Formatted: value}
	return map[string]RuleOp{
		"fail":          {Required: []string{"msg"}},
		"log":           {Required: []string{"msg"}, Optional: []string{"level"}, Formatted: []string{"msg"}},
		"set-attribute": set, "extend-attribute": extend, "del-attribute": path,
		"set-capability": {Required: []string{"name", "value"}, Formatted: value}, "unset-capability": name,
		"add-trait": name, "remove-trait": name,
		"set-plugin-data": set, "extend-plugin-data": extend, "unset-plugin-data": path,
		"set-port-attribute":    {Required: []string{"port_id", "path", "value"}, Formatted: value},
		"extend-port-attribute": {Required: []string{"port_id", "path", "value"}, Optional: []string{"unique"}, Formatted: value},
		"del-port-attribute":    {Required: []string{"port_id", "path"}},
		"api-call":              {Required: []string{"url"}, Optional: []string{"headers", "timeout", "retries", "backoff_factor"}, Formatted: []string{"url"}},
	}
}

// Inverted splits an operator from the "!" before it.
func Inverted(op string) (string, bool) {
	bare, inverted := strings.CutPrefix(strings.TrimSpace(op), "!")
	return strings.TrimSpace(bare), inverted
}

// Arguments are the arguments of a condition or an action by name: they may be given as a list too, in the order of the
// signature (which Ironic has deprecated).
func (o RuleOp) Arguments(given any) (map[string]any, error) {
	var args map[string]any
	switch given := given.(type) {
	case map[string]any:
		args = given
	case []any:
		names := slices.Concat(o.Required, o.Optional)
		if len(given) > len(names) {
			return nil, Errorf(Invalid, "too many arguments: there are %s", strings.Join(names, ", "))
		}
		args = map[string]any{}
		for i, v := range given {
			args[names[i]] = v
		}
	default:
		return nil, Errorf(Invalid, "args must be either a list or dictionary")
	}
	for _, name := range o.Required {
		if _, ok := args[name]; !ok {
			return nil, Errorf(Invalid, "missing required argument(s): %s", name)
		}
	}
	for name := range args {
		if !slices.Contains(o.Required, name) && !slices.Contains(o.Optional, name) {
			return nil, Errorf(Invalid, "unexpected argument(s): %s", name)
		}
	}
	return args, nil
}

// Check refuses a rule that could not be carried out. builtIn rules may have any priority.
func (r *InspectionRule) Check(builtIn bool) error {
	switch {
	case r.Phase != RulePhase:
		return Errorf(Invalid, "Invalid phase: %s. Valid phases are: %s", r.Phase, RulePhase)
	case r.Priority < 0 && !builtIn:
		return Errorf(Invalid, "Priority cannot be negative for user-defined rules.")
	case r.Priority > MaxRulePriority && !builtIn:
		return Errorf(Invalid, "Priority must be between 0 and %d for user-defined rules.", MaxRulePriority)
	case len(r.Actions) == 0:
		return Errorf(Invalid, "[] should be non-empty: a rule needs an action")
	}
	for _, condition := range r.Conditions {
		op, _ := Inverted(Text(condition, "op"))
		if err := checkRuleOp(RuleOperators(), "condition", op, condition); err != nil {
			return err
		}
		if multiple, given := condition["multiple"]; given && !slices.Contains([]any{"any", "all", "first", "last"}, multiple) {
			return Errorf(Invalid, "%v is not one of ['any', 'all', 'first', 'last']", multiple)
		}
	}
	for _, action := range r.Actions {
		if err := checkRuleOp(RuleActions(), "action", Text(action, "op"), action); err != nil {
			return err
		}
	}
	return nil
}

func checkRuleOp(ops map[string]RuleOp, sort, name string, given map[string]any) error {
	op, known := ops[name]
	if !known {
		return Errorf(Invalid, "Unsupported %s operator: %s", sort, name)
	}
	for key, v := range given {
		switch key {
		case "op", "args":
		case "multiple":
			known = sort == "condition"
		case "loop":
			_, list := v.([]any)
			_, object := v.(map[string]any)
			known = list || object
		default:
			known = false
		}
		if !known {
			return Errorf(Invalid, "Invalid %s operator %s: %v is not valid for '%s'", sort, name, v, key)
		}
	}
	args, err := op.Arguments(given["args"])
	if err != nil {
		return Errorf(Invalid, "Invalid parameters for %s operator %s: %w", sort, name, err)
	}
	if pattern, isText := args["regex"].(string); isText {
		_, err = regexp.Compile(pattern)
	} else if slices.Contains(op.Required, "regex") {
		err = Errorf(Invalid, "regex is not of type 'string'")
	}
	if err != nil {
		return Errorf(Invalid, "Invalid parameters for %s operator %s: %w", sort, name, err)
	}
	return nil
}
