package clients_test

import "testing"

// TestRefusalsOfLists: what is wrong with allocations, and with lists of steps and rules.
func TestRefusalsOfLists(t *testing.T) {
	t.Parallel()
	s := start(t)
	furnish(t, s)
	for _, r := range []refusal{
		{"GET", "/v1/allocations/nosuch", nil, 404, "Allocation nosuch could not be found."},
		{"POST", "/v1/allocations", object{"name": "x"}, 400, "*resource_class*"},
		{"POST", "/v1/allocations", object{"resource_class": "big", "name": "al1"}, 409, "*al1*"},
		{"POST", "/v1/allocations", object{"resource_class": "big", "candidate_nodes": []string{"nosuch"}}, 400, "*nosuch*"},
		{"POST", "/v1/allocations", object{"resource_class": "big", "traits": []string{"nope"}}, 400, "*nope*"},
		{"POST", "/v1/allocations", object{"resource_class": "big", "state": "active"}, 400, "*state*"},
		{"PATCH", "/v1/allocations/al1", []object{{"op": "add", "path": "/resource_class", "value": "x"}}, 400, "Cannot patch /resource_class.*"},
		{"GET", "/v1/deploy_templates/nosuch", nil, 404, "*nosuch*"},
		{"POST", "/v1/deploy_templates", object{"name": "wrong", "steps": []object{{"interface": "bios", "step": "x", "args": object{}, "priority": 1}}}, 400, "*wrong*"},
		{"POST", "/v1/deploy_templates", object{"name": "CUSTOM_X", "steps": []object{}}, 400, "*"},
		{"POST", "/v1/deploy_templates", object{"name": "CUSTOM_X", "steps": []object{{"interface": "moon", "step": "x", "args": object{}, "priority": 1}}}, 400, "*moon*"},
		{"POST", "/v1/deploy_templates", object{"name": "CUSTOM_X", "steps": []object{{"interface": "bios", "step": "x", "args": object{}, "priority": -1}}}, 400, "*"},
		{"POST", "/v1/runbooks", object{"name": "CUSTOM_X"}, 400, "*steps*"},
		{"POST", "/v1/runbooks", object{"name": "CUSTOM_B", "steps": []object{{"interface": "bios", "step": "x", "args": object{}, "order": 1}}}, 409, "*CUSTOM_B*"},
		{"PUT", "/v1/runbooks/CUSTOM_B/traits/nope", nil, 400, "*nope*"},
		{"PUT", nodes + uuid(11) + "/states/provision", object{"target": "clean", "runbook": "nosuch"}, 404, "*nosuch*"},
		{"PUT", nodes + uuid(11) + "/states/provision", object{"target": "clean", "runbook": "CUSTOM_B", "clean_steps": []object{{"interface": "bios", "step": "x"}}}, 400, "*"},
		{"GET", "/v1/inspection_rules/" + uuid(90), nil, 404, "*" + uuid(90) + "*"},
		{"POST", "/v1/inspection_rules", object{"actions": []object{}}, 400, "*"},
		{"POST", "/v1/inspection_rules", object{"actions": []object{{"op": "explode", "args": object{}}}}, 400, "*explode*"},
		{"POST", "/v1/inspection_rules", object{"actions": []object{{"op": "fail", "args": object{}}}}, 400, "*msg*"},
		{"POST", "/v1/inspection_rules", object{"actions": []object{{"op": "fail", "args": object{"msg": "x"}}}, "conditions": []object{{"op": "smells", "args": object{}}}}, 400, "*smells*"},
	} {
		s.refuses(t, r)
	}
}
