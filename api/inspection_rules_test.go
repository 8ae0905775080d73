package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func ruleOp(op string, args any, more ...any) map[string]any {
	o := map[string]any{"op": op, "args": args}
	for i := 0; i+1 < len(more); i += 2 {
		o[more[i].(string)] = more[i+1]
	}
	return o
}

func TestInspectionRules(t *testing.T) {
	t.Parallel()
	s := start(t)
	fail := []any{ruleOp("fail", map[string]any{"msg": "no"})}
	a := s.must(t, 201, "POST", "/v1/inspection_rules", map[string]any{
		"description": "d", "priority": 7, "actions": fail, "conditions": []any{ruleOp("!eq", map[string]any{"values": []any{1, 2}}, "loop", []any{1}, "multiple", "all")},
	})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/inspection_rules/"+id, a.Header.Get("Location"))
	require.ElementsMatch(t, []string{"uuid", "description", "priority", "phase", "sensitive", "conditions", "actions", "created_at", "updated_at", "links"}, keys(a.body))
	require.Equal(t, []any{"main", 7.0, false}, []any{a.body["phase"], a.body["priority"], a.body["sensitive"]})
	list, _ := s.must(t, 200, "GET", "/v1/inspection_rules?phase=main", nil).body["inspection_rules"].([]any)
	require.ElementsMatch(t, []string{"uuid", "priority", "phase", "description", "links"}, keys(list[0].(map[string]any)))
	s.must(t, 404, "GET", "/v1/inspection_rules", nil, version("1.95"))
	s.must(t, 405, "POST", "/v1/inspection_rules", nil, version("1.95"))
	s.must(t, 405, "DELETE", "/v1/inspection_rules", nil, version("1.95"))

	s.must(t, 200, "PATCH", "/v1/inspection_rules/"+id, `[{"op": "replace", "path": "/priority", "value": 9}, {"op": "add", "path": "/actions/-", "value": {"op": "add-trait", "args": {"name": "CUSTOM_A"}}}]`)
	a = s.must(t, 200, "GET", "/v1/inspection_rules/"+id, nil)
	require.Len(t, a.body["actions"], 2)
	require.Equal(t, 9.0, a.body["priority"])

	s.must(t, 200, "PATCH", "/v1/inspection_rules/"+id, `[{"op": "replace", "path": "/sensitive", "value": true}]`)
	a = s.must(t, 200, "GET", "/v1/inspection_rules/"+id, nil)
	require.Equal(t, []any{nil, nil}, []any{a.body["actions"], a.body["conditions"]}, "what is sensitive is not shown")
	require.Equal(t, "Inspection rules cannot have the sensitive flag unset.",
		s.must(t, 400, "PATCH", "/v1/inspection_rules/"+id, `[{"op": "replace", "path": "/sensitive", "value": false}]`).fault())

	for _, row := range []struct {
		body  any
		fault string
	}{
		{map[string]any{}, "Schema error for inspection_rule: 'actions' is a required property"},
		{map[string]any{"actions": []any{}}, "[] should be non-empty: a rule needs an action"},
		{map[string]any{"actions": []any{"x"}}, "Schema error for actions: 'x' is not of type 'object'"},
		{map[string]any{"actions": fail, "phase": "early"}, "Invalid phase: early. Valid phases are: main"},
		{map[string]any{"actions": fail, "priority": 10000}, "Priority must be between 0 and 9999 for user-defined rules."},
		{map[string]any{"actions": fail, "priority": -1}, "Priority cannot be negative for user-defined rules."},
		{map[string]any{"actions": fail, "priority": 1.5}, "Schema error for inspection_rule: 1.5 is not of type 'integer'"},
		{map[string]any{"actions": []any{ruleOp("explode", map[string]any{})}}, "Unsupported action operator: explode"},
		{map[string]any{"actions": []any{ruleOp("fail", map[string]any{})}}, "Invalid parameters for action operator fail: missing required argument(s): msg"},
		{map[string]any{"actions": []any{ruleOp("fail", map[string]any{"msg": "x", "loud": true})}}, "Invalid parameters for action operator fail: unexpected argument(s): loud"},
		{map[string]any{"actions": []any{ruleOp("fail", "x")}}, "Invalid parameters for action operator fail: args must be either a list or dictionary"},
		{map[string]any{"actions": []any{ruleOp("fail", []any{"x", "y"})}}, "Invalid parameters for action operator fail: too many arguments: there are msg"},
		{map[string]any{"actions": fail, "conditions": []any{ruleOp("near", map[string]any{})}}, "Unsupported condition operator: near"},
		{map[string]any{"actions": fail, "conditions": []any{ruleOp("eq", map[string]any{"values": []any{}}, "multiple", "some")}}, "some is not one of ['any', 'all', 'first', 'last']"},
		{map[string]any{"actions": fail, "conditions": []any{ruleOp("matches", map[string]any{"value": "x", "regex": "("})}}, "Invalid parameters for condition operator matches: error parsing regexp: missing closing ): `(`"},
		{map[string]any{"actions": fail, "conditions": []any{ruleOp("is-none", map[string]any{"value": 1}, "loop", 1)}}, "Invalid condition operator is-none: 1 is not valid for 'loop'"},
		{map[string]any{"actions": []any{ruleOp("api-call", map[string]any{"url": "http://x", "proxies": map[string]any{}})}}, "Invalid parameters for action operator api-call: unexpected argument(s): proxies"},
	} {
		require.Equal(t, row.fault, s.must(t, 400, "POST", "/v1/inspection_rules", row.body).fault(), "%v", row.body)
	}
	require.Equal(t, "Rule "+nobody+" could not be found.", s.must(t, 404, "GET", "/v1/inspection_rules/"+nobody, nil).fault())
	s.must(t, 204, "DELETE", "/v1/inspection_rules/"+id, nil)
	for range 3 {
		s.must(t, 201, "POST", "/v1/inspection_rules", map[string]any{"actions": fail})
	}
	s.must(t, 204, "DELETE", "/v1/inspection_rules", nil)
	require.Empty(t, s.must(t, 200, "GET", "/v1/inspection_rules", nil).body["inspection_rules"])
}
