package api_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingot-metal/ingot/api"
)

// TestAppendJSON holds the quick encoder against encoding/json.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	type other struct {
		A int `json:"a"`
	}
	same := func(t require.TestingT, v any) {
		want, err := json.Marshal(v)
		require.NoError(t, err)
		got, err := api.AppendJSON(nil, v)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	for _, v := range []any{
		nil, true, "", "a<b>&\"\\\n\u2028é\xff", 0, int64(-5), 1e21, 0.1, math.Copysign(0, -1), float64(1 << 53), -3.0, json.Number("12345678901234567890"),
		map[string]any(nil), []any(nil), []string(nil),
		map[string]string{"b": "2", "a": "1"},
		[]map[string]string{{"href": "http://x/?a&b"}},
		[]map[string]any{{"x": []any{1.5, "y", nil}}, nil},
		other{3},
		&other{4},
		map[string]int{"n": 1},
	} {
		same(t, v)
	}
	_, err := api.AppendJSON(nil, map[string]any{"x": math.NaN()})
	require.Error(t, err)
	values := rapid.Deferred(func() *rapid.Generator[any] {
		leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Float64().AsAny(), rapid.Int64().AsAny())
		inner := rapid.OneOf(leaf, rapid.SliceOfN(leaf, 0, 4).AsAny(), rapid.MapOfN(rapid.String(), leaf, 0, 4).AsAny())
		return rapid.OneOf(leaf, rapid.SliceOfN(inner, 0, 4).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 4).AsAny())
	})
	rapid.Check(t, func(t *rapid.T) { same(t, values.Draw(t, "value")) })
}
