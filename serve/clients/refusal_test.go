package clients_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// refusal is a bad request with its answer. "*" in a sentence stands for anything.
type refusal struct {
	method, path string
	body         any
	status       int
	sentence     string
}

// TestRefusals: what is wrong with a request is said in Ironic's words. The nodes' and ports' own table is in api.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	furnish(t, s)
	n := nodes + uuid(1)
	for _, r := range []refusal{
		{"GET", "/v1/chassis/nosuch", nil, 400, "*"},
		{"GET", "/v1/chassis/" + uuid(90), nil, 404, "Chassis " + uuid(90) + " could not be found."},
		{"POST", "/v1/chassis", object{"nope": 1}, 400, "Schema error for chassis: Additional properties are not allowed ('nope' was unexpected)"},
		{"POST", "/v1/chassis", `[]`, 400, "Schema error for chassis: [] is not of type 'object'"},
		{"POST", "/v1/chassis", object{"uuid": uuid(20)}, 409, "*"},
		{"GET", "/v1/chassis?limit=x", nil, 400, "Expected an integer for limit: x"},
		{"GET", "/v1/chassis?fields=nope", nil, 400, "Field nope is not a valid field."},
		{"PATCH", "/v1/chassis/" + uuid(20), `{}`, 400, "Schema error for patch: {} is not of type 'array'"},

		{"GET", "/v1/portgroups/nosuch", nil, 404, "Portgroup nosuch could not be found."},
		{"POST", "/v1/portgroups", object{"node_uuid": uuid(90)}, 400, "Node " + uuid(90) + " could not be found."},
		{"POST", "/v1/portgroups", object{"name": "x"}, 400, "Schema error for portgroup: 'node_uuid' is a required property"},
		{"POST", "/v1/portgroups", object{"node_uuid": uuid(1), "name": "pg1"}, 409, "*"},
		{"POST", "/v1/portgroups", object{"node_uuid": uuid(1), "address": "x"}, 400, "Expected valid MAC address for address: x"},
		{"POST", "/v1/portgroups", object{"node_uuid": uuid(1), "name": "a b"}, 400, "*a b*"},
		{"PATCH", groups + "pg1", []object{{"op": "add", "path": "/internal_info", "value": object{}}}, 400, "Cannot patch /internal_info. *"},
		{"GET", "/v1/portgroups?sort_key=properties", nil, 400, "The sort_key value properties is an invalid field for sorting"},

		{"GET", "/v1/volume/connectors/" + uuid(90), nil, 404, "Volume connector " + uuid(90) + " could not be found."},
		{"GET", "/v1/volume/targets/" + uuid(90), nil, 404, "Volume target " + uuid(90) + " could not be found."},
		{"POST", "/v1/volume/connectors", object{"node_uuid": uuid(1), "type": "iqn"}, 400, "Schema error for *: 'connector_id' is a required property"},
		{"POST", "/v1/volume/connectors", object{"node_uuid": uuid(1), "type": "iqn", "connector_id": "iqn.2026-01.net.example:a"}, 409, "*"},
		{"POST", "/v1/volume/targets", object{"node_uuid": uuid(1), "volume_type": "iscsi", "volume_id": "v", "boot_index": 0}, 409, "*"},
		{"POST", "/v1/volume/targets", object{"node_uuid": uuid(1), "volume_type": "iscsi", "volume_id": "v", "boot_index": "first"}, 400, "*"},
		{"GET", "/v1/volume/nope", nil, 404, ""},
		{"GET", "/v1/shards/s1", nil, 404, ""},
		{"POST", "/v1/shards", object{}, 405, ""},

		{"PUT", n + "/traits/nope", nil, 400, "Schema error for trait: 'nope' is not valid under any of the given schemas*"},
		{"PUT", n + "/traits", object{}, 400, "*traits*"},
		{"PUT", n + "/traits", object{"traits": "CUSTOM_A"}, 400, "*"},
		{"DELETE", n + "/traits/CUSTOM_NONE", nil, 404, "*CUSTOM_NONE*"},
		{"POST", n + "/vifs", object{}, 400, "*'id' is a required property"},
		{"POST", n + "/vifs", object{"id": "a b"}, 400, "*a b*"},
		{"POST", n + "/vifs", object{"id": "a", "port_uuid": uuid(21), "portgroup_uuid": uuid(22)}, 400, "Cannot specify both port_uuid and portgroup_uuid*"},
		{"GET", n + "/bios/nosuch", nil, 404, "*nosuch*"},
		{"GET", n + "/firmware/bmc", nil, 404, ""},
		{"PUT", nodes + uuid(6) + "/states/boot_mode", object{"target": "cpm"}, 400, "*cpm*"},
		{"PUT", nodes + uuid(6) + "/states/boot_mode", object{}, 400, "Missing mandatory parameter: target"},
		{"PUT", nodes + uuid(6) + "/states/secure_boot", object{"target": "perhaps"}, 400, "*perhaps*"},
		{"PUT", nodes + uuid(6) + "/states/raid", object{"logical_disks": []object{{"size_gb": 1, "raid_level": "99"}}}, 400, "*"},
		{"PUT", n + "/states/console", object{"enabled": "perhaps"}, 400, "*perhaps*"},
		{"PUT", n + "/states/console", object{}, 400, "Missing mandatory parameter: enabled"},
		{"GET", n + "/management/indicators/nosuch@system", nil, 400, "Unknown indicator nosuch for component system*"},
		{"PUT", n + "/management/indicators/led@system", object{"state": "purple"}, 400, "*purple*"},
		{"POST", n + "/vmedia", object{"device_type": "tape", "image_url": "http://192.0.2.1/a"}, 400, "*tape*"},
		{"POST", n + "/vmedia", object{"device_type": "cdrom"}, 400, "*image_url*"},
		{"DELETE", n + "/vmedia?device_types=tape", nil, 400, "*tape*"},
		{"GET", n + "/vendor_passthru", nil, 400, "*method*"},
		{"POST", n + "/vendor_passthru?method=nosuch", object{}, 400, "*nosuch*"},
		{"GET", "/v1/drivers/fake-hardware/vendor_passthru?method=nosuch", nil, 400, "*nosuch*"},
		{"GET", "/v1/drivers/nosuch/vendor_passthru/methods", nil, 404, "*nosuch*"},
		{"POST", "/v1/events", object{"events": []object{{"event": "network.frob"}}}, 400, "*network.frob*"},
		{"POST", "/v1/events", object{}, 400, "*'events' is a required property"},
		{"DELETE", n + "/allocation", nil, 404, "*"},
	} {
		s.refuses(t, r)
	}
	s.must(t, 200, "GET", n, nil) // none of them has broken anything
}

// refuses holds a request against its answer.
func (s *service) refuses(t *testing.T, r refusal) {
	t.Helper()
	a := s.call(t, r.method, r.path, "1.115", r.body)
	assert.Equal(t, r.status, a.StatusCode, "%s %s %v: %s", r.method, r.path, r.body, a.text)
	rest := a.fault()
	parts := strings.Split(r.sentence, "*")
	for i, part := range parts {
		at := strings.Index(rest, part)
		assert.True(t, at == 0 || at > 0 && i > 0, "%s %s %v: %q is not %q", r.method, r.path, r.body, a.fault(), r.sentence)
		rest = rest[max(0, at)+min(len(rest)-max(0, at), len(part)):]
	}
	assert.True(t, rest == "" || strings.HasSuffix(r.sentence, "*"), "%s %s %v: %q is not %q", r.method, r.path, r.body, a.fault(), r.sentence)
}
