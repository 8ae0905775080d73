package api

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// patchOp is one operation of a JSON patch (RFC 6902), of which Ironic takes add, replace and remove.
type patchOp struct {
	op, path string
	value    any
	hasValue bool
	raw      map[string]any
	steps    []string // the path, decoded
}

// A path's forms: names of letters, digits, "_" and "-"; since 1.98 with "~0" and "~1" (RFC 6901).
var (
	pathPattern        = regexp.MustCompile(`^(/[\p{L}\p{N}_-]+)+$`)
	escapedPathPattern = regexp.MustCompile(`^(/([\p{L}\p{N}_-]|~[01])+)+$`)
)

// unescape reads a part of a path (RFC 6901).
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func schemaError(of, format string, args ...any) error {
	return ingot.Errorf(ingot.Invalid, "Schema error for %s: %s", of, fmt.Sprintf(format, args...))
}

// parsePatch checks a body against the shape of patches.
func parsePatch(r *request, body any) ([]patchOp, error) {
	list, ok := body.([]any)
	if !ok {
		return nil, schemaError("patch", "%s is not of type 'array'", repr(body))
	}
	ops := make([]patchOp, len(list))
	for i, item := range list {
		raw, ok := item.(map[string]any)
		if !ok {
			return nil, schemaError("patch", "%s is not of type 'object'", repr(item))
		}
		op, err := parseOp(r, raw)
		if err != nil {
			return nil, err
		}
		ops[i] = op
	}
	return ops, nil
}

func parseOp(r *request, raw map[string]any) (patchOp, error) {
	p := patchOp{raw: raw}
	for _, word := range []string{"op", "path"} {
		v, ok := raw[word]
		if !ok {
			return p, schemaError("patch", "'%s' is a required property", word)
		}
		if _, ok := v.(string); !ok {
			return p, schemaError("patch", "%s is not of type 'string'", repr(v))
		}
	}
	var unexpected []string
	for key := range raw {
		if key != "op" && key != "path" && key != "value" {
			unexpected = append(unexpected, key)
		}
	}
	if len(unexpected) > 0 {
		return p, unexpectedError("patch", unexpected)
	}
	p.op, _ = raw["op"].(string)
	p.path, _ = raw["path"].(string)
	p.value, p.hasValue = raw["value"]
	if !slices.Contains([]string{"add", "replace", "remove"}, p.op) {
		return p, schemaError("patch", "%s is not one of ['add', 'replace', 'remove']", repr(p.op))
	}
	pattern := pathPattern
	if r.since(98) {
		pattern = escapedPathPattern
	}
	if !pattern.MatchString(p.path) {
		return p, schemaError("patch", `%s does not match '^(/[\\w-]+)+$'`, repr(p.path))
	}
	for step := range strings.SplitSeq(p.path[1:], "/") {
		p.steps = append(p.steps, unescape.Replace(step))
	}
	return p, nil
}

// unexpectedError names the words that a schema does not have.
func unexpectedError(of string, words []string) error {
	slices.Sort(words)
	verb := "was"
	if len(words) > 1 {
		verb = "were"
	}
	return schemaError(of, "Additional properties are not allowed (%s %s unexpected)", reprWords(words), verb)
}

// checkPatch refuses paths that the table does not let be patched, and fields that the version does not know.
func checkPatch[T, Q any](r *request, table []field[T, Q], ops []patchOp) error {
	for _, p := range ops {
		i := slices.IndexFunc(table, func(f field[T, Q]) bool { return f.name == p.steps[0] && f.patch })
		if i < 0 {
			return ingot.Errorf(ingot.Invalid, "Cannot patch %s. Only the following can be updated: %s", p.path, strings.Join(patchable(table), ", "))
		}
		if !r.since(table[i].since) {
			return errNotAcceptable()
		}
	}
	return nil
}

func patchable[T, Q any](table []field[T, Q]) []string {
	var names []string
	for i := range table {
		if table[i].patch {
			names = append(names, table[i].name)
		}
	}
	slices.Sort(names)
	return names
}

// applyPatch applies the operations, in order, to a copy of t's fields, and sets those whose root was named.
func applyPatch[T, Q any](table []field[T, Q], t *T, ops []patchOp) error {
	doc := make(map[string]any, len(ops))
	for i := range table {
		if table[i].patch {
			doc[table[i].name] = clone(table[i].get(t))
		}
	}
	for _, p := range ops {
		if err := applyOp(doc, p); err != nil {
			return ingot.Errorf(ingot.Invalid, "Couldn't apply patch '%s'. Reason: %w", repr(p.raw), err)
		}
	}
	for i := range table {
		f := &table[i]
		if !slices.ContainsFunc(ops, func(p patchOp) bool { return p.steps[0] == f.name }) {
			continue
		}
		v, err := f.take("patch", doc[f.name])
		if err != nil {
			return err
		}
		f.set(t, v)
	}
	return nil
}

// applyOp changes doc by one operation.
func applyOp(doc map[string]any, p patchOp) error {
	if p.op != "remove" && !p.hasValue {
		return fmt.Errorf("The operation does not contain a 'value' member") //nolint:staticcheck // jsonpatch's sentence
	}
	var at any = doc
	for _, step := range p.steps[:len(p.steps)-1] {
		next, err := walk(at, step)
		if err != nil {
			return err
		}
		at = next
	}
	last := p.steps[len(p.steps)-1]
	switch at := at.(type) {
	case map[string]any:
		if _, ok := at[last]; !ok && p.op != "add" {
			return fmt.Errorf("can't %s a non-existent object '%s'", p.op, last)
		}
		if p.op == "remove" {
			delete(at, last)
			return nil
		}
		at[last] = clone(p.value)
		return nil
	case *[]any:
		return applyToList(at, last, p)
	}
	return fmt.Errorf("unable to fully resolve json pointer %s, part %s", p.path, last)
}

// walk steps into an object or a list.
func walk(at any, step string) (any, error) {
	switch at := at.(type) {
	case map[string]any:
		next, ok := at[step]
		if !ok {
			return nil, fmt.Errorf("member '%s' not found in %s", step, repr(at))
		}
		return next, nil
	case *[]any:
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 {
			return nil, fmt.Errorf("'%s' is not a valid sequence index", step)
		}
		if i >= len(*at) {
			return nil, fmt.Errorf("index '%d' is out of bounds", i)
		}
		return (*at)[i], nil
	}
	return nil, fmt.Errorf("document '%s' does not support indexing, must be a mapping or sequence", repr(at))
}

func applyToList(list *[]any, last string, p patchOp) error {
	end := len(*list)
	i, err := strconv.Atoi(last)
	switch {
	case last == "-" && p.op == "add":
		i = end
	case err != nil || i < 0:
		return fmt.Errorf("'%s' is not a valid sequence index", last)
	case p.op == "add" && i > end:
		return fmt.Errorf("can't insert outside of list")
	case p.op != "add" && i >= end:
		return fmt.Errorf("can't %s outside of list", p.op)
	}
	switch p.op {
	case "add":
		*list = slices.Insert(*list, i, clone(p.value))
	case "replace":
		(*list)[i] = clone(p.value)
	default:
		*list = slices.Delete(*list, i, i+1)
	}
	return nil
}

// clone copies a JSON value; lists become pointers, so that a patch can change their length in place.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = clone(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return &out
	}
	return v
}

// plain is the opposite of clone.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = plain(item)
		}
		return v
	case *[]any:
		for i, item := range *v {
			(*v)[i] = plain(item)
		}
		return *v
	case []any:
		for i, item := range v {
			v[i] = plain(item)
		}
		return v
	}
	return v
}
