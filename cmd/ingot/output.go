package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"
)

type object = map[string]any

// printList prints things: a table of the columns, or all there is as JSON or YAML. Columns of the user's come first.
func (s *session) printList(items []object, columns []string) error {
	chosen := len(s.columns) > 0
	if chosen {
		columns = s.columns
	}
	if s.output == "table" {
		return table(s.out, columns, items)
	}
	if chosen {
		for i, item := range items {
			items[i] = pick(item, columns)
		}
	}
	return s.printDocument(items)
}

// printThing prints one thing: a line for each value that there is.
func (s *session) printThing(thing object) error {
	if len(s.columns) > 0 {
		thing = pick(thing, s.columns)
	}
	if s.output != "table" {
		return s.printDocument(thing)
	}
	var lines []object
	flatten("", thing, func(field string, value any) {
		lines = append(lines, object{"field": field, "value": value})
	})
	return table(s.out, []string{"field", "value"}, lines)
}

// printDocument prints a value in full.
func (s *session) printDocument(v any) error {
	if s.output == "yaml" {
		encoder := yaml.NewEncoder(s.out)
		encoder.SetIndent(2)
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("cannot print the answer: %w", err)
		}
		return nil
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("cannot print the answer: %w", err)
	}
	return nil
}

// pick is a thing with the fields alone; those that lead into objects keep their whole name.
func pick(thing object, fields []string) object {
	out := object{}
	for _, field := range fields {
		out[field] = lookup(thing, field)
	}
	return out
}

// lookup finds the value of a field or of a key in it; nil when there is none.
func lookup(thing object, field string) any {
	if v, ok := thing[field]; ok {
		return v
	}
	var at any = thing
	for key := range strings.SplitSeq(field, "/") {
		inner, _ := at.(object)
		at = inner[key]
	}
	return at
}

// flatten visits the values of a thing that say something, in the order of their names. Links are for programs.
func flatten(prefix string, thing object, visit func(field string, value any)) {
	for _, key := range slices.Sorted(maps.Keys(thing)) {
		v := thing[key]
		if inner, ok := v.(object); ok {
			flatten(prefix+key+"/", inner, visit)
			continue
		}
		list, isList := v.([]any)
		if v == nil || isList && (len(list) == 0 || isLinks(list)) {
			continue
		}
		visit(prefix+key, v)
	}
}

// isLinks says whether a list is one of links.
func isLinks(list []any) bool {
	first, ok := list[0].(object)
	return ok && first["href"] != nil && first["rel"] != nil
}

// table prints a line for each thing, under the names of the columns.
func table(out io.Writer, columns []string, items []object) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = strings.ToUpper(column)
	}
	fmt.Fprintln(w, strings.Join(line, "\t"))
	for _, item := range items {
		for i, column := range columns {
			line[i] = cell(lookup(item, column))
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot print the table: %w", err)
	}
	return nil
}

// cell is a value on one line of a table, and never nothing, so that columns can be counted.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if v == "" {
			return "-"
		}
		return strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ").Replace(v))
	case []any:
		if words, ok := plain(v); ok {
			return strings.Join(words, ",")
		}
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// plain are the texts of a list that has nothing else.
func plain(list []any) (words []string, ok bool) {
	for _, item := range list {
		word, ok := item.(string)
		if !ok || word == "" {
			return nil, false
		}
		words = append(words, word)
	}
	return words, len(list) > 0
}
