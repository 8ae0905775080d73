package api

import (
	"maps"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// args are a request's parameters by name: text from the query, JSON values from an object in the body. Its readers
// keep the first complaint, so that a handler reads all and then looks at err once.
type args struct {
	values map[string]any
	err    error
}

// args collects the parameters and refuses those that are not allowed.
func (r *request) args(allowed ...string) *args {
	r.asked = true
	a := &args{values: map[string]any{}}
	for name, values := range r.URL.Query() {
		if len(values) == 1 {
			a.values[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		a.values[name] = list
	}
	if r.Method == "PUT" || r.Method == "POST" {
		a.addBody(r)
	}
	var unexpected []string
	for name := range a.values {
		if !slices.Contains(allowed, name) {
			unexpected = append(unexpected, name)
		}
	}
	if len(unexpected) > 0 {
		a.fail(errUnexpected(unexpected))
	}
	return a
}

// bare refuses parameters where the handler has asked for none: it reads what it takes before it finds what the path names,
// or the body.
func (r *request) bare() error {
	if r.asked || r.URL.RawQuery == "" {
		return nil
	}
	r.asked = true
	if names := slices.Collect(maps.Keys(r.URL.Query())); len(names) > 0 {
		return errUnexpected(names)
	}
	return nil
}

func errUnexpected(names []string) error {
	slices.Sort(names)
	return ingot.Errorf(ingot.Invalid, "Unexpected arguments: %s", strings.Join(names, ", "))
}

func (a *args) addBody(r *request) {
	body, err := r.json()
	if err != nil {
		a.fail(err)
		return
	}
	object, ok := body.(map[string]any)
	if !ok {
		a.fail(ingot.Errorf(ingot.Invalid, "Expected an object in the request's body: %s", repr(body)))
		return
	}
	for name, v := range object {
		a.values[name] = v
	}
}

func (a *args) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// has says whether the parameter was given and is not null.
func (a *args) has(name string) bool { return a.values[name] != nil }

// need complains when a parameter was left out.
func (a *args) need(name string) {
	if _, ok := a.values[name]; !ok {
		a.fail(ingot.Errorf(ingot.Invalid, "Missing mandatory parameter: %s", name))
	}
}

func (a *args) text(name string) string {
	v := a.values[name]
	text, ok := v.(string)
	if !ok && v != nil {
		a.fail(ingot.Errorf(ingot.Invalid, "Expected string for %s: %s", name, repr(v)))
	}
	return text
}

// uuid is a UUID in its canonical form, or "".
func (a *args) uuid(name string) string {
	text := a.text(name)
	if text == "" && !a.has(name) {
		return ""
	}
	id, ok := canonicalUUID(text)
	if !ok {
		a.fail(ingot.Errorf(ingot.Invalid, "Expected UUID for %s: %s", name, text))
	}
	return id
}

// ident is a UUID or a name.
func (a *args) ident(name string) string {
	text := a.text(name)
	if !a.has(name) {
		return ""
	}
	if id, ok := canonicalUUID(text); ok {
		return id
	}
	if len(text) > 255 || !namePattern.MatchString(text) {
		a.fail(ingot.Errorf(ingot.Invalid, "Expected UUID or name for %s: %s", name, text))
	}
	return text
}

// integer is nil when the parameter was left out.
func (a *args) integer(name string) *int {
	var n int
	switch v := a.values[name].(type) {
	case nil:
		return nil
	case string:
		parsed, err := strconv.Atoi(strings.TrimSpace(v))
		if err == nil {
			n = parsed
			return &n
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<31 {
			n = int(v)
			return &n
		}
	}
	text, isText := a.values[name].(string)
	if !isText {
		text = repr(a.values[name])
	}
	a.fail(ingot.Errorf(ingot.Invalid, "Expected an integer for %s: %s", name, text))
	return nil
}

// flag is nil when the parameter was left out.
func (a *args) flag(name string) *bool {
	v := a.values[name]
	if v == nil {
		return nil
	}
	b, err := boolean(name, v)
	if err != nil {
		a.fail(err)
	}
	return &b
}

// list is a comma-separated list, in lower case and without repetitions.
func (a *args) list(name string) []string {
	var parts []string
	switch v := a.values[name].(type) {
	case nil:
		return nil
	case []any:
		for _, item := range v {
			text, ok := item.(string)
			if !ok {
				a.fail(ingot.Errorf(ingot.Invalid, "Expected string for %s: %s", name, repr(item)))
			}
			parts = append(parts, text)
		}
		return parts
	default:
		parts = strings.Split(a.text(name), ",")
	}
	list := []string{}
	for _, part := range parts {
		if part = strings.ToLower(strings.TrimSpace(part)); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return list
}

// words is a comma-separated list as it was written.
func (a *args) words(name string) []string {
	var list []string
	for word := range strings.SplitSeq(a.text(name), ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// boolean reads true, false, or one of oslo's words for them.
func boolean(name string, v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "1", "t", "true", "on", "y", "yes":
			return true, nil
		case "0", "f", "false", "off", "n", "no":
			return false, nil
		}
	case float64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	}
	text, ok := v.(string)
	if !ok {
		text = repr(v)
	}
	return false, ingot.Errorf(ingot.Invalid, "Invalid %s: Unrecognized value '%s', acceptable values are: "+
		"'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'", name, text)
}

// canonicalMAC is the address in lower case with colons; false when it is none of six bytes with colons.
func canonicalMAC(text string) (string, bool) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 || strings.Count(text, ":") != 5 {
		return "", false
	}
	return mac.String(), true
}
