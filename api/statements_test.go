package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestNoQueryPerRow: a list of 50 asks the database as often as a list of 10, whoever asks and whatever is shown.
func TestNoQueryPerRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		db := open()
		s := startOn(t, db, func(a *api.API) {
			a.Auth, a.FirmwareStore, a.Flavors, a.Hypervisors = personas{}, db, db.Flavors(), db.Hypervisors()
			a.Compute, a.Guests = struct{ api.Compute }{}, struct{ api.GuestStore }{} // nobody asks them
		})
		m := &many{t: t, db: db}
		m.grow(10)
		few := s.statements(t, 10)
		m.grow(50)
		require.Equal(t, few, s.statements(t, 50))
	})
}

// statements asks for every list, each of which has n things or as many as there are, and says how many statements it took.
func (s *service) statements(t *testing.T, n int) map[string]int64 {
	t.Helper()
	took := map[string]int64{}
	for path, name := range map[string]string{
		"nodes": "nodes", "nodes?detail=true": "nodes", "nodes/detail": "nodes", "nodes?fields=traits,chassis_uuid,allocation_uuid,conductor": "nodes", "nodes?sort_key=name&sort_dir=desc": "nodes",
		"nodes?chassis_uuid=" + fuzzChassis: "nodes", "chassis/" + fuzzChassis + "/nodes": "nodes", "chassis/" + fuzzChassis + "/nodes?detail=true": "nodes", "nodes/" + fuzzNode + "/children": "children",
		"ports": "ports", "ports/detail": "ports", "ports?fields=node_uuid,portgroup_uuid": "ports", "nodes/" + fuzzNode + "/ports": "ports", "nodes/" + fuzzNode + "/ports?detail=true": "ports",
		"portgroups": "portgroups", "portgroups/detail": "portgroups", "nodes/" + fuzzNode + "/portgroups": "portgroups", "portgroups/" + fuzzGroup + "/ports": "grouped ports",
		"volume/connectors": "connectors", "volume/connectors?detail=true": "connectors", "volume/targets": "targets", "volume/targets?detail=true": "targets", "nodes/" + fuzzNode + "/volume/targets": "targets",
		"chassis": "chassis", "chassis/detail": "chassis", "deploy_templates": "deploy_templates", "deploy_templates?detail=true": "deploy_templates", "runbooks": "runbooks", "runbooks?detail=true": "runbooks",
		"inspection_rules": "inspection_rules", "inspection_rules?detail=true": "inspection_rules", "allocations": "allocations", "shards": "shards", "flavors": "flavors", "flavors?detail=true": "flavors",
		"nodes/" + fuzzNode + "/history": "history", "nodes/" + fuzzNode + "/history?detail=true": "history", "nodes/" + fuzzNode + "/bios": "bios", "nodes/" + fuzzNode + "/bios?detail=true": "bios",
		"nodes/" + fuzzNode + "/firmware": "firmware",
	} {
		for _, who := range []string{"admin@system", "reader@p1", "reader@p2"} {
			var a answer
			fewest := int64(1 << 60)
			for range 3 { // now and then the store asks something of its own at the same time
				before := s.sent(t)
				a = s.call(t, "GET", "/v1/"+path, nil, as(who))
				fewest = min(fewest, s.sent(t)-before)
			}
			items, _ := a.body[strings.TrimPrefix(name, "grouped ")].([]any)
			if who == "admin@system" {
				require.Equal(t, 200, a.StatusCode, "%s: %s", path, a.text)
				require.GreaterOrEqual(t, len(items), min(n, mostOf(name)), path)
			}
			took[fmt.Sprintf("%s %s: %d", who, path, a.StatusCode)] = fewest
		}
	}
	return took
}

// fewer is how many there are of what is neither a node nor a port.
const fewer = 25

func mostOf(list string) int {
	if list == "nodes" || list == "ports" {
		return 1000
	}
	return fewer
}

// sent is how many statements the store has sent. Asking takes some of its own, always as many.
func (s *service) sent(t *testing.T) int64 {
	t.Helper()
	stats, err := s.Store.Stats(t.Context())
	require.NoError(t, err)
	return stats.Statements
}

// many are n nodes with their ports, and fewer of each other thing; the first node has as many of what belongs to a node.
type many struct {
	t  *testing.T
	db *store.Store
	n  int
}

func (m *many) grow(n int) {
	ctx := context.Background()
	if m.n == 0 {
		add(m, m.db.Chassis().Create, ingot.Chassis{UUID: fuzzChassis})
	}
	for ; m.n < n; m.n++ {
		i := m.n
		node := ingot.Node{Name: fmt.Sprintf("n%d", i), Driver: "ipmi", ChassisUUID: fuzzChassis, Owner: "p1", Lessee: "p2", Traits: []string{"CUSTOM_A", "CUSTOM_B"}, Shard: fmt.Sprintf("s%d", i)}
		if i == 0 {
			node.UUID = fuzzNode
		}
		require.NoError(m.t, m.db.CreateNode(ctx, &node, []ingot.Port{{Address: fmt.Sprintf("02:00:00:00:%02x:01", i)}}))
		add(m, m.db.Ports().Create, ingot.Port{NodeUUID: fuzzNode, Address: fmt.Sprintf("02:00:00:00:%02x:03", i)})
		if i >= fewer {
			continue
		}
		require.NoError(m.t, m.db.CreateNode(ctx, &ingot.Node{Name: fmt.Sprintf("c%d", i), Driver: "ipmi", ParentNode: fuzzNode}, nil))
		group := ingot.Portgroup{NodeUUID: fuzzNode, Name: fmt.Sprintf("g%d", i)}
		if i == 0 {
			group.UUID = fuzzGroup
		}
		add(m, m.db.Portgroups().Create, group)
		add(m, m.db.Ports().Create, ingot.Port{NodeUUID: fuzzNode, PortgroupUUID: fuzzGroup, Address: fmt.Sprintf("02:00:00:00:%02x:02", i)})
		add(m, m.db.Chassis().Create, ingot.Chassis{})
		add(m, m.db.VolumeConnectors().Create, ingot.VolumeConnector{NodeUUID: fuzzNode, Type: "iqn", ConnectorID: node.Name})
		add(m, m.db.VolumeTargets().Create, ingot.VolumeTarget{NodeUUID: fuzzNode, VolumeType: "iscsi", VolumeID: node.Name, BootIndex: i})
		add(m, m.db.Templates().Create, ingot.DeployTemplate{Name: fmt.Sprintf("CUSTOM_%d", i), Steps: []map[string]any{{"interface": "bios"}, {"interface": "raid"}}})
		add(m, m.db.Runbooks().Create, ingot.Runbook{Name: node.Name, Public: true, Traits: []string{"CUSTOM_A"}, Steps: []map[string]any{{"interface": "bios"}}})
		add(m, m.db.Rules().Create, ingot.InspectionRule{Description: node.Name})
		add(m, m.db.Allocations().Create, ingot.Allocation{Name: node.Name, Owner: "p1", Candidates: []string{fuzzNode}})
		add(m, m.db.Flavors().Create, ingot.Flavor{ResourceClass: node.Name})
		m.history(i)
	}
	m.firmware()
}

// history adds an entry to the first node's.
func (m *many) history(i int) {
	_, err := m.db.ChangeNode(context.Background(), ingot.NodeChange{UUID: fuzzNode, Change: func(*ingot.Node) error { return nil }, History: []ingot.History{{Severity: "INFO", Event: fmt.Sprint(i)}}})
	require.NoError(m.t, err)
}

func (m *many) firmware() {
	var settings []ingot.BIOSSetting
	var parts []ingot.FirmwareComponent
	for i := range m.n {
		settings = append(settings, ingot.BIOSSetting{Name: fmt.Sprint("s", i)})
		parts = append(parts, ingot.FirmwareComponent{Component: fmt.Sprint("c", i)})
	}
	require.NoError(m.t, m.db.PutBIOSSettings(context.Background(), fuzzNode, settings))
	require.NoError(m.t, m.db.PutFirmwareComponents(context.Background(), fuzzNode, parts))
}

func add[T any](m *many, create func(context.Context, *T, ...ingot.Event) error, v T) {
	m.t.Helper()
	require.NoError(m.t, create(context.Background(), &v))
}
