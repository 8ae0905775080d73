package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestChassis: a chassis' life, which is that of every simple resource.
func TestChassis(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.must(t, 201, "POST", "/v1/chassis", map[string]any{"description": "left", "extra": map[string]any{"row": 4}})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/chassis/"+id, a.Header.Get("Location"))
	require.ElementsMatch(t, []string{"uuid", "description", "extra", "nodes", "created_at", "updated_at", "links"}, keys(a.body))
	nodes, _ := a.body["nodes"].([]any)
	require.Equal(t, s.URL+"/v1/chassis/"+id+"/nodes", nodes[0].(map[string]any)["href"])
	other, _ := s.must(t, 201, "POST", "/v1/chassis", nil).body["uuid"].(string)

	list, _ := s.must(t, 200, "GET", "/v1/chassis", nil).body["chassis"].([]any)
	require.Len(t, list, 2)
	require.ElementsMatch(t, []string{"uuid", "description", "links"}, keys(list[0].(map[string]any)))
	list, _ = s.must(t, 200, "GET", "/v1/chassis/detail", nil).body["chassis"].([]any)
	require.Contains(t, keys(list[0].(map[string]any)), "extra")
	list, _ = s.must(t, 200, "GET", "/v1/chassis?fields=nodes,extra&sort_key=description&sort_dir=desc", nil).body["chassis"].([]any)
	require.ElementsMatch(t, []string{"nodes", "extra", "links"}, keys(list[0].(map[string]any)))
	page := s.must(t, 200, "GET", "/v1/chassis?limit=1", nil)
	require.Equal(t, s.URL+"/v1/chassis?limit=1&marker="+id, page.body["next"])
	list, _ = s.must(t, 200, "GET", "/v1/chassis?limit=1&marker="+id, nil).body["chassis"].([]any)
	require.Equal(t, other, list[0].(map[string]any)["uuid"])

	for _, row := range []struct {
		status       int
		method, path string
		body         any
		fault        string
	}{
		{404, "GET", "/v1/chassis/" + nobody, nil, "Chassis " + nobody + " could not be found."},
		{400, "GET", "/v1/chassis/left", nil, "Expected UUID for chassis: left"},
		{404, "GET", "/v1/chassis?marker=" + nobody, nil, "Chassis " + nobody + " could not be found."},
		{400, "GET", "/v1/chassis?sort_key=extra", nil, "The sort_key value extra is an invalid field for sorting"},
		{400, "GET", "/v1/chassis?fields=nope", nil, "Field nope is not a valid field."},
		{409, "POST", "/v1/chassis", map[string]any{"uuid": id}, "A chassis with UUID " + id + " already exists."},
		{400, "POST", "/v1/chassis", map[string]any{"nope": 1}, "Schema error for chassis: Additional properties are not allowed ('nope' was unexpected)"},
		{400, "PATCH", "/v1/chassis/" + id, `[{"op": "replace", "path": "/uuid", "value": "` + nobody + `"}]`, "Cannot patch /uuid. Only the following can be updated: description, extra"},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body)
		require.Equal(t, row.fault, a.fault(), "%s %s", row.method, row.path)
	}
	s.must(t, 200, "PATCH", "/v1/chassis/"+id, `[{"op": "replace", "path": "/description", "value": "right"}, {"op": "remove", "path": "/extra/row"}]`)
	a = s.must(t, 200, "GET", "/v1/chassis/"+id+"?fields=description,extra", nil)
	require.Equal(t, "right", a.body["description"])
	require.Equal(t, map[string]any{}, a.body["extra"])
	require.Contains(t, s.must(t, 200, "GET", "/v1", nil).body, "chassis")
	s.must(t, 204, "DELETE", "/v1/chassis/"+other, nil)
	s.must(t, 404, "DELETE", "/v1/chassis/"+other, nil)
}

// TestChassisOfNodes: a node names a chassis that is there, and the chassis lists it.
func TestChassisOfNodes(t *testing.T) {
	t.Parallel()
	s := start(t)
	id, _ := s.must(t, 201, "POST", "/v1/chassis", nil).body["uuid"].(string)
	s.enrol(t, "n1")
	s.must(t, 201, "POST", "/v1/nodes", map[string]any{"driver": "fake-hardware", "name": "n2", "chassis_uuid": id})
	require.Equal(t, "Chassis "+nobody+" could not be found.", s.must(t, 400, "POST", "/v1/nodes", map[string]any{"driver": "fake-hardware", "chassis_uuid": nobody}).fault())
	for path, want := range map[string]int{
		"/v1/chassis/" + id + "/nodes": 1, "/v1/chassis/" + id + "/nodes/detail": 1, "/v1/nodes?chassis_uuid=" + id: 1, "/v1/nodes": 2,
		"/v1/chassis/" + id + "/nodes?maintenance=true": 0,
	} {
		require.Len(t, s.must(t, 200, "GET", path, nil).body["nodes"], want, path)
	}
	s.must(t, 404, "GET", "/v1/chassis/"+nobody+"/nodes", nil)
	require.Equal(t, "Chassis "+nobody+" could not be found.", s.must(t, 404, "GET", "/v1/nodes?chassis_uuid="+nobody, nil).fault())
	require.Equal(t, "Cannot complete the requested action because chassis "+id+" contains nodes.", s.must(t, 400, "DELETE", "/v1/chassis/"+id, nil).fault())
	s.must(t, 400, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/chassis_uuid", "value": "`+nobody+`"}]`)
	s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/chassis_uuid", "value": "`+id+`"}]`)
	next := s.must(t, 200, "GET", "/v1/chassis/"+id+"/nodes?limit=1", nil).body["next"]
	require.Contains(t, next, s.URL+"/v1/chassis/"+id+"/nodes?limit=1&marker=")
	s.must(t, 406, "PATCH", "/v1/nodes/n1", `[{"op": "remove", "path": "/chassis_uuid"}]`, version("1.24"))
	for _, node := range []string{"n1", "n2"} {
		s.must(t, 200, "PATCH", "/v1/nodes/"+node, `[{"op": "remove", "path": "/chassis_uuid"}]`)
	}
	s.must(t, 204, "DELETE", "/v1/chassis/"+id, nil)
}
