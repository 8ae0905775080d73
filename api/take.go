package api

import (
	"math"
	"slices"

	"github.com/ingot-metal/ingot"
)

// take checks a value that a client gives for the field and puts it into the column's form: a string, a bool, an int,
// a list, an object, or nil for null. of is what the sentence of a refusal says is wrong: the resource, or "patch".
func (f *field[T, Q]) take(of string, v any) (any, error) {
	v = plain(v)
	if v == nil {
		if f.required {
			return nil, schemaError(of, "'%s' is a required property", f.name)
		}
		return nil, f.judge(nil)
	}
	wrongType := schemaError(of, "%s is not of type %s", repr(v), f.kind.words(f.required))
	switch f.kind {
	case kindObject:
		if _, ok := v.(map[string]any); !ok {
			return nil, wrongType
		}
	case kindInteger:
		n, ok := v.(float64)
		if i, isInt := v.(int); isInt { // what a patch left as it was
			n, ok = float64(i), true
		}
		if !ok || n != math.Trunc(n) || math.Abs(n) >= 1<<31 {
			return nil, wrongType
		}
		v = int(n)
	case kindList:
		if _, ok := v.([]any); !ok {
			return nil, wrongType
		}
	case kindFlag:
		if _, ok := v.(float64); ok {
			return nil, wrongType
		}
		b, err := boolean(f.name, v)
		if err != nil {
			return nil, err
		}
		v = b
	default:
		s, ok := v.(string)
		if !ok {
			return nil, wrongType
		}
		if f.max > 0 && len([]rune(s)) > f.max {
			return nil, schemaError(of, "%s is too long", repr(s))
		}
		s, err := f.canonical(s)
		if err != nil {
			return nil, err
		}
		v = s
	}
	return v, f.judge(v)
}

func (f *field[T, Q]) canonical(s string) (string, error) {
	switch f.kind {
	case kindUUID:
		id, ok := canonicalUUID(s)
		if !ok {
			return "", ingot.Errorf(ingot.Invalid, "Expected UUID for %s: %s", f.name, s)
		}
		return id, nil
	case kindMAC:
		mac, ok := canonicalMAC(s)
		if !ok {
			return "", ingot.Errorf(ingot.Invalid, "Expected valid MAC address for %s: %s", f.name, s)
		}
		return mac, nil
	}
	return s, nil
}

func (f *field[T, Q]) judge(v any) error {
	if f.check == nil {
		return nil
	}
	return f.check(v)
}

// fill makes a new thing from the body of a POST: of is the resource's name.
func fill[T, Q any](r *request, table []field[T, Q], of string, body any, t *T) error {
	object, ok := body.(map[string]any)
	if !ok {
		return schemaError(of, "%s is not of type 'object'", repr(body))
	}
	var known, unexpected []string
	for i := range table {
		f := &table[i]
		if !f.create {
			continue
		}
		known = append(known, f.name)
		if _, given := object[f.name]; !given && f.required {
			return schemaError(of, "'%s' is a required property", f.name)
		}
	}
	for name := range object {
		if !slices.Contains(known, name) {
			unexpected = append(unexpected, name)
		}
	}
	if len(unexpected) > 0 {
		return unexpectedError(of, unexpected)
	}
	for i := range table {
		f := &table[i]
		v, given := object[f.name]
		if !given || !f.create {
			continue
		}
		if v == nil && f.required {
			return schemaError(of, "None is not of type %s", f.kind.words(true))
		}
		v, err := f.take(of, v)
		switch {
		case err != nil:
			return err
		case v != nil && !r.since(f.since):
			return errNotAcceptable()
		}
		f.set(t, v)
	}
	return nil
}
