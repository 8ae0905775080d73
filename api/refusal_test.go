package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

const nobody = "11111111-2222-4333-8444-555555555555"

// TestRefusals holds the answers to bad input against those of Ironic 21.4, which were recorded from the real one; where
// it answers 500, this one answers 400. "*" at the end of a sentence stands for more.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "ex1")
	port := map[string]any{"node_uuid": uuid, "address": "52:54:00:00:00:01"}
	s.must(t, 201, "POST", "/v1/ports", port)
	for _, tc := range []struct {
		method, path string
		body         any
		version      string
		status       int
		sentence     string
	}{
		{"GET", "/v1/nodes/nosuch", nil, "", 404, "Node nosuch could not be found."},
		{"GET", "/v1/nodes/" + nobody, nil, "", 404, "Node " + nobody + " could not be found."},
		{"GET", "/v1/nodes/bad%20name", nil, "", 400, "Expected UUID or name for node: bad name"},
		{"GET", "/v1/nodes/a%2Fb", nil, "", 400, "Expected UUID or name for node: a/b"},
		{"GET", "/v1/nothing", nil, "", 404, ""},
		{"GET", "/v1/nodes/ex1/nothing", nil, "", 404, ""},
		{"PUT", "/v1/nodes", nil, "", 405, ""},
		{"POST", "/v1", nil, "", 405, ""},
		{"GET", "/v1/nodes", nil, "1.9999", 406, "Version 1.9999 was requested but the minor version is not supported by this service. The supported version range is: [1.1, 1.115]."},
		{"GET", "/v1/nodes", nil, "2.1", 406, "Mutually exclusive versions requested. Version 2.1 requested but not supported by this service. The supported version range is: [1.1, 1.115]."},
		{"GET", "/v1/nodes", nil, "junk", 406, "Invalid value for X-OpenStack-Ironic-API-Version header"},
		{"GET", "/v1/nodes", nil, "1.1, 1.2", 406, "Invalid value for X-OpenStack-Ironic-API-Version header"},
		{"GET", "/v1/nodes", nil, "99999999999999999999.1", 406, "Invalid value for X-OpenStack-Ironic-API-Version header"},
		{"POST", "/v1/nodes", "{not json", "", 400, "cannot read the request's body as JSON: *"},
		{"POST", "/v1/nodes", "null", "", 400, "Schema error for node: None is not of type 'object'"},
		{"POST", "/v1/nodes", "driver=ipmi", "", 400, "cannot read the request's body as JSON: *"},
		{"POST", "/v1/nodes", nil, "", 400, "Schema error for node: 'driver' is a required property"},
		{"POST", "/v1/nodes", `{"name": "x"}`, "", 400, "Schema error for node: 'driver' is a required property"},
		{"POST", "/v1/nodes", `[]`, "", 400, "Schema error for node: [] is not of type 'object'"},
		{"POST", "/v1/nodes", `{"driver": null}`, "", 400, "Schema error for node: None is not of type 'string'"},
		{"POST", "/v1/nodes", `{"driver": "nope"}`, "", 400, `No valid host was found. Reason: No conductor service registered which supports driver nope for conductor group "".`},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "conductor_group": "Far"}`, "", 400, `No valid host was found. Reason: No conductor service registered which supports driver ipmi for conductor group "far".`},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "nope": 1}`, "", 400, "Schema error for node: Additional properties are not allowed ('nope' was unexpected)"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "boot_mode": "uefi", "fault": 1}`, "", 400, "Schema error for node: Additional properties are not allowed ('boot_mode', 'fault' were unexpected)"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "name": "bad name!"}`, "", 400, "Cannot create node with invalid name 'bad name!'"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "name": ""}`, "", 400, "Cannot create node with invalid name ''"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "name": "detail"}`, "", 400, `The word "detail" is reserved and can not be used as a node name. Reserved words are: *`},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "name": "ex1"}`, "", 409, "A node with name ex1 already exists. It belongs to node *"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "uuid": "x"}`, "", 400, "Expected UUID for uuid: x"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "extra": []}`, "", 400, "Schema error for node: [] is not of type 'object', 'null'"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "maintenance": "perhaps"}`, "", 400, "Invalid maintenance: Unrecognized value 'perhaps', acceptable values are: *"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "owner": "me"}`, "1.49", 406, "Request not acceptable."},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "deploy_interface": "nope"}`, "", 400, "Could not find the following interface in the 'ironic.hardware.interfaces.deploy' entrypoint: nope. Valid interfaces are ['direct', 'fake']."},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "deploy_interface": "fake"}`, "", 400, "deploy interface implementation 'fake' is not supported by hardware type ipmi."},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "chassis_uuid": "` + nobody + `"}`, "", 400, "Chassis " + nobody + " could not be found."},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "network_data": {"links": []}}`, "", 400, "cannot set network_data: *"},
		{"POST", "/v1/nodes", `{"driver": "ipmi", "parent_node": "` + nobody + `"}`, "", 400, "Node " + nobody + " could not be found."},
		{"GET", "/v1/nodes?fields=nope", nil, "", 400, "Field nope is not a valid field."},
		{"GET", "/v1/nodes?fields=associated", nil, "", 400, "Field associated is not a valid field."},
		{"GET", "/v1/nodes?fields=fault", nil, "1.41", 406, "Request not acceptable."},
		{"GET", "/v1/nodes?fields=uuid", nil, "1.7", 406, "Request not acceptable."},
		{"GET", "/v1/nodes?fields=uuid&detail=true", nil, "", 400, "Can not specify ?detail=True and fields in the same request."},
		{"GET", "/v1/nodes?detail=true", nil, "1.42", 400, "Invalid query parameter ?detail=*"},
		{"GET", "/v1/nodes?limit=x", nil, "", 400, "Expected an integer for limit: x"},
		{"GET", "/v1/nodes?limit=0", nil, "", 400, "Limit must be positive"},
		{"GET", "/v1/nodes?limit=-1", nil, "", 400, "Limit must be positive"},
		{"GET", "/v1/nodes?sort_key=properties", nil, "", 400, "The sort_key value properties is an invalid field for sorting"},
		{"GET", "/v1/nodes?sort_key=nope", nil, "", 400, "The sort_key value nope is an invalid field for sorting"},
		{"GET", "/v1/nodes?sort_dir=up", nil, "", 400, "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'"},
		{"GET", "/v1/nodes?marker=" + nobody, nil, "", 404, "Node " + nobody + " could not be found."},
		{"GET", "/v1/nodes?marker=x", nil, "", 400, "Expected UUID for marker: x"},
		{"GET", "/v1/nodes?frob=1", nil, "", 400, "Unexpected arguments: frob"},
		{"GET", "/v1/nodes?maintenance=1&maintenance=x", nil, "", 400, "Invalid maintenance: *"},
		{"GET", "/v1/nodes?provision_state=nope", nil, "", 400, `Provision state "nope" is not valid`},
		{"GET", "/v1/nodes?provision_state=active", nil, "1.8", 406, "Request not acceptable. The minimal required API version should be 1.9"},
		{"GET", "/v1/nodes?driver=ipmi", nil, "1.15", 406, "Request not acceptable. The minimal required API version should be 1.16"},
		{"GET", "/v1/nodes?fault=nope", nil, "", 400, `Unrecognized fault "nope" is specified, *`},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "remove", "path": "/extra/zz"}]`, "", 400, "Couldn't apply patch '{'op': 'remove', 'path': '/extra/zz'}'. Reason: can't remove a non-existent object 'zz'"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "replace", "path": "/extra/a/b", "value": 1}]`, "", 400, "Couldn't apply patch '{'op': 'replace', 'path': '/extra/a/b', 'value': 1}'. Reason: member 'a' not found in {}"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/extra/a"}]`, "", 400, "Couldn't apply patch '*"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/provision_state", "value": "active"}]`, "", 400, "Cannot patch /provision_state. Only the following can be updated: automated_clean, bios_interface, *"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "frob", "path": "/extra"}]`, "", 400, "Schema error for patch: 'frob' is not one of ['add', 'replace', 'remove']"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "test", "path": "/extra", "value": {}}]`, "", 400, "Schema error for patch: 'test' is not one of ['add', 'replace', 'remove']"},
		{"PATCH", "/v1/nodes/ex1", `{"op": "add"}`, "", 400, "Schema error for patch: {'op': 'add'} is not of type 'array'"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add"}]`, "", 400, "Schema error for patch: 'path' is a required property"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/"}]`, "", 400, "Schema error for patch: '/' does not match *"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/extra/a~1b", "value": 1}]`, "1.97", 400, "Schema error for patch: '/extra/a~1b' does not match *"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "remove", "path": "/driver"}]`, "", 400, "Schema error for patch: 'driver' is a required property"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/extra", "value": 5}]`, "", 400, "Schema error for patch: 5 is not of type 'object', 'null'"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/name", "value": "a b"}]`, "", 400, "Node " + "*"},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/lessee", "value": "me"}]`, "1.64", 406, "Request not acceptable."},
		{"PATCH", "/v1/nodes/ex1", `[{"op": "add", "path": "/protected", "value": true}]`, "", 409, "Node * can only be made protected in provision states 'active' or 'rescue', the current state is 'enroll'"},
		{"PATCH", "/v1/nodes/ex1?reset_interfaces=true", `[{"op": "add", "path": "/extra", "value": {}}]`, "", 400, "The reset_interfaces parameter can only be used when changing the node's driver."},
		{"PATCH", "/v1/nodes/ex1?reset_interfaces=true", `[{"op": "add", "path": "/driver", "value": "ipmi"}]`, "1.44", 406, "Request not acceptable."},
		{"PATCH", "/v1/nodes/ex1", "null", "", 400, "Schema error for patch: None is not of type 'array'"},
		{"PUT", "/v1/nodes/ex1/states/provision", `{"target": "active"}`, "", 400, `The requested action "active" can not be performed on node "` + uuid + `" while it is in state "enroll".`},
		{"PUT", "/v1/nodes/ex1/states/provision", `{"target": "frob"}`, "", 400, `The requested action "frob" can not be performed on node "` + uuid + `" while it is in state "enroll".`},
		{"PUT", "/v1/nodes/ex1/states/provision", `{}`, "", 400, "Missing mandatory parameter: target"},
		{"PUT", "/v1/nodes/ex1/states/provision", `{"target": 5}`, "", 400, "Expected string for target: 5"},
		{"PUT", "/v1/nodes/ex1/states/provision", `{"target": "manage", "frob": 1}`, "", 400, "Unexpected arguments: frob"},
		{"PUT", "/v1/nodes/ex1/states/provision", `[]`, "", 400, "Expected an object in the request's body: []"},
		{"PUT", "/v1/nodes/" + uuid + "/states/provision", `{"target": "manage"}`, "1.3", 406, "Request not acceptable."},
		{"PUT", "/v1/nodes/ex1/states/power", `{"target": "warp"}`, "", 400, `The requested action "warp" can not be performed on node "ex1" while it is in state "None".`},
		{"PUT", "/v1/nodes/ex1/states/power", `{"target": "soft power off"}`, "1.26", 406, "Request not acceptable."},
		{"PUT", "/v1/nodes/ex1/states/power", `{"target": "power on", "timeout": 0}`, "", 400, "timeout has to be positive integer"},
		{"PUT", "/v1/nodes/ex1/states/power", `{"target": "power on", "timeout": "soon"}`, "", 400, "Expected an integer for timeout: soon"},
		{"PUT", "/v1/nodes/ex1/management/boot_device", `{"boot_device": "moon"}`, "", 400, "Invalid boot device moon specified."},
		{"PUT", "/v1/nodes/ex1/management/boot_device", `{}`, "", 400, "Missing mandatory parameter: boot_device"},
		{"PUT", "/v1/nodes/ex1/management/inject_nmi", `{}`, "1.28", 404, "Resource could not be found."},
		{"GET", "/v1/nodes/ex1/states/nope", nil, "", 404, ""},
		{"GET", "/v1/nodes/ex1/history", nil, "1.77", 404, ""},
		{"GET", "/v1/nodes/ex1/history/" + nobody, nil, "", 404, "Node history record " + nobody + " could not be found."},
		{"GET", "/v1/nodes/ex1/inventory", nil, "", 404, "Node inventory record for node " + uuid + " could not be found."},
		{"GET", "/v1/nodes/ex1", nil, "1.4", 404, "Node ex1 could not be found."},
		{"GET", "/v1/nodes/validate", nil, "", 400, "Missing mandatory parameter: node"},
		{"POST", "/v1/ports", `{"address": "52:54:00:00:00:02", "node_uuid": "` + nobody + `"}`, "", 400, "Node " + nobody + " could not be found."},
		{"POST", "/v1/ports", `{"address": "52:54:00:00:00:02"}`, "", 400, "Schema error for port: *"},
		{"POST", "/v1/ports", `{"node_uuid": "` + uuid + `"}`, "", 400, "Schema error for port: 'address' is a required property"},
		{"POST", "/v1/ports", `{"address": "5254.0000.0002", "node_uuid": "` + uuid + `"}`, "", 400, "Expected valid MAC address for address: 5254.0000.0002"},
		{"POST", "/v1/ports", port, "", 409, "A port with MAC address 52:54:00:00:00:01 already exists. It is port *"},
		{"POST", "/v1/ports", `{"address": "52:54:00:00:00:02", "node_ident": "ex1"}`, "1.93", 406, "Request not acceptable."},
		{"POST", "/v1/ports", `{"address": "52:54:00:00:00:02", "node_uuid": "` + uuid + `", "is_smartnic": true}`, "", 400, "Smart NIC port must have port_id and hostname in local_link_connection"},
		{"POST", "/v1/ports", `{"address": "52:54:00:00:00:02", "node_uuid": "` + uuid + `", "local_link_connection": {"port_id": "1"}}`, "", 400, "Schema error for local_link_connection: *"},
		{"GET", "/v1/ports/" + nobody, nil, "", 404, "Port " + nobody + " could not be found."},
		{"GET", "/v1/ports?portgroup=pg", nil, "", 404, "Portgroup pg could not be found."},
		{"PATCH", "/v1/ports/52:54:00:00:00:01", `[]`, "", 400, "Expected UUID or name for port: 52:54:00:00:00:01"},
		{"GET", "/v1/drivers/nope", nil, "", 404, "Could not find the following driver(s) or hardware type(s): nope."},
		{"GET", "/v1/drivers?type=x", nil, "", 400, `"type" filter must be one of "classic" or "dynamic", if specified.`},
		{"GET", "/v1/conductors", nil, "1.48", 404, "Resource could not be found."},
		{"GET", "/v1/conductors/nope", nil, "", 404, "Conductor nope could not be found."},
		{"POST", "/v1/heartbeat/" + uuid, `{"callback_url": "https://192.0.2.1:9999"}`, "", 400, "Agent token is required for heartbeat processing."},
		{"POST", "/v1/heartbeat/" + uuid, `{"callback_url": "ftp://x", "agent_token": "t"}`, "", 400, `An issue with the supplied "callback_url" has been detected.`},
		{"POST", "/v1/heartbeat/" + uuid, `{"agent_token": "t"}`, "", 400, "Missing mandatory parameter: callback_url"},
		{"GET", "/v1/lookup?addresses=52:54:00:00:00:09", nil, "", 404, "Resource could not be found."},
		{"GET", "/v1/lookup?node_uuid=" + nobody, nil, "", 404, "Resource could not be found."},
		{"GET", "/v1/lookup", nil, "", 400, "At least one of 'addresses' and 'node_uuid' parameters is required"},
		{"GET", "/v1/lookup?addresses=52:54:00:00:00:01", nil, "1.21", 404, "Resource could not be found."},
		{"POST", "/v1/continue_inspection", `{}`, "", 400, "Schema error for data: 'inventory' is a required property"},
		{"POST", "/v1/continue_inspection", `{"inventory": {"interfaces": []}}`, "", 400, "Schema error for data: *"},
		{"POST", "/v1/continue_inspection", `{"inventory": {"interfaces": [{"mac_address": "52:54:00:00:00:01"}]}}`, "1.83", 404, "API version 1.84 or newer is required"},
		{"GET", "/v1/events?after=x", nil, "", 400, "Expected an integer for after: x"},
	} {
		headers := []string{}
		if tc.version != "" {
			headers = append(headers, version(tc.version))
		}
		a := s.call(t, tc.method, tc.path, tc.body, headers...)
		label := tc.method + " " + tc.path + " at " + tc.version
		require.Equal(t, tc.status, a.StatusCode, "%s: %v: %s", label, tc.body, a.text)
		before, after, open := strings.Cut(tc.sentence, "*")
		if open {
			require.Truef(t, strings.HasPrefix(a.fault(), before) && strings.HasSuffix(a.fault(), after), "%s: %v: %s", label, tc.body, a.fault())
		} else {
			require.Equal(t, tc.sentence, a.fault(), "%s: %v", label, tc.body)
		}
		require.Equal(t, "1.1", a.Header.Get("X-OpenStack-Ironic-API-Minimum-Version"), label)
		require.Equal(t, "1.115", a.Header.Get("X-OpenStack-Ironic-API-Maximum-Version"), label)
		require.Regexp(t, `^req-[0-9a-f-]{36}$`, a.Header.Get("openstack-request-id"), label)
	}
}

// TestFrameworkErrors: what Ironic's web framework refuses has another inner document than what its own code refuses.
func TestFrameworkErrors(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.JSONEq(t, `{"error_message": "{\"code\":404,\"description\":\"\",\"title\":\"Not Found\"}"}`, s.call(t, "GET", "/v1/nothing", nil).text)
	require.JSONEq(t, `{"error_message": "{\"faultcode\":\"Client\",\"faultstring\":\"Node x could not be found.\",\"debuginfo\":null}"}`, s.call(t, "GET", "/v1/nodes/x", nil).text)
}

// TestBodyGuard: bodies that are too large or too deep are refused before they are parsed, without double encoding.
func TestBodyGuard(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "ex1")
	deep := strings.Repeat(`{"a":`, 26) + "1" + strings.Repeat("}", 26)
	a := s.must(t, 400, "POST", "/v1/nodes", deep)
	require.JSONEq(t, `{"faultcode": "Client", "faultstring": "Request body JSON is nested too deeply. Please contact the service administrator."}`, a.text)
	a = s.must(t, 400, "POST", "/v1/nodes", `{"driver": "nope", "extra": {"a\"": "`+strings.Repeat("[{", 99)+`"}}`)
	require.Contains(t, a.fault(), "No valid host", "brackets in strings do not count")
	large := `{"driver": "` + strings.Repeat("x", 1<<20) + `"}`
	a = s.must(t, 413, "POST", "/v1/nodes", large)
	require.JSONEq(t, `{"faultcode": "Client", "faultstring": "Request body is too large. Please contact the service administrator."}`, a.text)
	s.must(t, 413, "PATCH", "/v1/nodes/ex1", large)
	a = s.must(t, 400, "PUT", "/v1/nodes/ex1/states/provision", `{"target": "active", "configdrive": "`+strings.Repeat("x", 2<<20)+`"}`)
	require.Contains(t, a.fault(), "can not be performed", "a config drive may be larger than other bodies")
}

// TestFailuresOfOurs: what goes wrong behind the API is 500 without its insides, or with the BMC's reason.
func TestFailuresOfOurs(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enrol(t, "ex1")
	s.Conductor.fail = errInsides{}
	a := s.must(t, 500, "PUT", "/v1/nodes/ex1/states/provision", `{"target": "manage"}`)
	require.NotContains(t, a.text, "insides")
	require.Contains(t, a.fault(), a.Header.Get("openstack-request-id"))
	s.Conductor.fail = ingot.Errorf(ingot.Unauthorized, "192.0.2.1: the BMC refused the password")
	a = s.must(t, 500, "GET", "/v1/nodes/ex1/management/boot_device", nil)
	require.Equal(t, "192.0.2.1: the BMC refused the password", a.fault())
	s.Conductor.fail = ingot.Errorf(ingot.Unsupported, "Driver fake-hardware does not support inject_nmi (disabled or not implemented).")
	s.must(t, 400, "PUT", "/v1/nodes/ex1/management/inject_nmi", `{}`)
	s.Conductor.fail = ingot.Errorf(ingot.Unavailable, "no room")
	s.must(t, 503, "PUT", "/v1/nodes/ex1/states/provision", `{"target": "manage"}`)
}

type errInsides struct{}

func (errInsides) Error() string { return "the insides" }
