package api_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
)

// TestLookup: a ramdisk finds its node by its addresses, and gets its token, which nothing else shows.
func TestLookup(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.HeartbeatTimeout = time.Minute })
	uuid := s.enrol(t, "n1")
	s.must(t, 201, "POST", "/v1/ports", map[string]any{"node_uuid": uuid, "address": "52:54:00:00:00:01"})
	a := s.must(t, 200, "GET", "/v1/lookup?addresses=52:54:00:00:00:01,junk,52:54:00:00:00:99", nil, version("1.68"))
	node, _ := a.body["node"].(map[string]any)
	require.ElementsMatch(t, []string{"uuid", "properties", "instance_info", "driver_internal_info", "links"}, keys(node))
	require.Equal(t, uuid, node["uuid"])
	require.Equal(t, "******", node["driver_internal_info"].(map[string]any)["agent_secret_token"])
	config, _ := a.body["config"].(map[string]any)
	require.Equal(t, "once-only", config["agent_token"])
	require.Equal(t, true, config["agent_token_required"])
	require.Equal(t, 60.0, config["heartbeat_timeout"])
}

// TestHeartbeat: what the agent says reaches the conductor, by version.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	body := `{"callback_url": "https://192.0.2.1:9999", "agent_token": "t", "agent_version": "12.0", "agent_verify_ca": "PEM", "agent_status": "start", "agent_status_message": "hi"}`
	a := s.must(t, 202, "POST", "/v1/heartbeat/"+uuid, body)
	require.Empty(t, a.text)
	s.must(t, 202, "POST", "/v1/heartbeat/n1", body)
	require.Equal(t, ingot.Heartbeat{CallbackURL: "https://192.0.2.1:9999", Token: "t", Version: "12.0", CA: "PEM", Status: "start", StatusMessage: "hi", From: "127.0.0.1"}, s.Conductor.beats[0])
	for v, sentence := range map[string]string{
		"1.35": `Field "agent_version" not recognised`,
		"1.67": `Fields "agent_status" and "agent_status_message" not recognised.`,
		"1.21": "Resource could not be found.",
	} {
		status := 400
		if v == "1.21" {
			status = 404
		}
		a := s.must(t, status, "POST", "/v1/heartbeat/"+uuid, body, version(v))
		if v != "1.35" { // there, either complaint is right
			require.Equal(t, sentence, a.fault(), v)
		}
	}
	s.must(t, 400, "POST", "/v1/heartbeat/"+uuid, `{"callback_url": "https://192.0.2.1:9999", "agent_token": "t", "agent_status": "odd"}`)
}

// TestContinueInspection: inspection data arrive with what plug-ins added, and are shown afterwards.
func TestContinueInspection(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.must(t, 201, "POST", "/v1/ports", map[string]any{"node_uuid": uuid, "address": "52:54:00:00:00:01"})
	data := `{"inventory": {"interfaces": [{"name": "eth0", "mac_address": "52:54:00:00:00:01"}], "cpu": {"count": 4, "architecture": "x86_64"},
		"memory": {"total": 1073741824, "physical_mb": null}, "disks": [], "unknown": {"kept": false}}, "root_disk": {"name": "/dev/sda"}, "error": null}`
	a := s.must(t, 202, "POST", "/v1/continue_inspection", data)
	require.Contains(t, a.body, "config")
	require.JSONEq(t, `{"uuid": "`+uuid+`"}`, s.must(t, 202, "POST", "/v1/continue_inspection", data, version("")).text)
	s.must(t, 202, "POST", "/v1/continue_inspection?node_uuid="+uuid, data)
	s.must(t, 404, "POST", "/v1/continue_inspection?node_uuid="+uuid, data, version("1.1"))
	found := s.must(t, 200, "GET", "/v1/nodes/n1/inventory", nil).body
	require.Equal(t, map[string]any{"root_disk": map[string]any{"name": "/dev/sda"}, "error": nil}, found["plugin_data"])
	cpu, _ := found["inventory"].(map[string]any)["cpu"].(map[string]any)
	require.Equal(t, 4.0, cpu["count"])
}

// TestRamdiskSide: on provisioning networks there is discovery and what ramdisks call, and nothing else.
func TestRamdiskSide(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.DevRamdisk = false })
	uuid := s.enrol(t, "n1")
	s.must(t, 404, "GET", "/v1/lookup?node_uuid="+uuid, nil)
	require.NotContains(t, s.must(t, 200, "GET", "/v1", nil).body, "lookup")
	s.Auth = deny{}
	side := httptest.NewServer(s.RamdiskHandler())
	defer side.Close()
	users := s.URL
	s.URL = side.URL
	s.must(t, 200, "GET", "/", nil)
	s.must(t, 200, "GET", "/v1/lookup?node_uuid="+uuid, nil)
	s.must(t, 202, "POST", "/v1/heartbeat/"+uuid, `{"callback_url": "https://192.0.2.1:9999", "agent_token": "t"}`)
	for _, path := range []string{"/v1/nodes", "/v1/nodes/" + uuid, "/v1/ports", "/metrics", "/v1/events", "/healthz"} {
		s.must(t, 404, "GET", path, nil)
	}
	s.URL = users
	s.must(t, 401, "GET", "/v1/nodes", nil)
}

// TestEvidence: what the boot service did for the machine.
func TestEvidence(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	require.JSONEq(t, `{"evidence": []}`, s.must(t, 200, "GET", "/v1/nodes/n1/evidence", nil).text)
	s.set(t, uuid, func(n *ingot.Node) {
		n.Evidence = []ingot.Evidence{{At: time.Unix(1700000000, 5000), What: "offered 192.0.2.7"}}
	})
	require.JSONEq(t, `{"evidence": [{"at": "2023-11-14T22:13:20.000005+00:00", "what": "offered 192.0.2.7"}]}`, s.must(t, 200, "GET", "/v1/nodes/n1/evidence", nil).text)
}
