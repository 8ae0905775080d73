package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func step(interfaceName, name string, more ...any) map[string]any {
	s := map[string]any{"interface": interfaceName, "step": name, "args": map[string]any{}}
	for i := 0; i+1 < len(more); i += 2 {
		s[more[i].(string)] = more[i+1]
	}
	return s
}

func TestDeployTemplates(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.must(t, 201, "POST", "/v1/deploy_templates", map[string]any{
		"name": "CUSTOM_FAST", "extra": map[string]any{"a": 1}, "description": "d",
		"steps": []any{step("bios", "apply_configuration", "priority", "150", "args", map[string]any{"password": "p", "settings": []any{1}})},
	})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/deploy_templates/"+id, a.Header.Get("Location"))
	require.ElementsMatch(t, []string{"uuid", "name", "description", "steps", "extra", "created_at", "updated_at", "links"}, keys(a.body))
	require.Equal(t, []any{map[string]any{"interface": "bios", "step": "apply_configuration", "priority": 150.0, "args": map[string]any{"password": "******", "settings": []any{1.0}}}}, a.body["steps"])
	require.Equal(t, a.body["steps"], s.must(t, 200, "GET", "/v1/deploy_templates/CUSTOM_FAST", nil).body["steps"])

	list, _ := s.must(t, 200, "GET", "/v1/deploy_templates", nil).body["deploy_templates"].([]any)
	require.ElementsMatch(t, []string{"uuid", "name", "links"}, keys(list[0].(map[string]any)))
	list, _ = s.must(t, 200, "GET", "/v1/deploy_templates?detail=true", nil).body["deploy_templates"].([]any)
	require.Contains(t, keys(list[0].(map[string]any)), "steps")

	s.must(t, 200, "PATCH", "/v1/deploy_templates/"+id, []any{
		map[string]any{"op": "add", "path": "/steps/-", "value": step("deploy", "x", "priority", 0)},
		map[string]any{"op": "replace", "path": "/steps/0/priority", "value": 20},
		map[string]any{"op": "replace", "path": "/name", "value": "CUSTOM_SLOW"},
	})
	stored, err := s.Store.Templates().Get(t.Context(), "CUSTOM_SLOW")
	require.NoError(t, err)
	require.Len(t, stored.Steps, 2)
	require.Equal(t, 20.0, stored.Steps[0]["priority"])
	require.EqualValues(t, "p", stored.Steps[0]["args"].(map[string]any)["password"], "a secret is kept through a patch of its neighbour")

	for _, row := range []struct {
		status             int
		method, path, vers string
		body               any
		fault              string
	}{
		{404, "GET", "/v1/deploy_templates", "1.54", nil, ""},
		{404, "GET", "/v1/deploy_templates/" + id, "1.54", nil, ""},
		{405, "POST", "/v1/deploy_templates", "1.54", map[string]any{}, ""},
		{405, "DELETE", "/v1/deploy_templates/" + id, "1.54", nil, ""},
		{404, "GET", "/v1/deploy_templates/CUSTOM_FAST", "1.55", nil, "Deploy template CUSTOM_FAST could not be found."},
		{409, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_SLOW", "steps": []any{step("deploy", "x", "priority", 1)}}, "A deploy template with name CUSTOM_SLOW already exists."},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "nope", "steps": []any{step("deploy", "x", "priority", 1)}}, "Schema error for template: 'nope' is not valid under any of the given schemas"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A"}, "Schema error for deploy_template: 'steps' is a required property"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": nil}, "Schema error for deploy_template: None is not of type 'array'"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": []any{}}, "Schema error for steps: [] is too short"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": "x"}, "Schema error for deploy_template: 'x' is not of type 'array'"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": []any{step("deploy", "x")}}, "Invalid steps: 'priority' is a required property"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": []any{step("nope", "x", "priority", 1)}}, "Invalid steps: 'nope' is not valid for 'interface'"},
		{400, "POST", "/v1/deploy_templates", "1.55", map[string]any{"name": "CUSTOM_A", "steps": []any{step("deploy", "x", "priority", 1), step("deploy", "x", "priority", 2)}}, "Deploy template invalid: Duplicate deploy steps. A template cannot have multiple deploy steps with the same interface and step. Duplicates: interface: deploy, step: x."},
		{400, "PATCH", "/v1/deploy_templates/" + id, "1.55", `[{"op": "remove", "path": "/steps"}]`, "Schema error for patch: 'steps' is a required property"},
		{400, "PATCH", "/v1/deploy_templates/" + id, "1.55", `[{"op": "replace", "path": "/steps/0/priority", "value": -1}]`, "Invalid steps: -1 is not valid for 'priority'"},
		{400, "PATCH", "/v1/deploy_templates/" + id, "1.55", `[{"op": "replace", "path": "/uuid", "value": "x"}]`, "Cannot patch /uuid. Only the following can be updated: description, extra, name, steps"},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body, version(row.vers))
		if row.fault != "" {
			require.Equal(t, row.fault, a.fault(), "%s %s %v", row.method, row.path, row.body)
		}
	}
	for vers, listed := range map[string]bool{"1.54": false, "1.55": true} {
		_, has := s.must(t, 200, "GET", "/v1", nil, version(vers)).body["deploy_templates"]
		require.Equal(t, listed, has, vers)
	}
	s.must(t, 204, "DELETE", "/v1/deploy_templates/CUSTOM_SLOW", nil)
	s.must(t, 404, "DELETE", "/v1/deploy_templates/"+id, nil)
}
