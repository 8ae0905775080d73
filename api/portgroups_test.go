package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestPortgroups: a port group's life.
func TestPortgroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid, other := s.enrol(t, "n1"), s.enrol(t, "n2")
	a := s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "address": "52:54:00:BB:00:01", "name": "bond0"})
	id, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/portgroups/"+id, a.Header.Get("Location"))
	require.Equal(t, "active-backup", a.body["mode"])
	require.Equal(t, true, a.body["standalone_ports_supported"])
	require.Equal(t, false, a.body["dynamic_portgroup"])
	require.Equal(t, "52:54:00:bb:00:01", a.body["address"])
	s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": other})

	for path, want := range map[string]int{
		"/v1/portgroups": 2, "/v1/portgroups/detail": 2, "/v1/portgroups?node=n1": 1, "/v1/portgroups?address=52:54:00:bb:00:01": 1, "/v1/portgroups?limit=1": 1,
		"/v1/nodes/n1/portgroups": 1, "/v1/nodes/n1/portgroups/detail": 1, "/v1/portgroups?shard=s9": 0, "/v1/portgroups?conductor_groups=far": 0,
	} {
		require.Len(t, s.must(t, 200, "GET", path, nil).body["portgroups"], want, path)
	}
	list, _ := s.must(t, 200, "GET", "/v1/portgroups", nil).body["portgroups"].([]any)
	require.ElementsMatch(t, []string{"uuid", "address", "name", "links"}, keys(list[0].(map[string]any)))
	require.ElementsMatch(t, []string{"uuid", "address", "name", "node_uuid", "standalone_ports_supported", "extra", "internal_info", "ports", "created_at", "updated_at", "links"},
		keys(s.must(t, 200, "GET", "/v1/portgroups/bond0", nil, version("1.23")).body))
	require.Contains(t, s.must(t, 200, "GET", "/v1", nil, version("1.23")).body, "portgroups")
	require.NotContains(t, s.must(t, 200, "GET", "/v1", nil, version("1.22")).body, "portgroups")

	group := "/v1/portgroups/" + id
	for _, row := range []struct {
		status       int
		method, path string
		body         any
		fault        string
		version      string
	}{
		{404, "GET", "/v1/portgroups", nil, "Resource could not be found.", "1.22"},
		{404, "GET", "/v1/portgroups/nosuch", nil, "Portgroup nosuch could not be found.", "1.115"},
		{400, "GET", "/v1/portgroups/bad%20name", nil, "Expected UUID or name for portgroup: bad name", "1.115"},
		{404, "GET", group + "/ports", nil, "", "1.23"},
		{404, "GET", "/v1/nodes/n1/portgroups", nil, "", "1.23"},
		{406, "GET", "/v1/portgroups?shard=s1", nil, "Request not acceptable. The minimal required API version should be 1.106", "1.105"},
		{400, "GET", "/v1/portgroups?node=n1&shard=s1", nil, "Filtering by node, address, or shard simultaneously is not supported.", "1.115"},
		{400, "GET", "/v1/portgroups?sort_key=properties", nil, "The sort_key value properties is an invalid field for sorting", "1.115"},
		{406, "GET", "/v1/portgroups?fields=mode", nil, "Request not acceptable.", "1.25"},
		{400, "POST", "/v1/portgroups", map[string]any{"name": "x"}, "Schema error for portgroup: 'node_uuid' is a required property", "1.115"},
		{400, "POST", "/v1/portgroups", map[string]any{"node_uuid": nobody}, "Node " + nobody + " could not be found.", "1.115"},
		{400, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "name": "bad name"}, "Cannot create portgroup with invalid name 'bad name'", "1.115"},
		{409, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "name": "bond0"}, "A portgroup with name bond0 already exists. It is port group " + id + " of node " + uuid + ".", "1.115"},
		{406, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "mode": "802.3ad"}, "Request not acceptable.", "1.25"},
		{400, "PATCH", group, `[{"op": "remove", "path": "/mode"}]`, "'mode' is a mandatory attribute and can not be removed", "1.115"},
		{400, "PATCH", group, `[{"op": "replace", "path": "/name", "value": "bad name"}]`, "Portgroup " + id + ": Cannot change name to invalid name 'bad name'", "1.115"},
		{400, "PATCH", group, `[{"op": "replace", "path": "/dynamic_portgroup", "value": true}]`, "Cannot patch /dynamic_portgroup. Only the following can be updated: " +
			"address, category, extra, mode, name, node_uuid, physical_network, properties, standalone_ports_supported", "1.115"},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body, version(row.version))
		require.Equal(t, row.fault, a.fault(), "%s %s", row.method, row.path)
	}

	s.must(t, 200, "PATCH", group, `[{"op": "replace", "path": "/mode", "value": "802.3ad"}, {"op": "add", "path": "/properties/miimon", "value": "100"}]`)
	s.set(t, other, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	s.must(t, 409, "PATCH", group, `[{"op": "replace", "path": "/node_uuid", "value": "`+other+`"}]`)
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "host1" })
	s.must(t, 409, "PATCH", group, `[{"op": "replace", "path": "/extra", "value": {}}]`)
	s.must(t, 409, "DELETE", group, nil)
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "" })
	s.must(t, 204, "DELETE", "/v1/portgroups/bond0", nil)
}

// TestPortsInGroups: which ports a group takes, and how they are listed.
func TestPortsInGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	theirs := s.enrol(t, "n2")
	s.set(t, uuid, func(n *ingot.Node) { n.Interfaces.Network, n.Shard, n.ConductorGroup = "flat", "s1", "far" })
	group := func(node string, more map[string]any) string {
		more["node_uuid"] = node
		id, _ := s.must(t, 201, "POST", "/v1/portgroups", more).body["uuid"].(string)
		return id
	}
	id, strict, far := group(uuid, map[string]any{"name": "bond0"}), group(uuid, map[string]any{"standalone_ports_supported": false}), group(theirs, map[string]any{})
	port := map[string]any{"node_uuid": uuid, "address": "52:54:00:aa:00:01", "name": "p1", "portgroup_uuid": id, "physical_network": "net1", "vendor": "v", "category": "c", "available_for_dynamic_portgroup": false}
	a := s.must(t, 201, "POST", "/v1/ports", port)
	require.Equal(t, id, a.body["portgroup_uuid"])
	require.Equal(t, "v", a.body["vendor"])
	require.Equal(t, false, a.body["available_for_dynamic_portgroup"])
	for path, want := range map[string]int{
		"/v1/portgroups/bond0/ports": 1, "/v1/portgroups/" + id + "/ports/detail": 1, "/v1/portgroups/" + strict + "/ports": 0, "/v1/ports?portgroup=bond0": 1,
		"/v1/ports?shard=s1,s2": 1, "/v1/ports?shard=s2": 0, "/v1/ports?conductor_groups=far": 1, "/v1/ports?conductor_groups=near": 0,
	} {
		require.Len(t, s.must(t, 200, "GET", path, nil).body["ports"], want, path)
	}
	post := func(more map[string]any) map[string]any {
		all := map[string]any{"node_uuid": uuid, "address": "52:54:00:aa:00:02"}
		for key, v := range more {
			all[key] = v
		}
		return all
	}
	for _, row := range []struct {
		status       int
		method, path string
		body         any
		fault        string
	}{
		{404, "GET", "/v1/ports?portgroup=nosuch", nil, "Portgroup nosuch could not be found."},
		{403, "GET", "/v1/ports?portgroup=bond0&node=n1", nil, "Operation not permitted."},
		{403, "GET", "/v1/nodes/n1/ports?shard=s1", nil, "Operation not permitted."},
		{400, "GET", "/v1/ports?conductor_groups=far&node=n1", nil, "Filtering by conductor_groups cannot be combined with node_ident, portgroup_ident, or node address filters."},
		{400, "POST", "/v1/ports", post(map[string]any{"portgroup_uuid": nobody}), "Portgroup " + nobody + " could not be found."},
		{400, "POST", "/v1/ports", post(map[string]any{"portgroup_uuid": far}), "Port can not be added to a portgroup belonging to a different node."},
		{409, "POST", "/v1/ports", post(map[string]any{"portgroup_uuid": id}), "Port with physical network None cannot become a member of port group " + id + " which has ports in physical network net1."},
		{409, "POST", "/v1/ports", post(map[string]any{"portgroup_uuid": strict, "pxe_enabled": true}), "Port group " + strict + " doesn't support standalone ports. This port cannot be created as a member of that portgroup as the port's 'pxe_enabled' field was set to True."},
		{400, "POST", "/v1/ports", post(map[string]any{"is_smartnic": true}), "Smart NIC port must have port_id and hostname in local_link_connection"},
		{400, "POST", "/v1/ports", post(map[string]any{"vendor": "a vendor with a name that is far too long"}), "Schema error for port: 'a vendor with a name that is far too long' is too long"},
		{400, "POST", "/v1/ports", post(map[string]any{"name": "bad name"}), "Cannot create port with invalid name 'bad name'"},
		{400, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/portgroup_uuid", "value": "` + nobody + `"}]`, "Portgroup " + nobody + " could not be found."},
		{400, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/physical_network", "value": "net2"}]`, "physical_network cannot be changed while the port belongs to a portgroup."},
		{409, "PATCH", "/v1/ports/p1", `[{"op": "replace", "path": "/portgroup_uuid", "value": "` + strict + `"}]`, "Port group " + strict + " doesn't support standalone ports. This port " + a.body["uuid"].(string) + " cannot be  a member of that port group because of: 'pxe_enabled' was set to True"},
		{409, "PATCH", "/v1/portgroups/bond0", `[{"op": "replace", "path": "/standalone_ports_supported", "value": false}]`, "standalone_ports_supported can not be set to False, because the port group " + id + " contains port with 'pxe_enabled' is set to True"},
		{400, "DELETE", "/v1/portgroups/bond0", nil, "Cannot complete the requested action because portgroup " + id + " contains ports."},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body)
		require.Equal(t, row.fault, a.fault(), "%s %s %v", row.method, row.path, row.body)
	}
	s.must(t, 406, "GET", "/v1/ports?portgroup=bond0", nil, version("1.23"))
	s.must(t, 406, "GET", "/v1/ports?shard=s1", nil, version("1.81"))
	s.must(t, 200, "PATCH", "/v1/portgroups/bond0", `[{"op": "replace", "path": "/physical_network", "value": "net2"}]`)
	require.Equal(t, "net2", s.must(t, 200, "GET", "/v1/ports/p1", nil).body["physical_network"])
	s.must(t, 201, "POST", "/v1/ports", post(map[string]any{"is_smartnic": true, "local_link_connection": map[string]any{"port_id": "1", "hostname": "h"}}))
	s.must(t, 200, "PATCH", "/v1/ports/p1", `[{"op": "remove", "path": "/portgroup_uuid"}]`)
	s.must(t, 204, "DELETE", "/v1/portgroups/bond0", nil)
}
