package ingot

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Repr writes a JSON value as Python's repr does, for the sentences and rules of Ironic that quote one. Keys come in
// alphabetical order; mask gives what is shown of the value under a key.
func Repr(v any, mask func(key string, value any) any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return ReprString(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 { // Python reads a whole number as an int
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = Repr(item, mask)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, ReprString(key)+": "+Repr(mask(key, v[key]), mask))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(text)
}

// controls are written as Python does.
var controls = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)

// ReprString is a text in the quotes that Python gives it.
func ReprString(s string) string {
	quote := `'`
	if strings.Contains(s, `'`) && !strings.Contains(s, `"`) {
		quote = `"`
	} else {
		s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `'`, `\'`)
	}
	return quote + controls.Replace(s) + quote
}
