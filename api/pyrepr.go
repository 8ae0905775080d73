package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// repr writes a JSON value as Python does, for the sentences of Ironic that quote what the client sent. Keys come in
// alphabetical order, and secrets as stars.
func repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return reprString(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = repr(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for i, key := range keys {
			value := v[key]
			if _, text := value.(string); text && ingot.SecretKey(key) {
				value = ingot.Stars
			}
			keys[i] = reprString(key) + ": " + repr(value)
		}
		return "{" + strings.Join(keys, ", ") + "}"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(text)
}

func reprString(s string) string {
	quote := `'`
	if strings.Contains(s, `'`) && !strings.Contains(s, `"`) {
		quote = `"`
	} else {
		s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `'`, `\'`)
	}
	return quote + strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + quote
}

// reprWords is a list of words in quotes, without brackets.
func reprWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = reprString(word)
	}
	return strings.Join(quoted, ", ")
}
