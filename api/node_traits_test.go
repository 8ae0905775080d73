package api_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func TestNodeTraits(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.enrol(t, "n1")
	traits := func() any { return s.must(t, 200, "GET", "/v1/nodes/n1/traits", nil).body["traits"] }
	require.Equal(t, []any{}, traits())

	s.must(t, 204, "PUT", "/v1/nodes/n1/traits", map[string]any{"traits": []string{"HW_CPU_X86_VMX", "CUSTOM_B", "CUSTOM_B"}})
	require.Equal(t, []any{"CUSTOM_B", "HW_CPU_X86_VMX"}, traits())
	a := s.must(t, 204, "PUT", "/v1/nodes/n1/traits/CUSTOM_A", nil)
	require.Equal(t, s.URL+"/v1/nodes/n1/traits/CUSTOM_A", a.Header.Get("Location"))
	s.must(t, 204, "PUT", "/v1/nodes/n1/traits/CUSTOM_A", "{}")
	require.Equal(t, []any{"CUSTOM_A", "CUSTOM_B", "HW_CPU_X86_VMX"}, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["traits"])
	s.must(t, 204, "DELETE", "/v1/nodes/n1/traits/CUSTOM_B", nil)
	a = s.must(t, 404, "DELETE", "/v1/nodes/n1/traits/CUSTOM_B", nil)
	require.Equal(t, "Node "+id+" doesn't have a trait 'CUSTOM_B'", a.fault())
	s.must(t, 204, "DELETE", "/v1/nodes/n1/traits", nil)
	require.Equal(t, []any{}, traits())
	s.must(t, 404, "GET", "/v1/nodes/n1/traits", nil, version("1.36"))
	require.NotContains(t, s.must(t, 200, "GET", "/v1/nodes/n1", nil, version("1.36")).body, "traits")
}

func TestNodeTraitsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.enrol(t, "n1")
	for _, c := range []struct {
		path, fault string
		body        any
	}{
		{"/nope", "Schema error for trait: 'nope' is not valid under any of the given schemas", nil},
		{"/CUSTOM_A", "No body should be provided when adding a trait", map[string]any{"traits": []string{"CUSTOM_A"}}},
		{"", "Schema error for body: 'nope' is not valid under any of the given schemas", map[string]any{"traits": []string{"nope"}}},
		{"", "Schema error for body: 'CUSTOM_A' is not of type 'array'", map[string]any{"traits": "CUSTOM_A"}},
		{"", "Schema error for body: 1 is not of type 'string'", map[string]any{"traits": []any{1}}},
		{"", "Schema error for body: [] is not of type 'object'", []any{}},
		{"", "Schema error for body: Additional properties are not allowed ('a' was unexpected)", map[string]any{"a": 1}},
	} {
		require.Equal(t, c.fault, s.must(t, 400, "PUT", "/v1/nodes/n1/traits"+c.path, c.body).fault())
	}
	require.Contains(t, s.must(t, 400, "PUT", "/v1/nodes/n1/traits", nil).fault(), "A single node trait may be added via PUT")

	many := make([]string, ingot.MaxTraits)
	for i := range many {
		many[i] = fmt.Sprintf("CUSTOM_%d", i)
	}
	s.must(t, 204, "PUT", "/v1/nodes/n1/traits", map[string]any{"traits": many})
	require.Equal(t, "Could not modify traits for node "+id+" as it would exceed the maximum number of traits per node (51 vs. 50)",
		s.must(t, 400, "PUT", "/v1/nodes/n1/traits/CUSTOM_X", nil).fault())
	s.must(t, 204, "PUT", "/v1/nodes/n1/traits/CUSTOM_7", nil)
}
