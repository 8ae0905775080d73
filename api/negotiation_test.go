package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNegotiation: two headers ask for a version, and every answer says which one it is in.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, tc := range []struct {
		headers []string
		want    string
	}{
		{[]string{version("")}, "1.1"},
		{[]string{version("1.38")}, "1.38"},
		{[]string{version("latest")}, "1.115"},
		{[]string{version("Latest")}, "1.115"},
		{[]string{version(""), "OpenStack-API-Version: baremetal 1.50"}, "1.50"},
		{[]string{version("1.2"), "OpenStack-API-Version: compute 2.1, baremetal 1.50"}, "1.50"},
		{[]string{version("1.2"), "OpenStack-API-Version: compute 2.1"}, "1.2"},
	} {
		a := s.must(t, 200, "GET", "/v1/nodes", nil, tc.headers...)
		require.Equal(t, tc.want, a.Header.Get("X-OpenStack-Ironic-API-Version"), tc.headers)
	}
	require.Empty(t, s.call(t, "GET", "/v1/nodes", nil, version("1.106")).Header.Get("x-openstack-request-id"))
	a := s.call(t, "GET", "/v1/nodes", nil, version("1.107"))
	require.Equal(t, a.Header.Get("openstack-request-id"), a.Header.Get("x-openstack-request-id"))
}

// TestDiscovery: what clients read first.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.must(t, 200, "GET", "/", nil)
	require.Equal(t, "OpenStack Ironic API", a.body["name"])
	def, _ := a.body["default_version"].(map[string]any)
	require.Equal(t, "v1", def["id"])
	require.Equal(t, "1.1", def["min_version"])
	require.Equal(t, "1.115", def["version"])
	for _, path := range []string{"/v1", "/v1/"} {
		a = s.must(t, 200, "GET", path, nil)
		require.Equal(t, "v1", a.body["id"], path)
		for _, resource := range []string{"nodes", "ports", "drivers", "lookup", "heartbeat", "conductors", "continue_inspection"} {
			require.Len(t, a.body[resource], 2, "%s at %s", resource, path)
		}
	}
	a = s.must(t, 200, "GET", "/v1/", nil, version("1.21"))
	require.NotContains(t, a.body, "lookup")
	require.NotContains(t, a.body, "conductors")
}

// TestPaths: the prefix may be left out, a slash at the end is nothing, and old clients add ".json".
func TestPaths(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.enrol(t, "n2.json")
	for _, path := range []string{"/v1/nodes/n1", "/nodes/n1", "/v1/nodes/n1/", "/nodes/n1//", "/v1/nodes/" + uuid} {
		require.Equal(t, uuid, s.must(t, 200, "GET", path, nil).body["uuid"], path)
	}
	require.Equal(t, uuid, s.must(t, 200, "GET", "/v1/nodes/n1.json", nil, version("1.90")).body["uuid"])
	require.Equal(t, "n2.json", s.must(t, 200, "GET", "/v1/nodes/n2.json", nil, version("1.90")).body["name"])
	require.Equal(t, "n2.json", s.must(t, 200, "GET", "/v1/nodes/n2.json", nil).body["name"])
	s.must(t, 404, "GET", "/v1/nodes/n1.json", nil)
	s.must(t, 200, "HEAD", "/v1/nodes/n1", nil)
}

// TestProbes: what watches the service.
func TestProbes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must(t, 200, "GET", "/healthz", nil)
	s.must(t, 200, "GET", "/livez", nil)
	s.must(t, 200, "GET", "/v1/nodes", nil)
	a := s.must(t, 200, "GET", "/metrics", nil)
	require.Contains(t, a.text, `ingot_api_request_seconds_count{code="200",method="GET",route="/v1/nodes"} 1`)
	a = s.must(t, 200, "GET", "/v1/networks", nil)
	require.JSONEq(t, `{"networks": []}`, a.text)
}
