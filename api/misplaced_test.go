package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMisplaced: below a node, a port group or a chassis there are lists alone, as in Ironic, which says so of single things.
func TestMisplaced(t *testing.T) {
	t.Parallel()
	s := start(t)
	node := s.enrol(t, "n1")
	port, _ := s.must(t, 201, "POST", "/v1/ports", map[string]any{"node_uuid": node, "address": "52:54:00:00:00:01"}).body["uuid"].(string)
	s.must(t, 201, "POST", "/v1/portgroups", map[string]any{"node_uuid": node, "name": "g1"})
	chassis, _ := s.must(t, 201, "POST", "/v1/chassis", map[string]any{}).body["uuid"].(string)
	target, _ := s.must(t, 201, "POST", "/v1/volume/targets", map[string]any{"node_uuid": node, "volume_type": "iscsi", "volume_id": "1", "boot_index": 0}).body["uuid"].(string)
	const malformed = "Malformed request URI."
	for _, row := range []struct {
		path, vers string
		status     int
		fault      string
	}{
		{"/v1/nodes/n1/ports/" + port, "1.115", 400, malformed},
		{"/v1/nodes/n1/ports/" + port, "1.1", 400, malformed},
		{"/v1/nodes/nosuch/ports/nosuch", "1.115", 400, malformed},
		{"/v1/portgroups/g1/ports/" + port, "1.115", 400, malformed},
		{"/v1/portgroups/g1/ports/" + port, "1.23", 404, ""},
		{"/v1/nodes/n1/portgroups/g1", "1.115", 400, malformed},
		{"/v1/nodes/n1/portgroups/nosuch", "1.115", 404, "Portgroup nosuch could not be found."},
		{"/v1/nodes/n1/portgroups/g1", "1.23", 404, ""},
		{"/v1/nodes/n1/volume/targets/" + target, "1.115", 400, malformed},
		{"/v1/nodes/n1/volume/connectors/" + port, "1.115", 404, "Volume connector " + port + " could not be found."},
		{"/v1/chassis/" + chassis + "/nodes/n1", "1.115", 400, malformed},
	} {
		for method, body := range map[string]any{"GET": nil, "PATCH": `[{"op": "add", "path": "/extra/a", "value": 1}]`, "DELETE": nil} {
			a := s.must(t, row.status, method, row.path, body, version(row.vers))
			require.Equal(t, row.fault, a.fault(), "%s %s", method, row.path)
		}
	}
	require.Equal(t, malformed, s.must(t, 400, "POST", "/v1/nodes/n1/ports", map[string]any{"node_uuid": node, "address": "52:54:00:00:00:02"}).fault())
	require.Len(t, s.must(t, 200, "GET", "/v1/nodes/n1/ports", nil).body["ports"], 1)
	s.must(t, 200, "GET", "/v1/nodes/n1/ports/detail", nil)
	require.Empty(t, s.must(t, 200, "GET", "/v1/ports/"+port, nil).body["extra"])
}

// TestMisplacedIsJudged: whoever may not see a port group learns nothing of it below its node either.
func TestMisplacedIsJudged(t *testing.T) {
	t.Parallel()
	s := policed(t)
	s.must(t, 400, "GET", "/v1/nodes/owned/portgroups/group-owned", nil, as("reader@p1"))
	s.must(t, 403, "DELETE", "/v1/nodes/owned/portgroups/group-owned", nil, as("reader@p1"))
	s.must(t, 404, "GET", "/v1/nodes/owned/portgroups/group-owned", nil, as("reader@p3"))
}
