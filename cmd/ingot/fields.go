package main

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-metal/ingot/api/client"
)

// assignment is a word FIELD=TEXT or FIELD:=JSON of the command line. The field may lead into an object, by a JSON pointer without its
// first slash: driver_info/ipmi_address=192.0.2.1. A value @FILE is the file's content.
type assignment struct {
	field string
	value any
}

// assignments reads words.
func assignments(words []string) ([]assignment, error) {
	list := make([]assignment, len(words))
	for i, word := range words {
		field, text, ok := strings.Cut(word, "=")
		field, typed := strings.CutSuffix(field, ":")
		if !ok || field == "" {
			return nil, fmt.Errorf("cannot read %q: it has to be FIELD=TEXT or FIELD:=JSON", word)
		}
		text, err := content(text)
		if err != nil {
			return nil, err
		}
		list[i] = assignment{field, text}
		if !typed {
			continue
		}
		if list[i].value, err = document(text); err != nil {
			return nil, fmt.Errorf("cannot read the value of %s: %w", field, err)
		}
	}
	return list, nil
}

// content is the text, or with @ before it that of a file.
func content(text string) (string, error) {
	name, ok := strings.CutPrefix(text, "@")
	if !ok {
		return text, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("cannot read the file of a value: %w", err)
	}
	return string(data), nil
}

// document reads JSON or YAML, which JSON is a part of.
func document(text string) (v any, err error) {
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("it is neither JSON nor YAML: %w", err)
	}
	return v, nil
}

// body makes an object of assignments.
func body(list []assignment) (map[string]any, error) {
	whole := map[string]any{}
	for _, a := range list {
		at := whole
		keys := strings.Split(a.field, "/")
		for i, key := range keys {
			key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
			if i == len(keys)-1 {
				at[key] = a.value
				break
			}
			inner, ok := at[key].(map[string]any)
			if at[key] != nil && !ok {
				return nil, fmt.Errorf("cannot set %s: %s has a value already that is no object", a.field, key)
			}
			if !ok {
				inner = map[string]any{}
				at[key] = inner
			}
			at = inner
		}
	}
	return whole, nil
}

// fieldsOf makes an object of words.
func fieldsOf(words []string) (map[string]any, error) {
	list, err := assignments(words)
	if err != nil {
		return nil, err
	}
	return body(list)
}

// patches makes a patch of assignments, and of fields to remove.
func patches(set []assignment, unset []string) []client.Patch {
	list := make([]client.Patch, 0, len(set)+len(unset))
	for _, a := range set {
		list = append(list, client.Set("/"+a.field, a.value))
	}
	for _, field := range unset {
		list = append(list, client.Remove("/"+field))
	}
	return list
}

// query makes list parameters of words NAME=VALUE.
func query(words []string) (url.Values, error) {
	q := url.Values{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("cannot read the filter %q: it has to be NAME=VALUE", word)
		}
		q.Add(name, value)
	}
	return q, nil
}
