package main

import (
	"fmt"
	"strings"
)

// steps reads a list of steps, each with interface, step and args; "" is none.
func steps(text string) ([]object, error) {
	if text == "" {
		return nil, nil
	}
	text, err := content(text)
	if err != nil {
		return nil, err
	}
	v, err := document(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read the steps: %w", err)
	}
	list, ok := v.([]any)
	steps := make([]object, len(list))
	for i, item := range list {
		if steps[i], ok = item.(object); !ok {
			break
		}
	}
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("cannot read the steps: they have to be a list of objects with interface and step, not %s", text)
	}
	return steps, nil
}

// configDrive reads a config drive: a URL or the base64 text of one as they are, else an object.
func configDrive(text string) (any, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none was given
	}
	text, err := content(text)
	if err != nil {
		return nil, err
	}
	if strings.Contains(text, "://") && !strings.ContainsAny(text, "{\n ") {
		return text, nil
	}
	v, err := document(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read the config drive: %w", err)
	}
	return v, nil
}
