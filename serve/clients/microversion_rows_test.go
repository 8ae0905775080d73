package clients_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The things that rows look at; furnish makes them.
const (
	nodes  = "/v1/nodes/"
	ports  = "/v1/ports/"
	groups = "/v1/portgroups/"
)

// earlyRows are the versions up to 1.49.
func earlyRows() []row {
	n, p, g := nodes+uuid(1), ports+uuid(21), groups+uuid(22)
	rows := []row{
		{minor: 2, what: "available has a name", before: "<nil>", now: "available", look: provisionState(2)},
		shown(3, n, "driver_internal_info"),
		verb(4, "provide"), // manage is possible in enroll
		code(4, "PUT", nodes+uuid(2)+"/states/provision", object{"target": "clean", "clean_steps": "x"}, "400|406", "400|406"),
		shown(5, n, "name"), set(5, n, "name", "n1"), code(5, "GET", "/v1/nodes/n1", nil, "404", "200"),
		shown(6, n, "inspection_started_at", "inspection_finished_at"), verb(6, "inspect"),
		shown(7, n, "clean_step"),
		filter(8, "/v1/nodes?fields=uuid"), filter(8, "/v1/ports?fields=uuid"), filter(8, n+"?fields=uuid"), filter(8, "/v1/chassis?fields=uuid"),
		filter(9, "/v1/nodes?provision_state=available"),
		code(10, "PATCH", n, []object{{"op": "add", "path": "/name", "value": "n1~A_b"}}, "400", "200"),
		{minor: 11, what: "new nodes are in enroll", before: "available", now: "enroll", look: newState},
		shown(12, n, "raid_config", "target_raid_config"),
		code(12, "PUT", nodes+uuid(6)+"/states/raid", object{"logical_disks": []object{{"size_gb": 10, "raid_level": "1"}}}, "406", "204"),
		code(12, "GET", "/v1/drivers/fake-hardware/raid/logical_disk_properties", nil, "406", "200"),
		verb(13, "abort"),
		shown(14, n, "states"), shown(14, "/v1/drivers/fake-hardware", "properties"),
		verb(15, "clean", object{"clean_steps": []object{{"interface": "deploy", "step": "erase_devices"}}}),
		filter(16, "/v1/nodes?driver=fake-hardware"),
		verb(17, "adopt"),
		shown(18, p, "internal_info"),
		shown(19, p, "local_link_connection", "pxe_enabled"), set(19, p, "pxe_enabled", false),
		set(19, p, "local_link_connection", object{"switch_id": "0a:1b:2c:3d:4e:5f", "port_id": "1"}),
		shown(20, n, "network_interface"), set(20, n, "network_interface", "noop"),
		shown(21, n, "resource_class"), set(21, n, "resource_class", "big"), filter(21, "/v1/nodes?resource_class=big"),
		shown(22, "/v1", "lookup", "heartbeat"), code(22, "POST", "/v1/heartbeat/"+uuid(1), object{"callback_url": "https://192.0.2.1:9999"}, "404", "400"),
		shown(23, "/v1", "portgroups"), code(23, "GET", "/v1/portgroups", nil, "404", "200"), code(23, "GET", g, nil, "404", "200"),
		shown(24, p, "portgroup_uuid"), shown(24, n, "portgroups"), code(24, "GET", n+"/portgroups", nil, "404", "200"), code(24, "GET", g+"/ports", nil, "404", "200"),
		{minor: 25, what: "chassis_uuid can be unset", before: "406", now: "200", look: unsetChassis},
		shown(26, g, "mode", "properties"), set(26, g, "mode", "802.3ad"),
		code(27, "PUT", nodes+uuid(6)+"/states/power", object{"target": "soft power off"}, "406", "202|409"),
		code(27, "PUT", nodes+uuid(7)+"/states/power", object{"target": "power on", "timeout": 5}, "406", "202"),
		code(28, "GET", n+"/vifs", nil, "404", "200"),
		code(29, "PUT", n+"/management/inject_nmi", object{}, "404", "204"),
		filter(30, "/v1/drivers?type=dynamic"), filter(30, "/v1/drivers?detail=true"),
		shown(30, "/v1/drivers/fake-hardware", "type", "default_boot_interface", "enabled_power_interfaces"),
		shown(31, n, "boot_interface", "console_interface", "deploy_interface", "inspect_interface", "management_interface", "power_interface", "raid_interface", "vendor_interface"),
		set(31, n, "boot_interface", "fake"),
		shown(32, "/v1", "volume"), shown(32, n, "volume"), code(32, "GET", "/v1/volume", nil, "404", "200"), code(32, "GET", "/v1/volume/connectors", nil, "404", "200"),
		code(32, "GET", "/v1/volume/targets/"+uuid(24), nil, "404", "200"), code(32, "GET", n+"/volume", nil, "404", "200"),
		shown(33, n, "storage_interface"), shown(33, "/v1/drivers/fake-hardware", "default_storage_interface"),
		shown(34, p, "physical_network"), set(34, p, "physical_network", "physnet1"),
		says(35, "configdrive on rebuild", "PUT", nodes+uuid(5)+"/states/provision", object{"target": "rebuild", "configdrive": "bm90"}, "only supported when setting provision state to active"),
		says(36, "heartbeat with agent_version", "POST", "/v1/heartbeat/"+uuid(1), object{"callback_url": "https://192.0.2.1", "agent_version": "1"}, "not recognised"),
		shown(37, n, "traits"), code(37, "GET", n+"/traits", nil, "404", "200"), code(37, "PUT", n+"/traits/CUSTOM_X", nil, "404", "204"),
		shown(38, n, "rescue_interface"), verb(38, "rescue", object{"rescue_password": "x"}), verb(38, "unrescue"),
		{minor: 39, what: "inspect wait has a name", before: "inspecting", now: "inspect wait", look: provisionState(3)},
		shown(40, n, "bios_interface"), code(40, "GET", n+"/bios", nil, "404", "200"),
		code(41, "PUT", nodes+uuid(3)+"/states/provision", object{"target": "abort"}, "406", "202"),
		shown(42, n, "fault"), filter(42, "/v1/nodes?fault=power%20failure"),
		says(43, "detail=", "GET", "/v1/nodes?detail=true", nil, "Invalid query parameter ?detail="),
		shown(44, n, "deploy_step"),
		code(45, "PATCH", n+"?reset_interfaces=true", []object{{"op": "replace", "path": "/driver", "value": "fake-hardware"}}, "406", "200"),
		shown(46, n, "conductor_group"), filter(46, "/v1/nodes?conductor_group=a"), set(46, n, "conductor_group", ""),
		shown(47, n, "automated_clean"), set(47, n, "automated_clean", false),
		shown(48, n, "protected", "protected_reason"), set(48, nodes+uuid(8), "protected", true), set(48, nodes+uuid(8), "protected_reason", "x"),
		shown(49, "/v1", "conductors"), code(49, "GET", "/v1/conductors", nil, "404", "200"), shown(49, n, "conductor"), filter(49, "/v1/nodes?conductor=x"),
	}
	return append(rows, row{minor: 1 + 1, what: "POST without version", before: "201", now: "201", look: func(t *testing.T, s *service, version string) string {
		return fmt.Sprint(s.call(t, "POST", "/v1/nodes", version, object{"driver": "fake-hardware"}).StatusCode)
	}})
}

// provisionState looks at the state of a furnished node.
func provisionState(n int) func(*testing.T, *service, string) string {
	return func(t *testing.T, s *service, version string) string {
		return fmt.Sprint(s.first(t, nodes+uuid(n), version)["provision_state"])
	}
}

// newState is the state of a node that was just enrolled.
func newState(t *testing.T, s *service, version string) string {
	a := s.call(t, "POST", "/v1/nodes", version, object{"driver": "fake-hardware"})
	return fmt.Sprint(a.body["provision_state"])
}

// unsetChassis takes a node out of its chassis.
func unsetChassis(t *testing.T, s *service, version string) string {
	s.must(t, http.StatusOK, "PATCH", nodes+uuid(1), []object{{"op": "add", "path": "/chassis_uuid", "value": uuid(20)}})
	a := s.call(t, "PATCH", nodes+uuid(1), version, []object{{"op": "remove", "path": "/chassis_uuid"}})
	return strings.TrimSpace(fmt.Sprint(a.StatusCode))
}
