package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestVIFs: what an interface is attached to, and what refuses it.
func TestVIFs(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.Interfaces.Network = "flat" })
	port := func(mac string, more map[string]any) string {
		more["node_uuid"], more["address"] = uuid, mac
		id, _ := s.must(t, 201, "POST", "/v1/ports", more).body["uuid"].(string)
		return id
	}
	group, _ := s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "name": "bond0"}).body["uuid"].(string)
	s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid, "name": "empty"})
	quiet := port("52:54:00:aa:00:01", map[string]any{"pxe_enabled": false})
	booting := port("52:54:00:aa:00:02", map[string]any{})
	port("52:54:00:aa:00:03", map[string]any{"portgroup_uuid": group})

	attached := func(path string) any {
		info, _ := s.must(t, 200, "GET", path, nil).body["internal_info"].(map[string]any)
		return info["tenant_vif_port_id"]
	}
	vifs := "/v1/nodes/n1/vifs"
	require.Equal(t, []any{}, s.must(t, 200, "GET", vifs, nil).body["vifs"])
	s.must(t, 204, "POST", vifs, map[string]any{"id": "vif-a"})
	require.Equal(t, "vif-a", attached("/v1/portgroups/bond0"), "a group before a port")
	s.must(t, 204, "POST", vifs, map[string]any{"id": "vif-b"})
	require.Equal(t, "vif-b", attached("/v1/ports/"+booting), "a port that boots before one that does not")
	s.must(t, 204, "POST", vifs, map[string]any{"id": "vif-c", "port_uuid": quiet})
	require.Equal(t, []any{map[string]any{"id": "vif-c"}, map[string]any{"id": "vif-b"}, map[string]any{"id": "vif-a"}}, s.must(t, 200, "GET", vifs, nil).body["vifs"])

	for _, row := range []struct {
		status       int
		method, path string
		body         any
		fault        string
	}{
		{409, "POST", vifs, map[string]any{"id": "vif-a"}, "Unable to attach VIF because VIF vif-a is already attached to Ironic Portgroup " + group},
		{409, "POST", vifs, map[string]any{"id": "vif-b"}, "Unable to attach VIF because VIF vif-b is already attached to Ironic Port " + booting},
		{400, "POST", vifs, map[string]any{"id": "vif-d"}, "Unable to attach VIF vif-d, not enough free physical ports."},
		{400, "POST", vifs, map[string]any{"id": "vif-d", "port_uuid": quiet}, "Unable to attach VIF vif-d, not enough free physical ports."},
		{400, "POST", vifs, map[string]any{"id": "vif-d", "port_uuid": quiet, "portgroup_uuid": group}, "Cannot specify both port_uuid and portgroup_uuid"},
		{400, "POST", vifs, map[string]any{"id": "vif-d", "port_uuid": "x"}, "Expected UUID for port_uuid: x"},
		{400, "POST", vifs, map[string]any{"port_uuid": quiet}, "Schema error for vif: 'id' is a required property"},
		{400, "POST", vifs, map[string]any{"id": 5}, "Schema error for vif: 5 is not of type 'string'"},
		{400, "POST", vifs, map[string]any{"id": ""}, "Expected UUID or name for id: "},
		{400, "POST", vifs, `[]`, "Schema error for vif: [] is not of type 'object'"},
		{400, "DELETE", vifs + "/vif-d", nil, "Unable to detach VIF vif-d from node " + uuid + " because it is not attached to it."},
		{409, "DELETE", "/v1/ports/" + quiet, nil, "Cannot delete the port " + quiet + " as it is bound to VIF vif-c for use."},
		{404, "POST", "/v1/nodes/nosuch/vifs", map[string]any{"id": "vif-d"}, "Node nosuch could not be found."},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body)
		require.Equal(t, row.fault, a.fault(), "%s %s %v", row.method, row.path, row.body)
	}
	s.must(t, 404, "GET", vifs, nil, version("1.27"))

	s.must(t, 204, "DELETE", vifs+"/vif-c", nil)
	require.Nil(t, attached("/v1/ports/"+quiet))
	s.must(t, 204, "DELETE", "/v1/ports/"+quiet, nil)
	s.must(t, 204, "DELETE", vifs+"/vif-a", nil)
	s.must(t, 204, "POST", vifs, map[string]any{"id": "vif-a", "portgroup_uuid": group})
	require.Equal(t, "vif-a", attached("/v1/portgroups/bond0"))
}

// TestVIFsSplitGroups: a group of which a port is used alone is not used as a whole; its other ports are.
func TestVIFsSplitGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.Interfaces.Network = "flat" })
	group, _ := s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": uuid}).body["uuid"].(string)
	for _, mac := range []string{"52:54:00:aa:00:01", "52:54:00:aa:00:02"} {
		require.NoError(t, s.Store.Ports().Create(t.Context(), &ingot.Port{NodeUUID: uuid, Address: mac, PortgroupUUID: group}))
	}
	first, err := s.Store.Ports().Get(t.Context(), "52:54:00:aa:00:01")
	require.NoError(t, err)
	_, err = s.Store.Ports().Change(t.Context(), first.UUID, 0, func(p *ingot.Port) error {
		p.Internal = map[string]any{ingot.VIFKey: "vif-a"}
		return nil
	})
	require.NoError(t, err)
	s.must(t, 400, "POST", "/v1/nodes/n1/vifs", map[string]any{"id": "vif-b", "portgroup_uuid": group})
	s.must(t, 204, "POST", "/v1/nodes/n1/vifs", map[string]any{"id": "vif-b"})
	second, err := s.Store.Ports().Get(t.Context(), "52:54:00:aa:00:02")
	require.NoError(t, err)
	require.Equal(t, "vif-b", second.Internal[ingot.VIFKey])
}

// TestVIFsOfNoop: the noop network has nothing to attach, as Ironic's.
func TestVIFsOfNoop(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.set(t, uuid, func(n *ingot.Node) { n.Interfaces.Network = "noop" })
	s.must(t, 204, "POST", "/v1/nodes/n1/vifs", map[string]any{"id": "vif-a"})
	require.Equal(t, []any{}, s.must(t, 200, "GET", "/v1/nodes/n1/vifs", nil).body["vifs"])
	s.must(t, 204, "DELETE", "/v1/nodes/n1/vifs/vif-a", nil)
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "host1" })
	s.must(t, 409, "POST", "/v1/nodes/n1/vifs", map[string]any{"id": "vif-a"})
}
