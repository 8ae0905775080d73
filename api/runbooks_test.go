package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

func TestRunbooks(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.must(t, 201, "POST", "/v1/runbooks", map[string]any{"name": "night~shift", "description": "d", "steps": []any{step("deploy", "b", "order", "2"), step("deploy", "a", "order", 1)}})
	id, _ := a.body["uuid"].(string)
	require.ElementsMatch(t, []string{"uuid", "name", "description", "steps", "disable_ramdisk", "public", "owner", "traits", "extra", "created_at", "updated_at", "links"}, keys(a.body))
	require.NotContains(t, s.must(t, 200, "GET", "/v1/runbooks/"+id, nil, version("1.111")).body, "traits")
	require.Equal(t, "Schema error for runbook: 'night.shift' is not valid under any of the given schemas",
		s.must(t, 400, "POST", "/v1/runbooks", map[string]any{"name": "night.shift", "steps": []any{step("deploy", "b", "order", 2)}}, version("1.111")).fault())
	require.Equal(t, "Cannot create runbook with invalid name 'night shift'",
		s.must(t, 400, "POST", "/v1/runbooks", map[string]any{"name": "night shift", "steps": []any{step("deploy", "b", "order", 2)}}).fault())
	s.must(t, 404, "GET", "/v1/runbooks", nil, version("1.91"))
	s.must(t, 405, "POST", "/v1/runbooks", nil, version("1.91"))

	traits := func() any { return s.must(t, 200, "GET", "/v1/runbooks/night~shift/traits", nil).body["traits"] }
	s.must(t, 204, "PUT", "/v1/runbooks/night~shift/traits", map[string]any{"traits": []string{"CUSTOM_B", "CUSTOM_A"}})
	require.Equal(t, s.URL+"/v1/runbooks/"+id+"/traits/CUSTOM_C", s.must(t, 204, "PUT", "/v1/runbooks/"+id+"/traits/CUSTOM_C", nil).Header.Get("Location"))
	s.must(t, 204, "DELETE", "/v1/runbooks/"+id+"/traits/CUSTOM_B", nil)
	s.must(t, 204, "DELETE", "/v1/runbooks/"+id+"/traits/CUSTOM_B", nil)
	require.Equal(t, []any{"CUSTOM_A", "CUSTOM_C"}, traits())
	s.must(t, 404, "GET", "/v1/runbooks/"+id+"/traits", nil, version("1.111"))
	s.must(t, 204, "DELETE", "/v1/runbooks/"+id+"/traits", nil)
	require.Equal(t, []any{}, traits())

	s.must(t, 200, "PATCH", "/v1/runbooks/"+id, `[{"op": "add", "path": "/owner", "value": "p1"}]`)
	require.Nil(t, s.must(t, 200, "PATCH", "/v1/runbooks/"+id, `[{"op": "add", "path": "/public", "value": true}]`).body["owner"])
	require.Equal(t, "There cannot be an owner for a public runbook", s.must(t, 400, "PATCH", "/v1/runbooks/"+id, `[{"op": "add", "path": "/owner", "value": "p1"}]`).fault())
	s.must(t, 200, "PATCH", "/v1/runbooks/"+id, `[{"op": "add", "path": "/owner", "value": "p1"}, {"op": "replace", "path": "/public", "value": false}]`)
	s.must(t, 204, "DELETE", "/v1/runbooks/night~shift", nil)
}

// TestRunbooksOfProjects: a project sees its own and the public ones.
func TestRunbooksOfProjects(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.Auth = personas{} })
	steps := []any{step("deploy", "b", "order", 2)}
	s.must(t, 201, "POST", "/v1/runbooks", map[string]any{"name": "mine", "steps": steps}, as("manager@p1"))
	s.must(t, 201, "POST", "/v1/runbooks", map[string]any{"name": "all", "public": true, "steps": steps}, as("admin@system"))
	s.must(t, 400, "POST", "/v1/runbooks", map[string]any{"name": "x", "public": true, "steps": steps}, as("manager@p1"))
	for who, names := range map[string][]any{"manager@p1": {"mine", "all"}, "manager@p2": {"all"}, "admin@system": {"mine", "all"}} {
		var got []any
		list, _ := s.must(t, 200, "GET", "/v1/runbooks", nil, as(who)).body["runbooks"].([]any)
		for _, item := range list {
			got = append(got, item.(map[string]any)["name"])
		}
		require.ElementsMatch(t, names, got, who)
	}
	s.must(t, 200, "GET", "/v1/runbooks/all", nil, as("manager@p2"))
	s.must(t, 403, "PATCH", "/v1/runbooks/all", `[{"op": "add", "path": "/extra/a", "value": 1}]`, as("admin@p1"))
	s.must(t, 403, "DELETE", "/v1/runbooks/all", nil, as("admin@p1"))
	s.must(t, 200, "PATCH", "/v1/runbooks/all", `[{"op": "add", "path": "/extra/a", "value": 1}]`, as("member@system"))
	s.must(t, 404, "GET", "/v1/runbooks/mine", nil, as("manager@p2"))
	s.must(t, 404, "DELETE", "/v1/runbooks/mine", nil, as("manager@p2"))
	s.must(t, 403, "PATCH", "/v1/runbooks/mine", `[{"op": "add", "path": "/public", "value": true}]`, as("manager@p1"))
}

// TestCleanByRunbook: its steps stand for the user's, in their order, on a node that shares a trait with it.
func TestCleanByRunbook(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.enrol(t, "n1")
	book, _ := s.must(t, 201, "POST", "/v1/runbooks", map[string]any{"name": "CUSTOM_BOOK", "disable_ramdisk": true, "steps": []any{step("deploy", "b", "order", 2), step("bios", "a", "order", 1)}}).body["uuid"].(string)
	_, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: id, Change: func(n *ingot.Node) error { n.ProvisionState = ingot.Manageable; return nil }})
	require.NoError(t, err)
	ask := func(status int, vers, body string) string {
		t.Helper()
		return s.must(t, status, "PUT", "/v1/nodes/n1/states/provision", body, version(vers)).fault()
	}
	clean := `{"target": "clean", "runbook": "CUSTOM_BOOK"}`
	require.Equal(t, "Runbook nope could not be found.", ask(404, "1.115", `{"target": "clean", "runbook": "nope"}`))
	ask(406, "1.91", clean)
	require.Equal(t, "Runbook "+book+" has no traits configured. Please ask an administrator to add traits to the runbook.", ask(400, "1.112", clean))
	require.Contains(t, ask(400, "1.111", clean), "This runbook has not been approved for use on this node "+id)
	s.must(t, 204, "PUT", "/v1/runbooks/CUSTOM_BOOK/traits/CUSTOM_X", nil)
	require.Contains(t, ask(400, "1.112", clean), "The node does not have any of the runbook's traits ['CUSTOM_X']")
	s.must(t, 204, "PUT", "/v1/nodes/n1/traits", map[string]any{"traits": []string{"CUSTOM_X", "CUSTOM_BOOK"}})
	require.Equal(t, `Please provide either "clean_steps" or a runbook, but not both.`, ask(400, "1.112", `{"target": "clean", "runbook": "CUSTOM_BOOK", "clean_steps": [{"interface": "deploy", "step": "b"}]}`))
	require.Contains(t, ask(400, "1.112", `{"target": "provide", "runbook": "CUSTOM_BOOK"}`), `"runbooks" is only valid when setting target provision state to any of`)
	for _, vers := range []string{"1.92", "1.112"} {
		ask(202, vers, clean)
		asked := s.Conductor.asked[len(s.Conductor.asked)-1]
		require.True(t, asked.DisableRamdisk)
		require.Equal(t, []any{"a", "b"}, []any{asked.CleanSteps[0]["step"], asked.CleanSteps[1]["step"]})
	}
}
