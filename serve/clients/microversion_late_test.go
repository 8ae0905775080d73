package clients_test

import (
	"fmt"
	"strings"
	"testing"
)

// lateRows are the versions since 1.50.
func lateRows() []row {
	n, p, g := nodes+uuid(1), ports+uuid(21), groups+uuid(22)
	provision := nodes + uuid(2) + "/states/provision"
	step := object{"interface": "deploy", "step": "erase_devices", "args": object{}}
	return []row{
		shown(50, n, "owner"), set(50, n, "owner", "me"), filter(50, "/v1/nodes?owner=me"),
		shown(51, n, "description"), set(51, n, "description", "left"), filter(51, "/v1/nodes?description_contains=left"),
		shown(52, "/v1", "allocations"), shown(52, n, "allocation_uuid"), code(52, "GET", "/v1/allocations", nil, "404", "200"),
		code(52, "POST", "/v1/allocations", object{"resource_class": "none"}, "404|405", "201"), code(52, "DELETE", n+"/allocation", nil, "404", "404"),
		shown(53, p, "is_smartnic"), set(53, p, "is_smartnic", false),
		shown(54, "/v1", "events"), code(54, "POST", "/v1/events", object{"events": []object{}}, "404", "204|400"),
		shown(55, "/v1", "deploy_templates"), code(55, "GET", "/v1/deploy_templates", nil, "404", "200"), code(55, "POST", "/v1/deploy_templates", object{}, "405", "400"),
		code(55, "DELETE", "/v1/deploy_templates/nope", nil, "405", "404"),
		says(56, "configdrive as an object", "PUT", provision, object{"target": "active", "configdrive": object{"meta_data": object{"a": 1}}}, "starting with API version 1.56"),
		code(57, "PATCH", "/v1/allocations/al1", []object{{"op": "add", "path": "/extra/a", "value": 1}}, "404|405", "200"),
		code(58, "POST", "/v1/allocations", object{"node": uuid(9), "name": "backfilled"}, "400", "201"),
		says(59, "vendor_data in configdrive", "PUT", nodes+uuid(9)+"/states/provision", object{"target": "rebuild", "configdrive": object{"vendor_data": object{"a": 1}}}, "starting with API version 1.59"),
		shown(60, "/v1/allocations/al1", "owner"), filter(60, "/v1/allocations?owner=me"),
		shown(61, n, "retired", "retired_reason"), set(61, n, "retired", true), filter(61, "/v1/nodes?retired=true"),
		signal(62, "agents get a token"),
		code(63, "GET", n+"/management/indicators", nil, "404", "200"),
		code(64, "PATCH", p, []object{{"op": "add", "path": "/local_link_connection/network_type", "value": "unmanaged"}}, "406", "200"),
		code(64, "POST", "/v1/ports", object{"node_uuid": uuid(1), "address": "52:54:00:00:00:64", "local_link_connection": object{"network_type": "unmanaged"}}, "406", "201"),
		shown(65, n, "lessee"), set(65, n, "lessee", "you"), filter(65, "/v1/nodes?lessee=you"), filter(65, "/v1/nodes?project=you"),
		shown(66, n, "network_data"), set(66, n, "network_data", object{}),
		code(67, "POST", n+"/vifs", object{"id": "a", "port_uuid": uuid(21), "portgroup_uuid": uuid(22)}, "204|400", "400"),
		says(68, "heartbeat with agent_verify_ca", "POST", "/v1/heartbeat/"+uuid(1), object{"callback_url": "https://192.0.2.1", "agent_verify_ca": "x"}, "not recognised"),
		code(69, "PUT", nodes+uuid(10)+"/states/provision", object{"target": "rebuild", "deploy_steps": []object{with(step, "priority", 10)}}, "406", "202|409"),
		code(70, "PUT", nodes+uuid(11)+"/states/provision", object{"target": "clean", "clean_steps": []object{{"interface": "raid", "step": "delete_configuration"}}, "disable_ramdisk": true}, "406", "202|400"),
		signal(71, "roles have a scope"),
		says(72, "heartbeat with agent_status", "POST", "/v1/heartbeat/"+uuid(1), object{"callback_url": "https://192.0.2.1", "agent_status": "end"}, "not recognised"),
		verb(73, "deploy"), verb(73, "undeploy"),
		says(74, "detail= of BIOS settings", "GET", n+"/bios?detail=true", nil, "Invalid query parameter ?detail="),
		shown(75, n, "boot_mode", "secure_boot"),
		code(76, "PUT", nodes+uuid(12)+"/states/boot_mode", object{"target": "uefi"}, "404", "202"), code(76, "PUT", nodes+uuid(12)+"/states/secure_boot", object{"target": true}, "404", "202|409"),
		code(77, "GET", "/v1/drivers?fields=name", nil, "406|400", "200"), code(77, "GET", "/v1/drivers/fake-hardware?fields=name", nil, "406|400", "200"),
		code(78, "GET", n+"/history", nil, "404", "200"),
		signal(79, "an allocation prefers the node of its name"),
		signal(80, "projects may enrol nodes"),
		code(81, "GET", n+"/inventory", nil, "404", "404"),
		says404(81, "inventory", n+"/inventory", "Node inventory record"),
		shown(82, "/v1", "shards"), shown(82, n, "shard"), set(82, n, "shard", "s1"), filter(82, "/v1/nodes?shard=s1"), filter(82, "/v1/nodes?sharded=true"),
		code(82, "GET", "/v1/shards", nil, "404", "200"), filter(82, "/v1/ports?shard=s1"),
		shown(83, n, "parent_node"), set(83, nodes+uuid(12), "parent_node", uuid(11)), filter(83, "/v1/nodes?parent_node="+uuid(1)), filter(83, "/v1/nodes?include_children=true"),
		code(83, "GET", n+"/children", nil, "404", "200"),
		shown(84, "/v1", "continue_inspection"), code(84, "POST", "/v1/continue_inspection", object{"inventory": object{"interfaces": []object{{"mac_address": "52:54:00:00:00:99"}}}}, "404", "404"),
		says404(84, "continue_inspection", "POST /v1/continue_inspection", "API version 1.84 or newer is required"),
		code(85, "PUT", nodes+uuid(14)+"/states/provision", object{"target": "unhold"}, "406", "202|404|409"),
		shown(86, n, "firmware_interface"), code(86, "GET", n+"/firmware", nil, "404", "200"),
		shown(87, n, "service_step"), code(87, "PUT", nodes+uuid(13)+"/states/provision", object{"target": "service", "service_steps": []object{{"interface": "raid", "step": "delete_configuration"}}}, "406", "202|400"),
		shown(88, p, "name"), set(88, p, "name", "p1"),
		code(89, "DELETE", n+"/vmedia", nil, "404", "204|400"), code(89, "POST", n+"/vmedia", object{}, "404", "400"),
		code(90, "POST", "/v1/ports", vtep("52:54:00:00:00:90"), "406", "201"),
		{minor: 91, what: ".json is part of a name", before: "200", now: "404", look: func(t *testing.T, s *service, version string) string {
			return fmt.Sprint(s.call(t, "GET", nodes+uuid(1)+".json", version, nil).StatusCode)
		}},
		shown(92, "/v1", "runbooks"), code(92, "GET", "/v1/runbooks", nil, "404", "200"), code(92, "POST", "/v1/runbooks", object{}, "405", "400"),
		code(92, "PUT", provision, object{"target": "clean", "runbook": "nope"}, "406|400", "404|400"),
		code(93, "GET", n+"/vmedia", nil, "404", "200|400"),
		code(94, "POST", "/v1/ports", object{"node_ident": "n2", "address": "52:54:00:00:00:94"}, "406", "201"),
		shown(95, n, "disable_power_off"), set(95, n, "disable_power_off", true),
		shown(96, "/v1", "inspection_rules"), code(96, "GET", "/v1/inspection_rules", nil, "404", "200"), code(96, "POST", "/v1/inspection_rules", object{}, "404|405", "400"),
		shown(97, p, "description"), set(97, p, "description", "left"), filter(97, "/v1/ports?description_contains=left"),
		code(98, "PATCH", n, []object{{"op": "add", "path": "/extra/a~1b", "value": 1}}, "400", "200"),
		filter(99, "/v1/ports?conductor_groups=a"), filter(99, "/v1/portgroups?conductor_groups=a"),
		shown(100, p, "vendor"), set(100, p, "vendor", "acme"), shown(101, p, "category"), set(101, p, "category", "fast"),
		shown(102, g, "physical_network"), set(102, g, "physical_network", "physnet1"), shown(103, g, "category"), set(103, g, "category", "fast"),
		shown(104, n, "instance_name"), set(104, n, "instance_name", "web"), filter(104, "/v1/nodes?instance_name=web"),
		code(105, "POST", "/v1/ports", vtep("52:54:00:00:01:05"), "201", "406"),
		filter(106, "/v1/portgroups?shard=s1"),
		{minor: 107, what: "X-OpenStack-Request-Id", before: "", now: "same", look: requestID},
		code(108, "PUT", nodes+uuid(7)+"/states/provision", object{"target": "service", "service_steps": []object{{"interface": "raid", "step": "delete_configuration"}}, "disable_ramdisk": true}, "406", "202|400|409"),
		shown(109, n, "health"),
		code(110, "PUT", nodes+uuid(4)+"/states/provision", object{"target": "abort"}, "406", "202"),
		shown(111, p, "available_for_dynamic_portgroup"), shown(111, g, "dynamic_portgroup"), set(111, p, "available_for_dynamic_portgroup", false),
		shown(112, "/v1/runbooks/"+uuid(26), "description", "traits"), code(112, "GET", "/v1/runbooks/"+uuid(26)+"/traits", nil, "404", "200"),
		shown(113, nodes+uuid(3)+"/history?detail=true", "project"),
		says(114, "identity fields of firmware", "GET", n+"/firmware?fields=component,vendor", nil, "not allowed in this API version"),
		shown(115, nodes+uuid(3)+"/history?detail=true", "state", "target_provision_state", "duration_seconds"),
	}
}

// vtep is a port behind a virtual tunnel end point of OVN.
func vtep(address string) object {
	link := object{"vtep-logical-switch": "a", "vtep-physical-switch": "b", "port_id": "1"}
	return object{"node_uuid": uuid(1), "address": address, "local_link_connection": link}
}

// says404 is a row of two reasons not to find something: there is no such path, or there is nothing at it.
func says404(minor int, what, path, words string) row {
	method := "GET"
	if m, rest, ok := strings.Cut(path, " "); ok {
		method, path = m, rest
	}
	says := map[bool]string{true: "said", false: "not said"}
	r := row{minor: minor, what: what, before: says[false], now: says[true], look: func(t *testing.T, s *service, version string) string {
		a := s.call(t, method, path, version, object{"inventory": object{"interfaces": []object{{"mac_address": "52:54:00:00:00:99"}}}})
		return says[a.StatusCode == 404 && strings.Contains(a.fault(), words)]
	}}
	if method == "POST" {
		r.before, r.now = r.now, r.before // there the old version says it
	}
	return r
}

// requestID compares the two headers of a request's ID.
func requestID(t *testing.T, s *service, version string) string {
	h := s.call(t, "GET", "/v1/nodes", version, nil).Header
	if id := h.Get("X-OpenStack-Request-Id"); id == "" || id != h.Get("OpenStack-Request-Id") {
		return id
	}
	return "same"
}
