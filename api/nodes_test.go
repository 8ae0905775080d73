package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// TestNodeFields: each version shows the fields that it knows, no more and no fewer.
func TestNodeFields(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	first := s.must(t, 200, "GET", "/v1/nodes/"+uuid, nil, version("1.1")).body
	require.ElementsMatch(t, []string{
		"uuid", "driver", "driver_info", "properties", "extra", "instance_info", "instance_uuid", "chassis_uuid", "power_state",
		"target_power_state", "provision_state", "target_provision_state", "provision_updated_at", "last_error", "reservation",
		"maintenance", "maintenance_reason", "console_enabled", "created_at", "updated_at", "links", "ports",
	}, keys(first))
	for v, field := range map[int]string{
		3: "driver_internal_info", 5: "name", 6: "inspection_started_at", 7: "clean_step", 12: "raid_config", 14: "states", 20: "network_interface",
		21: "resource_class", 31: "deploy_interface", 33: "storage_interface", 37: "traits", 38: "rescue_interface", 40: "bios_interface", 42: "fault",
		44: "deploy_step", 46: "conductor_group", 47: "automated_clean", 48: "protected_reason", 49: "conductor", 50: "owner", 51: "description",
		52: "allocation_uuid", 61: "retired", 65: "lessee", 66: "network_data", 75: "boot_mode", 82: "shard", 83: "parent_node",
		86: "firmware_interface", 87: "service_step", 95: "disable_power_off", 104: "instance_name", 109: "health",
	} {
		require.NotContains(t, s.must(t, 200, "GET", "/v1/nodes/"+uuid, nil, version(fmt.Sprintf("1.%d", v-1))).body, field)
		require.Contains(t, s.must(t, 200, "GET", "/v1/nodes/"+uuid, nil, version(fmt.Sprintf("1.%d", v))).body, field)
	}
}

func keys(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

// TestNodeSecrets: no answer ever shows one.
func TestNodeSecrets(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := map[string]any{
		"name": "n1", "driver": "ipmi",
		"driver_info":   map[string]any{"ipmi_password": "hunter2", "nested": map[string]any{"snmp_auth_key": "hunter2", "list": []any{map[string]any{"token": "hunter2"}}}},
		"instance_info": map[string]any{"configdrive": "hunter2", "image_url": "http://x/?sig=hunter2", "image_pull_secret": "hunter2", "image_source": "http://x"},
	}
	require.NotContains(t, s.must(t, 201, "POST", "/v1/nodes", body).text, "hunter2")
	node, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: s.uuid(t, "n1"), Change: func(n *ingot.Node) error {
		n.Agent = ingot.Agent{URL: "https://192.0.2.1:9999", Version: "12.0", Token: "hunter2", Heartbeat: time.Unix(1700000000, 0)}
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, "hunter2", ingot.Text(node.DriverInfo, "ipmi_password"), "it is kept all the same")
	s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/driver_info/ipmi_username", "value": "admin"}]`)
	node, err = s.Store.Node(t.Context(), node.UUID)
	require.NoError(t, err)
	require.Equal(t, "hunter2", ingot.Text(node.DriverInfo, "ipmi_password"), "a patch beside it leaves it")
	for _, path := range []string{"/v1/nodes/n1", "/v1/nodes/detail", "/v1/nodes?fields=driver_info,instance_info,driver_internal_info"} {
		a := s.must(t, 200, "GET", path, nil)
		require.NotContains(t, a.text, "hunter2", path)
		require.Contains(t, a.text, `"agent_secret_token":"******"`, path)
		require.Contains(t, a.text, `"configdrive":"******"`, path)
	}
	a := s.must(t, 400, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/driver_info", "value": ["ipmi_password", {"ipmi_password": "hunter3"}]}]`)
	require.NotContains(t, a.text, "hunter3", "not in complaints either")
}

func (s *service) uuid(t *testing.T, name string) string {
	t.Helper()
	node, err := s.Store.Node(t.Context(), name)
	require.NoError(t, err)
	return node.UUID
}

// TestNodeCreate: what a new node has of itself.
func TestNodeCreate(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.must(t, 201, "POST", "/v1/nodes", `{"driver": "ipmi", "uuid": "ABCDEF00-0000-4000-8000-000000000001", "maintenance": "yes", "automated_clean": null, "conductor_group": null}`)
	require.Equal(t, "abcdef00-0000-4000-8000-000000000001", a.body["uuid"])
	require.Equal(t, s.URL+"/v1/nodes/abcdef00-0000-4000-8000-000000000001", a.Header.Get("Location"))
	require.Equal(t, true, a.body["maintenance"])
	require.Equal(t, "enroll", a.body["provision_state"])
	require.Equal(t, "direct", a.body["deploy_interface"])
	require.Equal(t, "no-raid", a.body["raid_interface"])
	require.Nil(t, a.body["updated_at"])
	require.Empty(t, a.body["conductor_group"])
	require.Equal(t, "near", s.must(t, 201, "POST", "/v1/nodes", `{"driver": "ipmi", "conductor_group": "Near"}`).body["conductor_group"])
	require.Equal(t, "available", s.must(t, 201, "POST", "/v1/nodes", `{"driver": "ipmi"}`, version("1.10")).body["provision_state"])
	require.Nil(t, s.must(t, 201, "POST", "/v1/nodes", `{"driver": "ipmi"}`, version("1.1")).body["provision_state"])
	s.must(t, 400, "POST", "/v1/nodes", `{"driver": "ipmi", "name": "under_score"}`, version("1.9"))
	s.must(t, 201, "POST", "/v1/nodes", `{"driver": "ipmi", "name": "under_score"}`)
	s.must(t, 400, "GET", "/v1/nodes/under_score", nil, version("1.9"))
}

// TestNodeList: filters, order, pages and the fields that are shown.
func TestNodeList(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 5 {
		s.enrol(t, fmt.Sprintf("n%d", i))
	}
	s.must(t, 200, "PATCH", "/v1/nodes/n3", `[{"op": "add", "path": "/owner", "value": "me"}, {"op": "add", "path": "/shard", "value": "s1"}, {"op": "add", "path": "/description", "value": "50% left_"}]`)
	s.must(t, 202, "PUT", "/v1/nodes/n4/maintenance", `{"reason": "why"}`)
	s.must(t, 200, "PATCH", "/v1/nodes/n2", `[{"op": "add", "path": "/parent_node", "value": "n1"}]`)
	for query, want := range map[string][]string{
		"":                               {"n0", "n1", "n3", "n4"},
		"include_children=true":          {"n0", "n1", "n2", "n3", "n4"},
		"parent_node=" + s.uuid(t, "n1"): {"n2"},
		"owner=me":                       {"n3"},
		"project=me":                     {"n3"},
		"shard=s1,s2":                    {"n3"},
		"sharded=false":                  {"n0", "n1", "n4"},
		"description_contains=50%25":     {"n3"},
		"description_contains=50%25x":    {},
		"maintenance=true":               {"n4"},
		"driver=ipmi":                    {},
		"provision_state=enroll":         {"n0", "n1", "n3", "n4"},
		"associated=false&maintenance=0": {"n0", "n1", "n3"},
		"sort_key=name&sort_dir=desc":    {"n4", "n3", "n1", "n0"},
		"instance_uuid=" + nobody:        {},
	} {
		require.Equal(t, want, s.names(t, "/v1/nodes?"+query), query)
	}
	list, _ := s.must(t, 200, "GET", "/v1/nodes", nil).body["nodes"].([]any)
	first, _ := list[0].(map[string]any)
	require.ElementsMatch(t, []string{"uuid", "name", "instance_uuid", "maintenance", "power_state", "provision_state", "links"}, keys(first))
	list, _ = s.must(t, 200, "GET", "/v1/nodes?fields=uuid,provision_state,links,created_at", nil).body["nodes"].([]any)
	first, _ = list[0].(map[string]any)
	require.ElementsMatch(t, []string{"uuid", "provision_state", "links", "created_at"}, keys(first))
	children := s.must(t, 200, "GET", "/v1/nodes/n1/children", nil)
	require.Equal(t, []any{s.uuid(t, "n2")}, children.body["children"])
}

// names lists the nodes of a page.
func (s *service) names(t *testing.T, path string) []string {
	t.Helper()
	names := []string{}
	list, _ := s.must(t, 200, "GET", path, nil).body["nodes"].([]any)
	for _, item := range list {
		node, _ := item.(map[string]any)
		name, _ := node["name"].(string)
		names = append(names, name)
	}
	return names
}

// TestNodePages follows "next" to the end: every node once, and the filters stay.
func TestNodePages(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 7 {
		s.enrol(t, fmt.Sprintf("n%d", i))
	}
	s.must(t, 202, "PUT", "/v1/nodes/n3/maintenance", nil)
	var all []string
	path := "/v1/nodes?limit=2&sort_key=name&sort_dir=desc&maintenance=false&fields=name"
	for path != "" {
		a := s.must(t, 200, "GET", path, nil)
		all = append(all, s.names(t, path)...)
		next, _ := a.body["next"].(string)
		path = strings.TrimPrefix(next, s.URL)
	}
	require.Equal(t, []string{"n6", "n5", "n4", "n2", "n1", "n0"}, all)
}

// TestNodePatch: what patches change, and that one that is refused changes nothing.
func TestNodePatch(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "n1")
	a := s.must(t, 200, "PATCH", "/v1/nodes/n1", `[
		{"op": "add", "path": "/extra/list", "value": [1, 2]},
		{"op": "add", "path": "/extra/list/-", "value": {"k": 1}},
		{"op": "replace", "path": "/extra/list/2/k", "value": 1234567890123456789},
		{"op": "remove", "path": "/extra/list/0"},
		{"op": "add", "path": "/extra/list/0", "value": 0},
		{"op": "add", "path": "/extra/a~1b", "value": "slash"},
		{"op": "replace", "path": "/automated_clean", "value": "False"},
		{"op": "replace", "path": "/maintenance", "value": true}]`)
	require.Contains(t, a.text, `"extra":{"a/b":"slash","list":[0,2,{"k":1234567890123456789}]}`)
	require.Equal(t, false, a.body["automated_clean"])
	a = s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "remove", "path": "/extra/list/0"}, {"op": "add", "path": "/extra/list/1/l", "value": []}, {"op": "add", "path": "/extra/list/1/l/-", "value": 5}]`)
	require.Contains(t, a.text, `"list":[2,{"k":1234567890123456789,"l":[5]}]`)
	s.must(t, 400, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/extra/x", "value": 1}, {"op": "remove", "path": "/extra/nope"}]`)
	require.NotContains(t, s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["extra"], "x")
	a = s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "remove", "path": "/extra"}, {"op": "remove", "path": "/automated_clean"}, {"op": "remove", "path": "/name"}]`)
	require.Equal(t, map[string]any{}, a.body["extra"])
	require.Nil(t, a.body["automated_clean"])
	require.Nil(t, a.body["name"])
}

// TestNodePatchRules are those of Ironic's conductor (update_node).
func TestNodePatchRules(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	patch := func(status int, text string, headers ...string) answer {
		t.Helper()
		return s.must(t, status, "PATCH", "/v1/nodes/n1", text, headers...)
	}
	a := s.must(t, 200, "PATCH", "/v1/nodes/n1?reset_interfaces=true", `[{"op": "add", "path": "/driver", "value": "ipmi"}]`)
	require.Equal(t, "ipmitool", a.body["power_interface"])
	patch(400, `[{"op": "add", "path": "/driver", "value": "fake-hardware"}]`) // its interfaces are ipmi's
	patch(200, `[{"op": "add", "path": "/resource_class", "value": "small"}, {"op": "add", "path": "/instance_uuid", "value": "`+nobody+`"}]`)
	require.Contains(t, patch(409, `[{"op": "add", "path": "/instance_uuid", "value": "11111111-2222-4333-8444-000000000000"}]`).fault(), "is associated with instance")

	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Active })
	require.Contains(t, patch(409, `[{"op": "add", "path": "/deploy_interface", "value": null}]`).fault(), "can not have deploy_interface updated")
	require.Contains(t, patch(409, `[{"op": "add", "path": "/resource_class", "value": "large"}]`).fault(), "can not have resource_class updated")
	patch(200, `[{"op": "add", "path": "/protected", "value": true}, {"op": "add", "path": "/protected_reason", "value": "why"}]`)
	s.must(t, 403, "PUT", "/v1/nodes/n1/states/provision", `{"target": "deleted"}`)
	require.Nil(t, patch(200, `[{"op": "add", "path": "/protected", "value": false}]`).body["protected_reason"])
	patch(400, `[{"op": "add", "path": "/protected_reason", "value": "why"}]`)
	require.Equal(t, "inst", patch(200, `[{"op": "add", "path": "/instance_info/display_name", "value": "inst"}]`).body["instance_name"])

	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState, n.TargetProvisionState = ingot.Deploying, ingot.Active })
	require.Equal(t, "Node n1 can not be updated while a state transition is in progress.", patch(409, `[{"op": "add", "path": "/extra", "value": {}}]`).fault())
	s.set(t, uuid, func(n *ingot.Node) { n.Maintenance = true })
	patch(200, `[{"op": "remove", "path": "/instance_uuid"}]`) // what maintenance always allows
	patch(409, `[{"op": "remove", "path": "/extra"}]`)
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Inspecting })
	patch(409, `[{"op": "add", "path": "/extra", "value": {}}]`)
	patch(200, `[{"op": "add", "path": "/extra", "value": {}}]`, version("1.38"))
	s.set(t, uuid, func(n *ingot.Node) {
		n.ProvisionState, n.TargetProvisionState, n.Maintenance = ingot.Available, "", false
	})
	patch(409, `[{"op": "add", "path": "/retired", "value": true}]`)
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Manageable })
	patch(200, `[{"op": "add", "path": "/retired", "value": true}]`)
	require.Contains(t, s.must(t, 400, "PUT", "/v1/nodes/n1/states/provision", `{"target": "provide"}`).fault(), "because it is retired")
}

// set changes a node as the conductor would.
func (s *service) set(t testing.TB, uuid string, change func(*ingot.Node)) {
	t.Helper()
	_, err := s.Store.ChangeNode(t.Context(), ingot.NodeChange{UUID: uuid, Change: func(n *ingot.Node) error {
		change(n)
		return nil
	}})
	require.NoError(t, err)
}

// TestNodeLocked: a node that is held is waited for, and then refused; a verb that its state has not is 409 then.
func TestNodeLocked(t *testing.T) {
	t.Parallel()
	waits := make(chan time.Duration, 100)
	var release func()
	s := start(t, func(a *api.API) {
		a.Patience = api.Patience{LockedTries: 3, LockedWait: time.Second}
		a.Clock.After = func(d time.Duration) <-chan time.Time {
			waits <- d
			if release != nil {
				release()
			}
			now := make(chan time.Time, 1)
			now <- time.Now()
			return now
		}
	})
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "host1" })
	sentence := "Node " + uuid + " is locked by host host1, please retry after the current operation is completed."
	require.Equal(t, sentence, s.must(t, 409, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/extra/a", "value": 1}]`).fault())
	require.Len(t, waits, 2)
	require.Equal(t, sentence, s.must(t, 409, "DELETE", "/v1/nodes/n1", nil).fault())
	require.Equal(t, sentence, s.must(t, 409, "PUT", "/v1/nodes/n1/states/provision", `{"target": "active"}`).fault())
	require.Equal(t, sentence, s.must(t, 409, "PUT", "/v1/nodes/n1/maintenance", nil).fault())
	release = func() { s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "" }) }
	s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "add", "path": "/extra/a", "value": 1}]`)
}

// TestNodeDelete follows Ironic's destroy_node.
func TestNodeDelete(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tc := range []struct {
		change func(*ingot.Node)
		status int
	}{
		{func(*ingot.Node) {}, 204},
		{func(n *ingot.Node) { n.ProvisionState = ingot.Available }, 204},
		{func(n *ingot.Node) { n.ProvisionState = ingot.Active }, 409},
		{func(n *ingot.Node) { n.ProvisionState = ingot.DeployFailed }, 409},
		{func(n *ingot.Node) { n.ProvisionState, n.Maintenance = ingot.Active, true }, 204},
		{func(n *ingot.Node) { n.InstanceUUID = nobody }, 409},
		{func(n *ingot.Node) { n.InstanceUUID, n.Maintenance = nobody, true }, 204},
		{func(n *ingot.Node) { n.Protected, n.Maintenance = true, true }, 403},
	} {
		uuid := s.enrol(t, "")
		s.set(t, uuid, tc.change)
		s.must(t, tc.status, "DELETE", "/v1/nodes/"+uuid, nil)
		if tc.status != 204 {
			s.set(t, uuid, func(n *ingot.Node) { n.Protected, n.InstanceUUID = false, "" })
		}
	}
}

// TestMaintenance: the operator's and ours are told apart by the fault, which the operator's judgement takes away.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	a := s.must(t, 202, "PUT", "/v1/nodes/n1/maintenance?reason="+url.QueryEscape("bad fan"), nil)
	require.Empty(t, a.text)
	require.Equal(t, "bad fan", s.must(t, 200, "GET", "/v1/nodes/n1", nil).body["maintenance_reason"])
	s.set(t, uuid, func(n *ingot.Node) { n.Fault = ingot.FaultPower })
	require.Equal(t, []string{"n1"}, s.names(t, "/v1/nodes?fault="+url.QueryEscape("power failure")))
	s.must(t, 202, "DELETE", "/v1/nodes/n1/maintenance", nil)
	body := s.must(t, 200, "GET", "/v1/nodes/n1", nil).body
	require.Equal(t, []any{false, nil, nil}, []any{body["maintenance"], body["maintenance_reason"], body["fault"]})
	s.set(t, uuid, func(n *ingot.Node) {
		n.Maintenance, n.MaintenanceReason, n.Fault = true, "power sync failed", ingot.FaultPower
	})
	body = s.must(t, 200, "PATCH", "/v1/nodes/n1", `[{"op": "replace", "path": "/maintenance", "value": false}]`).body
	require.Equal(t, []any{false, nil, nil}, []any{body["maintenance"], body["maintenance_reason"], body["fault"]})
}

// TestOldStateNames: versions that do not know a state see the one that they know.
func TestOldStateNames(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.InspectWait })
	for _, path := range []string{"/v1/nodes/" + uuid, "/v1/nodes/" + uuid + "/states"} {
		require.Equal(t, "inspecting", s.must(t, 200, "GET", path, nil, version("1.38")).body["provision_state"], path)
		require.Equal(t, "inspect wait", s.must(t, 200, "GET", path, nil, version("1.39")).body["provision_state"], path)
	}
	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState = ingot.Available })
	require.Nil(t, s.must(t, 200, "GET", "/v1/nodes/"+uuid, nil, version("1.1")).body["provision_state"])
	states := keys(s.must(t, 200, "GET", "/v1/nodes/"+uuid+"/states", nil, version("1.1")).body)
	slices.Sort(states)
	require.Equal(t, []string{"console_enabled", "last_error", "power_state", "provision_state", "provision_updated_at", "target_power_state", "target_provision_state"}, states)
}
