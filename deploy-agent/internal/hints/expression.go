// Package hints finds the disk that a node's root device hints mean. The hints, their operators and their oddities are
// Ironic's (ironic_python_agent/device_hints.py over oslo.utils' specs_matcher).
package hints

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// operators in the order in which a hint's beginning is compared with them: longer ones before their prefixes.
var operators = [...]string{
	"<or>", "<all-in>", "<in>",
	"==", "!=", ">=", "<=", "=", ">", "<",
	"s==", "s!=", "s<=", "s<", "s>=", "s>",
}

// expression is a hint's value: operator and operands in lower case.
type expression struct {
	op     string // "" is equality
	values []string
}

// parse splits text into operator and operands. An operator without an operand is plain text, as in Ironic.
func parse(text string) (expression, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return expression{}, fmt.Errorf("the expression is empty")
	}
	for _, op := range operators {
		rest, ok := strings.CutPrefix(text, op)
		if !ok {
			continue
		}
		if rest = strings.TrimSpace(rest); rest == "" || beginsWithOperator(rest) {
			break
		}
		e := expression{op: op}
		for _, v := range strings.Split(text, op) {
			if v = strings.TrimSpace(v); v != "" {
				e.values = append(e.values, v)
			}
		}
		return e, nil
	}
	return expression{values: []string{text}}, nil
}

func beginsWithOperator(text string) bool {
	for _, op := range operators {
		if strings.HasPrefix(text, op) {
			return true
		}
	}
	return false
}

// textOnly gives the comparison of texts that the operator means, and false for the numeric ones.
func (e expression) textOnly() (func(have string) bool, bool) {
	want := e.values[0]
	single := map[string]func(have string) bool{
		"":     func(have string) bool { return have == want },
		"s==":  func(have string) bool { return have == want },
		"s!=":  func(have string) bool { return have != want },
		"s<":   func(have string) bool { return have < want },
		"s<=":  func(have string) bool { return have <= want },
		"s>":   func(have string) bool { return have > want },
		"s>=":  func(have string) bool { return have >= want },
		"<in>": func(have string) bool { return strings.Contains(have, want) },
		"<or>": func(have string) bool { return slices.Contains(e.values, have) },
		"<all-in>": func(have string) bool {
			return !slices.ContainsFunc(strings.Fields(strings.Join(e.values, " ")),
				func(v string) bool { return !strings.Contains(have, v) })
		},
	}
	f, ok := single[e.op]
	return f, ok
}

// matchText compares a text attribute. "=" and the other numeric operators read both sides as numbers.
func (e expression) matchText(have string) (bool, error) {
	if match, ok := e.textOnly(); ok {
		return match(have), nil
	}
	number, err := strconv.ParseFloat(have, 64)
	if err != nil {
		return false, nil // Ironic fails the whole search here; a disk without a number just does not match
	}
	return e.matchNumber(number)
}

// matchNumber compares a number. "=" is at least, for old times' sake.
func (e expression) matchNumber(have float64) (bool, error) {
	for i, v := range e.values {
		want, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return false, fmt.Errorf("%q is not a number, which operator %q needs", v, e.op)
		}
		ok, err := compare(e.op, have, want)
		if err != nil || ok || e.op != "<or>" || i == len(e.values)-1 {
			return ok, err
		}
	}
	return false, nil
}

func compare(op string, have, want float64) (bool, error) {
	switch op {
	case "", "==", "<or>":
		return have == want, nil
	case "!=":
		return have != want, nil
	case "=", ">=":
		return have >= want, nil
	case "<=":
		return have <= want, nil
	case ">":
		return have > want, nil
	case "<":
		return have < want, nil
	}
	return false, fmt.Errorf("operator %q does not work on numbers; use ==, !=, >=, <=, > or <", op)
}
