package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// personas takes who somebody is from the user name: "member@p1", "reader+service@system".
type personas struct{}

func (personas) Authenticate(r *http.Request) (ingot.Identity, error) {
	user, _, _ := r.BasicAuth()
	roles, project, ok := strings.Cut(user, "@")
	if !ok {
		return ingot.Identity{}, ingot.Errorf(ingot.Unauthorized, "Authorization required")
	}
	who := ingot.Identity{User: user, Roles: strings.Split(roles, "+"), Project: project}
	if project == "system" {
		who.Project, who.System = "", true
	}
	return who, nil
}

func as(persona string) string { return basic(persona, "") }

// TestRoutesHaveRules: a route without a rule would let everybody in, and one with a rule that is not in the policy
// nobody.
func TestRoutesHaveRules(t *testing.T) {
	t.Parallel()
	rules := api.Policy()
	require.NotEmpty(t, rules)
	for _, rt := range api.AllRoutes(api.Everything()) {
		require.NotEmpty(t, rt.Rule, "%s %s has no rule: give its row in routes.go the name of a row of policy.go, or public", rt.Method, rt.Path)
		if rt.Rule != "public" {
			require.Contains(t, rules, rt.Rule, "%s %s has a rule that policy.go does not have", rt.Method, rt.Path)
		}
	}
	for _, name := range api.FieldRules() {
		if name != "" {
			require.Contains(t, rules, name, "a field's row names a rule that policy.go does not have")
		}
	}
}

// TestUnjudgedIsNotSent: a handler that forgets to judge lets nobody in.
func TestUnjudgedIsNotSent(t *testing.T) {
	t.Parallel()
	a := start(t).API
	for rule, early := range api.Policy() {
		_, err := api.Unjudged(a, rule)()
		if early {
			require.NoError(t, err, rule)
			continue
		}
		require.ErrorContains(t, err, "never judged its rule", rule)
	}
}

// policed is an API whose node owned is p1's, leased to p2, with a port; other is p3's.
func policed(t *testing.T, change ...func(*api.API)) *service {
	t.Helper()
	s := start(t, append([]func(*api.API){func(a *api.API) { a.Auth = personas{} }}, change...)...)
	admin := as("admin@system")
	s.must(t, 201, "POST", "/v1/nodes", `{"driver": "fake-hardware", "name": "owned", "owner": "p1", "lessee": "p2"}`, admin)
	s.must(t, 201, "POST", "/v1/nodes", `{"driver": "fake-hardware", "name": "other", "owner": "p3"}`, admin)
	s.must(t, 201, "POST", "/v1/ports", `{"address": "52:54:00:00:00:01", "name": "port1", "node_ident": "owned"}`, admin)
	s.must(t, 201, "POST", "/v1/ports", `{"address": "52:54:00:00:00:02", "node_ident": "other"}`, admin)
	for _, name := range []string{"owned", "other"} {
		node, _ := s.must(t, 200, "GET", "/v1/nodes/"+name, nil, admin).body["uuid"].(string)
		s.set(t, node, func(n *ingot.Node) { n.Interfaces.Network = "noop" }) // attaches again and again
		s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": node, "name": "group-" + name}, admin)
		s.must(t, 201, "POST", "/v1/volume/connectors", map[string]any{"node_uuid": node, "type": "iqn", "connector_id": name}, admin)
		s.must(t, 201, "POST", "/v1/volume/targets", map[string]any{"node_uuid": node, "volume_type": "iscsi", "volume_id": name, "boot_index": 0}, admin)
	}
	return s
}

// TestRoles is Ironic's table (doc/source/admin/secure-rbac.rst), by asking: 404 is for what one may not see, 403 for
// what one may see but not do.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := policed(t)
	nodes := "/v1/nodes/owned"
	const all = "admin manager member reader"
	rows := []struct {
		method, path, body string
		// The lowest role of a scope that may; "" is none. Below it: 403, and 404 in a project that sees nothing.
		system, owner, lessee string
	}{
		{"GET", nodes, "", "reader", "reader", "reader"},
		{"GET", nodes + "/states", "", "reader", "reader", "reader"},
		{"GET", nodes + "/history", "", "reader", "reader", ""},
		{"GET", nodes + "/validate", "", "member", "member", "manager"},
		{"GET", nodes + "/management/boot_device", "", "member", "manager", ""},
		{"GET", "/v1/ports/port1", "", "reader", "reader", "reader"},
		{"GET", nodes + "/ports", "", "reader", "reader", "reader"},
		{"PUT", nodes + "/states/power", `{"target": "power on"}`, "member", "member", "member"},
		{"PUT", nodes + "/maintenance", `{}`, "member", "member", "manager"},
		{"PUT", nodes + "/management/boot_device", `{"boot_device": "pxe"}`, "member", "manager", ""},
		{"PUT", nodes + "/management/inject_nmi", `{}`, "member", "manager", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/extra/a", "value": 1}]`, "member", "member", "member"},
		{"PATCH", nodes, `[{"op": "add", "path": "/instance_info/a", "value": 1}]`, "member", "member", "manager"},
		{"PATCH", nodes, `[{"op": "add", "path": "/driver_info/a", "value": 1}]`, "member", "member", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/extra/a", "value": 1}, {"op": "add", "path": "/driver_info/a", "value": 1}]`, "member", "member", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/deploy_interface", "value": "fake"}]`, "member", "manager", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/owner", "value": "p1"}]`, "member", "", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/lessee", "value": "p2"}]`, "member", "member", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/shard", "value": "a"}]`, "admin", "", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/automated_clean", "value": false}]`, "admin", "", ""},
		{"PATCH", nodes, `[{"op": "add", "path": "/automated_clean", "value": true}]`, "member", "member", "member"},
		{"PATCH", nodes, `[]`, "member", "member", "member"},
		{"PATCH", "/v1/ports/port1", `[{"op": "add", "path": "/extra/a", "value": 1}]`, "member", "manager", ""},
		{"GET", "/v1/drivers", "", "reader", "", ""},
		{"GET", "/v1/conductors", "", "reader", "", ""},
		{"GET", "/v1/networks", "", "reader", "", ""},
		{"GET", "/v1/chassis", "", "reader", "", ""},
		{"POST", "/v1/chassis", `{}`, "admin", "", ""},
		{"GET", "/v1/portgroups/group-owned", "", "reader", "reader", "reader"},
		{"PATCH", "/v1/portgroups/group-owned", `[{"op": "add", "path": "/extra/a", "value": 1}]`, "member", "manager", ""},
		{"GET", nodes + "/vifs", "", "reader", "reader", "reader"},
		{"POST", nodes + "/vifs", `{"id": "a"}`, "member", "member", "manager"},
		{"GET", nodes + "/volume", "", "reader", "reader", "reader"},
		{"GET", "/v1/shards", "", "reader", "", ""},
		{"POST", "/v1/events", `{"events": [{"event": "network.bind_port", "port_id": "11111111-2222-4333-8444-555555555555", "mac_address": "52:54:00:00:00:01", "status": "UP"}]}`, "admin", "", ""},
		{"GET", "/metrics", "", "reader", "", ""},
	}
	for _, row := range rows {
		for scope, lowest := range map[string]string{"system": row.system, "p1": row.owner, "p2": row.lessee, "p3": "none"} {
			allowed := lowest != ""
			for _, role := range strings.Fields(all) {
				want := 403
				switch {
				case scope == "p3" && strings.Contains(row.path, "owned") || scope == "p3" && strings.Contains(row.path, "/ports/"):
					want = 404
				case scope == "p3":
					want = 403
				case allowed:
					want = 200
				}
				a := s.call(t, row.method, row.path, row.body, as(role+"@"+scope))
				got := a.StatusCode
				if got < 300 {
					got = 200
				}
				require.Equal(t, want, got, "%s@%s %s %s %s: %s", role, scope, row.method, row.path, row.body, a.text)
				if role == lowest {
					allowed = false
				}
			}
		}
	}
}

// TestRoleLists: who is not of the system sees what their project owns or leases.
func TestRoleLists(t *testing.T) {
	t.Parallel()
	s := policed(t)
	for persona, want := range map[string]int{"reader@system": 2, "reader@p1": 1, "reader@p2": 1, "admin@p3": 1, "admin@p4": 0, "service@p1": 1} {
		for _, path := range []string{"nodes", "ports", "portgroups", "volume/connectors", "volume/targets"} {
			a := s.must(t, 200, "GET", "/v1/"+path, nil, as(persona))
			require.Len(t, a.body[strings.TrimPrefix(path, "volume/")], want, "%s lists %s", persona, path)
		}
	}
	a := s.must(t, 403, "GET", "/v1/nodes?project=p3", nil, as("reader@p1"))
	require.Equal(t, "Access was denied to the following resource: baremetal:node:list_all", a.fault())
	s.must(t, 200, "GET", "/v1/nodes?project=p1", nil, as("reader@p1"))
	s.must(t, 404, "GET", "/v1/ports?node=other", nil, as("reader@p1"))
	s.must(t, 403, "GET", "/v1/nodes", nil, as("nothing@p1"))
	s.must(t, 404, "GET", "/v1/nodes/owned", nil, as("nothing@p1"))
}

// TestMaskedFields: what only the owner and the system see is hidden from a lessee, in Ironic's words.
func TestMaskedFields(t *testing.T) {
	t.Parallel()
	s := policed(t)
	for _, path := range []string{"/v1/nodes/owned", "/v1/nodes/detail"} {
		node := s.must(t, 200, "GET", path, nil, as("admin@p2")).body
		if list, ok := node["nodes"].([]any); ok {
			node, _ = list[0].(map[string]any)
		}
		require.Equal(t, "** Value Redacted - Requires baremetal:node:get:last_error permission. **", node["last_error"])
		require.Equal(t, "** Redacted - requires baremetal:node:get:reservation permission. **", node["reservation"])
		for _, field := range []string{"driver_info", "driver_internal_info"} {
			hidden, _ := node[field].(map[string]any)
			require.Regexp(t, "^\\*\\* Redacted - [rR]equires baremetal:node:get:"+field+" permission", hidden["content"])
		}
	}
	require.Contains(t, s.must(t, 200, "GET", "/v1/nodes/owned/states", nil, as("reader@p2")).body["last_error"], "Redacted")
	for _, persona := range []string{"reader@system", "reader@p1"} {
		require.Nil(t, s.must(t, 200, "GET", "/v1/nodes/owned", nil, as(persona)).body["last_error"], persona)
	}
}

// TestVolumesOfAProject: what belongs to a node is seen by who sees the node, and a target's properties by admins.
func TestVolumesOfAProject(t *testing.T) {
	t.Parallel()
	s := policed(t)
	target := `{"node_uuid": "` + s.uuid(t, "owned") + `", "volume_type": "iscsi", "volume_id": "v", "boot_index": 7, "properties": {"target_iqn": "iqn.x"}}`
	_, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: s.uuid(t, "owned"), Change: func(n *ingot.Node) error { n.PowerState = ingot.PowerOff; return nil }})
	require.NoError(t, err)
	_, err = s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: s.uuid(t, "other"), Change: func(n *ingot.Node) error { n.PowerState = ingot.PowerOff; return nil }})
	require.NoError(t, err)
	s.must(t, 403, "POST", "/v1/volume/targets", target, as("member@p1"))
	s.must(t, 400, "POST", "/v1/volume/targets", target, as("admin@p3"))
	a := s.must(t, 201, "POST", "/v1/volume/targets", target, as("manager@p2"))
	path, _ := a.body["uuid"].(string)
	path = "/v1/volume/targets/" + path
	s.must(t, 404, "GET", path, nil, as("admin@p3"))
	require.Equal(t, map[string]any{"target_iqn": "iqn.x"}, s.must(t, 200, "GET", path, nil, as("admin@p1")).body["properties"])
	hidden, _ := s.must(t, 200, "GET", path, nil, as("reader@p1")).body["properties"].(map[string]any)
	require.Contains(t, hidden["redacted_contents"], "Requires permission baremetal:volume:view_target_properties")
	require.NotContains(t, s.must(t, 200, "GET", "/v1/volume/targets", nil, as("admin@p3")).text, a.body["uuid"])
	require.Contains(t, s.must(t, 200, "GET", "/v1/volume/targets", nil, as("reader@p1")).text, a.body["uuid"])
	s.must(t, 403, "DELETE", path, nil, as("member@p1"))
	a = s.must(t, 400, "PATCH", path, `[{"op": "replace", "path": "/node_uuid", "value": "`+s.uuid(t, "other")+`"}]`, as("admin@system"))
	require.Contains(t, a.fault(), "Unable to apply the requested node_uuid")
	s.must(t, 204, "DELETE", path, nil, as("manager@p1"))
}

// TestOwnNodes: a project's admin may create and delete nodes of the project, and of no other.
func TestOwnNodes(t *testing.T) {
	t.Parallel()
	s := policed(t)
	a := s.must(t, 201, "POST", "/v1/nodes", `{"driver": "fake-hardware", "name": "mine"}`, as("admin@p1"))
	require.Equal(t, "p1", a.body["owner"])
	s.must(t, 403, "POST", "/v1/nodes", `{"driver": "fake-hardware"}`, as("manager@p1"))
	s.must(t, 400, "POST", "/v1/nodes", `{"driver": "fake-hardware", "owner": "p3"}`, as("admin@p1"))
	s.must(t, 400, "POST", "/v1/nodes", `{"driver": "fake-hardware", "parent_node": "other"}`, as("admin@p1"))
	s.must(t, 403, "DELETE", "/v1/nodes/mine", nil, as("manager@p1"))
	s.must(t, 404, "DELETE", "/v1/nodes/mine", nil, as("admin@p3"))
	s.must(t, 403, "DELETE", "/v1/nodes/owned", nil, as("admin@p2"))
	s.must(t, 204, "DELETE", "/v1/nodes/mine", nil, as("admin@p1"))
	s.must(t, 201, "POST", "/v1/ports", `{"address": "52:54:00:00:00:03", "name": "port3", "node_ident": "owned"}`, as("manager@p1"))
	s.must(t, 403, "POST", "/v1/ports", `{"address": "52:54:00:00:00:04", "node_ident": "owned"}`, as("admin@p2"))
	s.must(t, 400, "POST", "/v1/ports", `{"address": "52:54:00:00:00:04", "node_ident": "other"}`, as("admin@p1"))
	s.must(t, 400, "PATCH", "/v1/ports/port3", `[{"op": "replace", "path": "/node_uuid", "value": "`+s.uuid(t, "other")+`"}]`, as("admin@system"))

	s = policed(t, func(a *api.API) { a.OwnNodesByAdminOnly = true })
	s.must(t, 403, "POST", "/v1/nodes", `{"driver": "fake-hardware"}`, as("admin@p1"))
	s.must(t, 403, "DELETE", "/v1/nodes/owned", nil, as("admin@p1"))
	s.must(t, 204, "DELETE", "/v1/nodes/owned", nil, as("admin@system"))
}

// TestServices: a service is confined to its project, unless that is the elevated one.
func TestServices(t *testing.T) {
	t.Parallel()
	s := policed(t, func(a *api.API) { a.ElevatedProject = "services" })
	s.must(t, 404, "GET", "/v1/nodes/owned", nil, as("service@p3"))
	s.must(t, 200, "GET", "/v1/nodes/owned", nil, as("service@p1"))
	s.must(t, 200, "GET", "/v1/nodes/owned", nil, as("service@services"))
	s.must(t, 202, "PUT", "/v1/nodes/owned/states/provision", `{"target": "manage"}`, as("service@services"))
	require.Equal(t, "services", s.Conductor.asked[0].Project)
	s.must(t, 404, "GET", "/v1/nodes/owned", nil, as("reader@services"))
}

// TestUserLines: a line says who somebody is, and a wrong one is refused.
func TestUserLines(t *testing.T) {
	t.Parallel()
	const hash = "$2a$10$SH7sINKhbhuNS/kuNRYvfeL3fx3KYldfZ/tthhIz6qFtj17iXdMg6"
	for line, want := range map[string]ingot.Identity{
		"a:" + hash: {User: "a", Roles: []string{"admin"}, System: true},
		"a:" + hash + ":roles=member+service,project=abc": {User: "a", Roles: []string{"member", "service"}, Project: "abc"},
		"a:" + hash + ":roles=reader,scope=system":        {User: "a", Roles: []string{"reader"}, System: true},
	} {
		users, err := api.ParseUsers("# comment\n\n" + line + "\n")
		require.NoError(t, err)
		require.Equal(t, []api.User{{Identity: want, Hash: hash}}, users)
		require.Equal(t, line, users[0].Line())
	}
	for options, says := range map[string]string{
		"roles=boss,project=a": `role "boss"`, "project=a": "has no roles", "roles=reader": "needs either project=ID or scope=system",
		"roles=reader,project=a,scope=system": "needs either", "rolls=reader": `"rolls" is not`, "": `"" is not`,
	} {
		_, err := api.ParseUsers("a:" + hash + ":" + options)
		require.ErrorContains(t, err, says)
		require.NotContains(t, fmt.Sprint(err), hash)
	}
	_, err := api.ParseUsers("a:" + hash + "\na:" + hash)
	require.ErrorContains(t, err, "line 2: user a is there twice")
}
