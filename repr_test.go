package ingot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestRepr holds the text of values against what Python 3 prints for them.
func TestRepr(t *testing.T) {
	t.Parallel()
	stars := func(key string, v any) any {
		if key == "password" {
			return "***"
		}
		return v
	}
	for want, v := range map[string]any{
		"None": nil, "True": true, "False": false, "8192": 8192.0, "-3": -3.0, "0.5": 0.5, "1e-07": 1e-07, "123456789012345680": 123456789012345678.0, "''": "",
		`'it'`: "it", `"it's"`: "it's", `'it\'s "so"'`: `it's "so"`, `'a\nb'`: "a\nb", "[1, 'a', None]": []any{1.0, "a", nil}, "[]": []any{}, "{}": map[string]any{},
		"{'a': {'password': '***'}, 'b': [True]}": map[string]any{"b": []any{true}, "a": map[string]any{"password": "x"}},
	} {
		require.Equal(t, want, ingot.Repr(v, stars))
	}
}
