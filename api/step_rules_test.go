package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// TestStepRules: steps with a rule are for those whom it names, on a node and in a runbook; a runbook that the operator made
// is approved as it is.
func TestStepRules(t *testing.T) {
	t.Parallel()
	rules, err := api.ParseStepRules(map[string][]string{"bios.factory_reset": {"system:admin", "owner:manager"}, "raid.delete_configuration": {}})
	require.NoError(t, err)
	s := policed(t, func(a *api.API) { a.StepRules = rules })
	node, _ := s.must(t, 200, "GET", "/v1/nodes/owned", nil, as("admin@system")).body["uuid"].(string)
	s.set(t, node, func(n *ingot.Node) { n.Traits = []string{"CUSTOM_A"} })
	ask := func(status int, who, body string) string {
		t.Helper()
		s.set(t, node, func(n *ingot.Node) { n.ProvisionState = ingot.Manageable })
		return s.must(t, status, "PUT", "/v1/nodes/owned/states/provision", body, as(who)).fault()
	}
	const reset, other = `{"interface": "bios", "step": "factory_reset"}`, `{"interface": "deploy", "step": "erase_devices"}`
	const denied = "insufficient privileges to execute step factory_reset on interface bios"
	clean := func(steps string) string { return `{"target": "clean", "clean_steps": [` + steps + `]}` }
	ask(202, "manager@p2", clean(other))
	ask(202, "admin@p1", clean(reset))
	ask(202, "admin@system", clean(reset))
	require.Equal(t, denied, ask(403, "manager@p2", clean(reset)), "a lessee")
	require.Equal(t, denied, ask(403, "member@p1", clean(other+", "+reset)), "a member of the owner")
	require.Contains(t, ask(403, "admin@system", clean(`{"interface": "raid", "step": "delete_configuration"}`)), "delete_configuration on interface raid")
	s.set(t, node, func(n *ingot.Node) { n.ProvisionState = ingot.Available })
	require.Equal(t, denied, s.must(t, 403, "PUT", "/v1/nodes/owned/states/provision",
		`{"target": "active", "deploy_steps": [{"interface": "bios", "step": "factory_reset", "args": {}, "priority": 10}]}`, as("manager@p2")).fault())

	book := func(status int, who, name, step string) string {
		t.Helper()
		return s.must(t, status, "POST", "/v1/runbooks", map[string]any{"name": name, "steps": []any{
			map[string]any{"interface": "bios", "step": step, "args": map[string]any{}, "order": 1},
		}}, as(who)).fault()
	}
	book(201, "manager@p1", "mine", "apply_configuration")
	require.Equal(t, denied, book(403, "manager@p1", "reset", "factory_reset"), "no node, and so nobody's owner")
	book(201, "admin@system", "reset", "factory_reset")
	require.Equal(t, denied, s.must(t, 403, "PATCH", "/v1/runbooks/mine", `[{"op": "replace", "path": "/steps/0/step", "value": "factory_reset"}]`, as("manager@p1")).fault())
	s.must(t, 200, "PATCH", "/v1/runbooks/mine", `[{"op": "add", "path": "/description", "value": "x"}]`, as("manager@p1"))
	s.must(t, 200, "PATCH", "/v1/runbooks/reset", `[{"op": "add", "path": "/public", "value": true}]`, as("admin@system"))
	s.must(t, 204, "PUT", "/v1/runbooks/reset/traits/CUSTOM_A", nil, as("admin@system"))
	ask(202, "manager@p2", `{"target": "clean", "runbook": "reset"}`)
	ask(202, "service@p1", `{"target": "clean", "runbook": "reset"}`)
	require.Contains(t, ask(403, "member@p1", `{"target": "clean", "runbook": "reset"}`), "baremetal:runbook:use", "of a project's own runbook neither")
}

func TestStepRulesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for step, word := range map[string]string{"factory_reset": "system:admin", "bios.": "system:admin", "nope.x": "system:admin", "bios.x": "root", "bios.y": "system:nobody", "bios.z": "world:admin"} {
		_, err := api.ParseStepRules(map[string][]string{step: {word}})
		require.ErrorContains(t, err, "cannot use the rule of step", "%s = %s", step, word)
	}
}
