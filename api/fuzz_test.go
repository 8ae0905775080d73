package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// answers sends a request straight to the handler. Whatever clients send, the service does not fail: never 5xx, what is
// said of it can be read, and the memory that it takes is bounded by the request's length.
func (s *service) answers(t *testing.T, method, path, body, minor string) *httptest.ResponseRecorder {
	t.Helper()
	target, err := url.Parse("http://service" + path)
	if err != nil {
		return httptest.NewRecorder() // what is no URL reaches no service
	}
	r := (&http.Request{Method: method, URL: target, Header: http.Header{}, Body: http.NoBody, Host: "service", RemoteAddr: "192.0.2.1:1"}).WithContext(t.Context())
	if body != "" {
		r.Body, r.ContentLength = http.MaxBytesReader(nil, noClose{strings.NewReader(body)}, 1<<30), int64(len(body))
	}
	r.Header.Set("X-OpenStack-Ironic-API-Version", minor)
	w, before := httptest.NewRecorder(), allocated()
	s.Handler().ServeHTTP(w, r)
	boundedMemory(t, before, len(path)+len(body), path)
	require.Less(t, w.Code, 500, "%s %s %s: %s", method, path, body, w.Body)
	require.True(t, w.Body.Len() == 0 || strings.HasPrefix(w.Header().Get("Content-Type"), "application/json"), w.Body)
	return w
}

type noClose struct{ *strings.Reader }

func (noClose) Close() error { return nil }

// FuzzPatch: patch documents of nodes and ports.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`[{"op": "add", "path": "/extra/a", "value": {"b": [1, {"c": null}]}}, {"op": "remove", "path": "/extra/a/b/1/c"}]`,
		`[{"op": "add", "path": "/extra/a", "value": []}, {"op": "add", "path": "/extra/a/-", "value": 1}, {"op": "replace", "path": "/extra/a/0", "value": 2}, {"op": "remove", "path": "/extra/a/0"}]`,
		`[{"op": "replace", "path": "/driver_info/ipmi_password", "value": "x"}, {"op": "remove", "path": "/driver_info"}]`,
		`[{"op": "add", "path": "/extra/a~1b", "value": 1}, {"op": "add", "path": "/extra/~0", "value": 1e300}]`,
		`[{"op": "replace", "path": "/name", "value": "n9"}, {"op": "replace", "path": "/maintenance", "value": "yes"}]`,
		`[{"op": "add", "path": "/extra/0/0/0", "value": 1}]`, `[[]]`, `[{"op": 1}]`, `[{"op": "add", "path": "/name/x", "value": 1}]`,
		`[{"op": "add", "path": "/address", "value": "52:54:00:00:00:05"}, {"op": "add", "path": "/local_link_connection", "value": {"port_id": "1", "switch_id": "x"}}]`,
		`[{"op": "remove", "path": "/mode"}, {"op": "add", "path": "/properties/miimon", "value": "100"}, {"op": "replace", "path": "/physical_network", "value": "net"}]`,
		`[{"op": "replace", "path": "/boot_index", "value": -1e9}, {"op": "replace", "path": "/boot_index", "value": 1.5}]`, `[{"op": "replace", "path": "/portgroup_uuid", "value": "` + fuzzGroup + `"}]`,
		`[{"op": "add", "path": "/parent_node", "value": "n1"}]`, `[{"op": "add", "path": "/driver", "value": "ipmi"}]`,
	} {
		f.Add(seed)
	}
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, path := range append(fuzzThings(), "/v1/nodes/"+fuzzNode) {
			before := s.answers(t, "GET", path, "", "1.115").Body.String()
			for _, minor := range []string{"1.1", "1.115"} {
				if w := s.answers(t, "PATCH", path, text, minor); w.Code >= 400 && minor == "1.1" {
					require.Equal(t, before, s.answers(t, "GET", path, "", "1.115").Body.String(), "what is refused changes nothing")
				}
			}
		}
	})
}

// FuzzQuery: list and show parameters.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"limit=1&marker=" + fuzzNode, "fields=uuid,name&sort_key=name&sort_dir=desc", "detail=true", "fields=a&fields=b", "maintenance=%zz", "shard=a,,b&sharded=1",
		"provision_state=active", "description_contains=%25_%5c", "sort_key=secure_boot&limit=99999999999999999999", "limit=1e3", "addresses=52:54:00:00:00:01,x&node_uuid=" + fuzzNode,
		"node=n1", "address=52:54:00:00:00:01", "type=dynamic&detail=1", "sort_key=id", "marker=x&sort_key=created_at", "conductor_group=&owner=", "portgroup=g1&shard=a", "conductor_groups=a,,b&conductor_groups=c", "node=n1&portgroup=%00", "sort_key=boot_index&fields=volume_id,properties", "sort_key=is_smartnic&sort_dir=asc&marker=" + fuzzPort,
	} {
		f.Add(seed)
	}
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range append(
			fuzzThings(), "/v1/portgroups", "/v1/chassis", "/v1/volume/connectors", "/v1/volume/targets", "/v1/shards", "/v1/chassis/"+fuzzChassis+"/nodes", "/v1/portgroups/"+fuzzGroup+"/ports",
			"/v1/nodes", "/v1/nodes/detail", "/v1/nodes/"+fuzzNode, "/v1/ports", "/v1/drivers", "/v1/drivers/ipmi",
			"/v1/conductors", "/v1/lookup", "/v1/nodes/validate", "/v1/nodes/"+fuzzNode+"/history", "/v1/nodes/"+fuzzNode+"/ports",
		) {
			s.answers(t, "GET", path+"?"+query, "", "1.115")
		}
	})
}

// FuzzBody: everything that takes one.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"driver": "ipmi", "name": "x", "extra": {"a": [1, 2.5, null, true, "x"]}, "instance_info": {"capabilities": {}}}`,
		`{"target": "active", "configdrive": {"meta_data": {}, "user_data": []}}`, `{"target": "manage"}`, `{"target": "clean", "clean_steps": [{"interface": "deploy", "step": "x", "args": {}}]}`,
		`{"target": "power on", "timeout": 1.5}`, `{"boot_device": "pxe", "persistent": 1}`, `{"reason": null}`, `{"address": "52:54:00:00:00:07", "node_ident": "n1"}`,
		`{"node_uuid": "` + fuzzNode + `", "name": "g2", "mode": 5, "standalone_ports_supported": "no"}`, `{"description": null, "extra": {}}`,
		`{"node_uuid": "` + fuzzNode + `", "type": "iqn", "connector_id": "x"}`, `{"node_uuid": "` + fuzzNode + `", "volume_type": "iscsi", "volume_id": "v", "boot_index": 99999999999999999999}`,
		`{"id": "vif-a", "port_uuid": "` + fuzzPort + `", "portgroup_uuid": null}`, `{"id": "vif-b", "more": [1]}`,
		`{"events": [{"event": "network.bind_port", "port_id": "` + fuzzPort + `", "mac_address": "52:54:00:00:00:01", "status": "ACTIVE", "device_id": null, "binding:host_id": "\u0000"}]}`,
		`{"callback_url": "https://[::1]:9999", "agent_token": "x", "agent_version": "1"}`, `{"callback_url": "http://%zz", "agent_token": "x"}`,
		`{"inventory": {"interfaces": [{"mac_address": "52:54:00:00:00:01"}], "cpu": {"count": "x"}}}`, `{"inventory": {"interfaces": [null]}}`, `null`, `[]`, `"x"`, `1e999`, `{"a":`, "\xff", `{"driver":"ipmi","uuid":5}`,
	} {
		f.Add(seed)
	}
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, text string) {
		node := "/v1/nodes/" + fuzzNode
		for path, method := range map[string]string{
			"/v1/nodes": "POST", "/v1/ports": "POST", "/v1/portgroups": "POST", "/v1/chassis": "POST", "/v1/volume/connectors": "POST", "/v1/volume/targets": "POST", "/v1/events": "POST", node + "/vifs": "POST", node + "/states/provision": "PUT", node + "/states/power": "PUT", node + "/maintenance": "PUT",
			node + "/management/boot_device": "PUT", node + "/management/inject_nmi": "PUT", "/v1/heartbeat/" + fuzzNode: "POST", "/v1/continue_inspection": "POST",
		} {
			s.answers(t, method, path, text, "1.115")
		}
	})
}

// FuzzPath: the path, the method and the version.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/v1/nodes/n1", "/v1/nodes/%2e%2e", "/v1//", "//", "/nodes.json", "/v1/nodes/%", "/v1/nodes/a%2Fb/states", "/v1/nodes/\x00", "/v1/nodes/n1/history/x", "*", "/v1/heartbeat/%zz"} {
		f.Add(seed, "GET", "1.1")
		f.Add(seed, "PUT", "latest")
		f.Add(seed, "BREW", "1.")
	}
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, path, method, minor string) {
		if strings.Contains(path, "events") || strings.Contains(path, "metrics") {
			return // they answer in other forms
		}
		s.answers(t, method, path, "", minor)
	})
}

const (
	fuzzNode      = "aaaaaaaa-0000-4000-8000-000000000001"
	fuzzPort      = "bbbbbbbb-0000-4000-8000-000000000001"
	fuzzGroup     = "cccccccc-0000-4000-8000-000000000001"
	fuzzChassis   = "dddddddd-0000-4000-8000-000000000001"
	fuzzConnector = "eeeeeeee-0000-4000-8000-000000000001"
	fuzzTarget    = "ffffffff-0000-4000-8000-000000000001"
)

// fuzzThings are the paths of what there is beside the node.
func fuzzThings() []string {
	return []string{"/v1/ports/" + fuzzPort, "/v1/portgroups/" + fuzzGroup, "/v1/chassis/" + fuzzChassis, "/v1/volume/connectors/" + fuzzConnector, "/v1/volume/targets/" + fuzzTarget}
}

// fuzzed is a service with one of each thing that runs may change as they like, one after another.
func fuzzed(t testing.TB) *service {
	t.Helper()
	s := start(t)
	s.Clock.After = nil
	require.NoError(t, s.Store.CreateNode(t.Context(), &ingot.Node{UUID: fuzzNode, Name: "n1", Driver: "fake-hardware", ProvisionState: ingot.Manageable},
		[]ingot.Port{{UUID: fuzzPort, Address: "52:54:00:00:00:01", PXEEnabled: true}}))
	ctx := t.Context()
	require.NoError(t, s.Store.Portgroups().Create(ctx, &ingot.Portgroup{UUID: fuzzGroup, NodeUUID: fuzzNode, Name: "g1", Mode: "active-backup", Standalone: true}))
	require.NoError(t, s.Store.Chassis().Create(ctx, &ingot.Chassis{UUID: fuzzChassis}))
	require.NoError(t, s.Store.VolumeConnectors().Create(ctx, &ingot.VolumeConnector{UUID: fuzzConnector, NodeUUID: fuzzNode, Type: "iqn", ConnectorID: "iqn.x"}))
	require.NoError(t, s.Store.VolumeTargets().Create(ctx, &ingot.VolumeTarget{UUID: fuzzTarget, NodeUUID: fuzzNode, VolumeType: "iscsi", VolumeID: "v"}))
	return s
}
