package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestPorts: a port's life.
func TestPorts(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	other := s.enrol(t, "n2")
	a := s.must(t, 201, "POST", "/v1/ports", map[string]any{
		"node_ident": "n1", "address": "52:54:00:AA:00:01", "name": "p1",
		"local_link_connection": map[string]any{"switch_id": "0A:1B:2C:3D:4E:5F", "port_id": "Ethernet1"}, "physical_network": "net1",
	})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/ports/"+id, a.Header.Get("Location"))
	require.Equal(t, "52:54:00:aa:00:01", a.body["address"])
	require.Equal(t, true, a.body["pxe_enabled"])
	require.Equal(t, "0a:1b:2c:3d:4e:5f", a.body["local_link_connection"].(map[string]any)["switch_id"])
	s.must(t, 201, "POST", "/v1/ports", map[string]any{"node_uuid": other, "address": "52:54:00:aa:00:02", "pxe_enabled": "no"}, version("1.87"))

	for path, want := range map[string]int{
		"/v1/ports": 2, "/v1/ports/detail": 2, "/v1/ports?node=n1": 1, "/v1/ports?node_uuid=" + uuid: 1, "/v1/nodes/n1/ports": 1,
		"/v1/nodes/n1/ports/detail": 1, "/v1/ports?address=52:54:00:AA:00:02": 1, "/v1/ports?limit=1": 1, "/v1/ports?description_contains=x": 0,
	} {
		require.Len(t, s.must(t, 200, "GET", path, nil).body["ports"], want, path)
	}
	s.must(t, 404, "GET", "/v1/ports?node=nosuch", nil)
	list, _ := s.must(t, 200, "GET", "/v1/ports", nil).body["ports"].([]any)
	require.ElementsMatch(t, []string{"uuid", "address", "links"}, keys(list[0].(map[string]any)))
	require.ElementsMatch(t, []string{"uuid", "address", "node_uuid", "extra", "created_at", "updated_at", "links"},
		keys(s.must(t, 200, "GET", "/v1/ports/"+id, nil, version("1.17")).body))
	require.Equal(t, id, s.must(t, 200, "GET", "/v1/ports/p1", nil).body["uuid"])
	s.must(t, 404, "GET", "/v1/ports/p1", nil, version("1.87"))

	s.must(t, 200, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/extra", "value": {"a": 1}}, {"op": "replace", "path": "/node_uuid", "value": "`+other+`"}]`)
	require.Len(t, s.must(t, 200, "GET", "/v1/nodes/n2/ports", nil).body["ports"], 2)
	s.must(t, 409, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/address", "value": "52:54:00:aa:00:02"}]`)
	s.must(t, 400, "PATCH", "/v1/ports/p1", `[{"op": "remove", "path": "/address"}]`)
	s.must(t, 400, "PATCH", "/v1/ports/p1", `[{"op": "remove", "path": "/node_uuid"}]`)
	s.must(t, 400, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/node_uuid", "value": "`+nobody+`"}]`)
	s.must(t, 400, "PATCH", "/v1/ports/p1", `[{"op": "add", "path": "/uuid", "value": "`+nobody+`"}]`)
	s.must(t, 400, "PATCH", "/v1/ports/p1", `[{"op": "add", "path": "/physical_network", "value": ""}]`)
	s.must(t, 406, "PATCH", "/v1/ports/"+id, `[{"op": "add", "path": "/physical_network", "value": "x"}]`, version("1.33"))

	s.set(t, other, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	s.must(t, 409, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/address", "value": "52:54:00:aa:00:03"}]`)
	s.must(t, 409, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/pxe_enabled", "value": false}]`)
	s.must(t, 200, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/extra", "value": {}}]`)
	s.set(t, other, func(n *ingot.Node) { n.Maintenance = true })
	s.must(t, 200, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/pxe_enabled", "value": false}]`)
	s.set(t, other, func(n *ingot.Node) { n.Reservation = "host1" })
	s.must(t, 409, "DELETE", "/v1/ports/p1", nil)
	s.set(t, other, func(n *ingot.Node) { n.Reservation = "" })
	s.must(t, 204, "DELETE", "/v1/ports/p1", nil)
	s.must(t, 404, "DELETE", "/v1/ports/p1", nil)
}
