package conductor

import (
	"cmp"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// holds says whether a condition holds. One that loops holds for any of the items unless it says which: all, the first that
// does, or the last.
func (u *ruling) holds(condition map[string]any) (bool, error) {
	op, inverted := ingot.Inverted(ingot.Text(condition, "op"))
	var results []bool
	err := u.each(condition, func(args map[string]any) error {
		if u.looping && ingot.RuleOperators()[op].Optional != nil && args["force_strings"] == nil && op != "one-of" {
			args["force_strings"] = true // a loop's values have become text
		}
		is, err := ask(op, args)
		results = append(results, is != inverted)
		return err
	})
	if err != nil {
		return false, err
	}
	switch condition["multiple"] {
	case "all":
		return !slices.Contains(results, false), nil
	case "last":
		return results[len(results)-1], nil
	}
	return slices.Contains(results, true), nil
}

// ask answers one operator.
func ask(op string, args map[string]any) (bool, error) {
	v := args["value"]
	switch op {
	case "eq", "lt", "gt":
		return compared(op, args)
	case "is-empty":
		return slices.Contains([]string{"", "None", "[]", "{}"}, pythonText(v)), nil
	case "is-none":
		return v == nil, nil
	case "is-true":
		return truth(v, "yes", "true"), nil
	case "is-false":
		return v == nil || isFalse(v), nil
	case "in-net":
		return inNet(args["address"], args["subnet"])
	case "one-of":
		values, _ := args["values"].([]any)
		return slices.ContainsFunc(values, func(item any) bool { return reflect.DeepEqual(item, v) }), nil
	}
	pattern, _ := args["regex"].(string)
	if op == "matches" {
		pattern = "^(?:" + strings.TrimSuffix(pattern, "$") + ")$"
	}
	regex, err := regexp.Compile(pattern)
	if err != nil {
		return false, ingot.Errorf(ingot.Invalid, "invalid regular expression: %w", err)
	}
	return regex.MatchString(pythonText(v)), nil
}

// truth says whether a value is true, or one of the words for it.
func truth(v any, words ...string) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return slices.Contains(words, strings.ToLower(v))
	}
	return false
}

func isFalse(v any) bool {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return truth(v, "no", "false")
	}
	return false
}

// compared holds a list's neighbours against each other.
func compared(op string, args map[string]any) (bool, error) {
	values, ok := args["values"].([]any)
	if !ok {
		return false, ingot.Errorf(ingot.Invalid, "Expected list for 'values', got: %v", args["values"])
	}
	for i := 0; i+1 < len(values); i++ {
		a, b := values[i], values[i+1]
		if truth(args["force_strings"], "true") {
			a, b = pythonText(a), pythonText(b)
		}
		is, err := compareTwo(op, a, b)
		if err != nil || !is {
			return false, err
		}
	}
	return true, nil
}

func compareTwo(op string, a, b any) (bool, error) {
	if op == "eq" {
		return reflect.DeepEqual(a, b), nil
	}
	order := 0
	switch a := a.(type) {
	case float64:
		other, ok := b.(float64)
		if !ok {
			return false, incomparable(a, b)
		}
		order = cmp.Compare(a, other)
	case string:
		other, ok := b.(string)
		if !ok {
			return false, incomparable(a, b)
		}
		order = strings.Compare(a, other)
	default:
		return false, incomparable(a, b)
	}
	return op == "lt" && order < 0 || op == "gt" && order > 0, nil
}

func incomparable(a, b any) error {
	return ingot.Errorf(ingot.Invalid, "cannot order %v and %v: both have to be numbers or texts (force_strings makes texts of them)", a, b)
}

func inNet(address, subnet any) (bool, error) {
	a, err := netip.ParseAddr(pythonText(address))
	if err != nil {
		return false, ingot.Errorf(ingot.Invalid, "invalid value: %w", err)
	}
	text := pythonText(subnet)
	if one, err := netip.ParseAddr(text); err == nil {
		return a == one, nil
	}
	net, err := netip.ParsePrefix(text)
	if err != nil {
		return false, ingot.Errorf(ingot.Invalid, "invalid value: %w", err)
	}
	return net.Contains(a), nil
}
