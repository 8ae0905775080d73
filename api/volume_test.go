package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestVolumes: volume connectors and targets, which change while their machine is off.
func TestVolumes(t *testing.T) {
	t.Parallel()
	s := start(t)
	uuid := s.enrol(t, "n1")
	s.enrol(t, "n2")
	a := s.must(t, 201, "POST", "/v1/volume/connectors", map[string]any{"node_uuid": uuid, "type": "iqn", "connector_id": "iqn.n1"})
	c, _ := a.body["uuid"].(string)
	require.Equal(t, s.URL+"/v1/volume/connectors/"+c, a.Header.Get("Location"))
	require.ElementsMatch(t, []string{"uuid", "node_uuid", "type", "connector_id", "extra", "created_at", "updated_at", "links"}, keys(a.body))
	a = s.must(t, 201, "POST", "/v1/volume/targets", map[string]any{
		"node_uuid": uuid, "volume_type": "iscsi", "volume_id": "vol-1", "boot_index": 0, "properties": map[string]any{"target_iqn": "iqn.x", "auth_password": "pw"},
	})
	v, _ := a.body["uuid"].(string)
	require.Equal(t, map[string]any{"target_iqn": "iqn.x", "auth_password": "******"}, a.body["properties"])
	require.InDelta(t, 0, a.body["boot_index"], 0)

	for path, want := range map[string]int{
		"/v1/volume/connectors": 1, "/v1/nodes/n1/volume/connectors": 1, "/v1/nodes/n2/volume/connectors": 0, "/v1/volume/connectors?node=n2": 0, "/v1/volume/connectors?detail=true": 1,
	} {
		require.Len(t, s.must(t, 200, "GET", path, nil, version("1.32")).body["connectors"], want, path)
	}
	list, _ := s.must(t, 200, "GET", "/v1/nodes/n1/volume/targets", nil).body["targets"].([]any)
	require.ElementsMatch(t, []string{"uuid", "node_uuid", "volume_type", "volume_id", "boot_index", "links"}, keys(list[0].(map[string]any)))
	a = s.must(t, 200, "GET", "/v1/nodes/n1/volume", nil)
	require.Equal(t, s.URL+"/v1/nodes/n1/volume/targets", a.body["targets"].([]any)[0].(map[string]any)["href"])
	require.ElementsMatch(t, []string{"links", "connectors", "targets"}, keys(s.must(t, 200, "GET", "/v1/volume/", nil).body))
	require.Contains(t, s.must(t, 200, "GET", "/v1", nil, version("1.32")).body, "volume")
	require.NotContains(t, s.must(t, 200, "GET", "/v1", nil, version("1.31")).body, "volume")
	require.Contains(t, s.must(t, 200, "GET", "/v1/nodes/n1?fields=volume", nil).body, "volume")

	connector, target := "/v1/volume/connectors/"+c, "/v1/volume/targets/"+v
	off := `The requested action "volume connector update" can not be performed on node "` + uuid + `" while it is in state "None".`
	for _, row := range []struct {
		status       int
		method, path string
		body         any
		fault        string
	}{
		{404, "GET", "/v1/volume/connectors/" + v, nil, "Volume connector " + v + " could not be found."},
		{400, "GET", "/v1/volume/targets/detail", nil, "Expected UUID for target: detail"},
		{400, "GET", "/v1/volume/targets?sort_key=properties", nil, "The sort_key value properties is an invalid field for sorting"},
		{404, "GET", "/v1/nodes/nosuch/volume", nil, "Node nosuch could not be found."},
		{400, "POST", "/v1/volume/connectors", map[string]any{"node_uuid": uuid, "type": "iqn"}, "Schema error for connector: 'connector_id' is a required property"},
		{400, "POST", "/v1/volume/connectors", map[string]any{"node_uuid": nobody, "type": "iqn", "connector_id": "x"}, "Invalid input for field/attribute node_uuid. Value: '" + nobody + "'. "},
		{409, "POST", "/v1/volume/connectors", map[string]any{"node_uuid": uuid, "type": "iqn", "connector_id": "iqn.n1"}, "A volume connector with type iqn and connector ID iqn.n1 already exists. It is volume connector " + c + " of node " + uuid + "."},
		{400, "POST", "/v1/volume/targets", map[string]any{"node_uuid": uuid, "volume_type": "iscsi", "volume_id": "x", "boot_index": "1"}, "Schema error for target: '1' is not of type 'integer'"},
		{400, "POST", "/v1/volume/targets", map[string]any{"node_uuid": uuid, "volume_type": "iscsi", "volume_id": "x", "boot_index": 1.5}, "Schema error for target: 1.5 is not of type 'integer'"},
		{400, "POST", "/v1/volume/targets", map[string]any{"node_uuid": uuid, "volume_type": "iscsi", "volume_id": "x", "boot_index": nil}, "Schema error for target: None is not of type 'integer'"},
		{409, "POST", "/v1/volume/targets", map[string]any{"node_uuid": uuid, "volume_type": "iscsi", "volume_id": "x", "boot_index": 0}, "A volume target with boot index '0' for the same node already exists. It is volume target " + v + "."},
		{400, "PATCH", connector, `[{"op": "replace", "path": "/connector_id", "value": "iqn.n2"}]`, off},
		{400, "PATCH", connector, `[{"op": "remove", "path": "/type"}]`, "Schema error for patch: 'type' is a required property"},
		{400, "PATCH", target, `[{"op": "replace", "path": "/uuid", "value": "` + nobody + `"}]`, "Cannot patch /uuid. Only the following can be updated: boot_index, extra, node_uuid, properties, volume_id, volume_type"},
	} {
		a := s.must(t, row.status, row.method, row.path, row.body)
		require.Equal(t, row.fault, a.fault(), "%s %s %v", row.method, row.path, row.body)
	}
	s.must(t, 404, "GET", "/v1/volume/targets", nil, version("1.31"))

	s.set(t, uuid, func(n *ingot.Node) { n.ProvisionState, n.PowerState = ingot.Active, ingot.PowerOn })
	require.Equal(t, `The requested action "volume target deletion" can not be performed on node "`+uuid+`" while it is in state "power on".`, s.must(t, 400, "DELETE", target, nil).fault())
	s.set(t, uuid, func(n *ingot.Node) { n.PowerState = ingot.PowerOff })
	a = s.must(t, 200, "PATCH", target, `[{"op": "replace", "path": "/boot_index", "value": 3}, {"op": "add", "path": "/properties/lun", "value": 1}]`)
	require.InDelta(t, 3, a.body["boot_index"], 0)
	kept, err := s.Store.VolumeTargets().Get(t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, ingot.Secret("pw"), kept.Properties["auth_password"], "a patch beside a secret keeps it")
	s.set(t, uuid, func(n *ingot.Node) { n.Reservation = "host1" })
	s.must(t, 409, "DELETE", target, nil)
	s.set(t, uuid, func(n *ingot.Node) {
		n.Reservation, n.ProvisionState, n.PowerState = "", ingot.Manageable, ingot.PowerOn
	})
	s.must(t, 204, "DELETE", target, nil)
	s.must(t, 204, "DELETE", connector, nil)
}

// TestShards: how many nodes each shard has.
func TestShards(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.Equal(t, map[string]any{"shards": []any{}}, s.must(t, 200, "GET", "/v1/shards", nil).body)
	for _, shard := range []any{"s1", "s1", nil} {
		s.must(t, 201, "POST", "/v1/nodes", map[string]any{"driver": "fake-hardware", "shard": shard})
	}
	require.Equal(t, []any{map[string]any{"name": "s1", "count": 2.0}, map[string]any{"name": "None", "count": 1.0}}, s.must(t, 200, "GET", "/v1/shards", nil).body["shards"])
	s.must(t, 404, "GET", "/v1/shards/s1", nil)
	s.must(t, 404, "GET", "/v1/shards", nil, version("1.81"))
	s.must(t, 400, "GET", "/v1/shards?limit=1", nil)
}
