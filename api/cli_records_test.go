package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

// TestCommandLineClientOnRecords goes with Debian's client through the simple resources.
func TestCommandLineClientOnRecords(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.baremetal(t)
	type object = map[string]any
	var one object
	var list []object
	c.shown(t, &one, "chassis", "create", "--description", "left", "--extra", "row=4")
	chassis, _ := one["uuid"].(string)
	c.shown(t, &one, "node", "create", "--driver", "fake-hardware", "--name", "n1", "--chassis-uuid", chassis)
	require.Equal(t, chassis, one["chassis_uuid"])
	node, _ := one["uuid"].(string)
	s.set(t, node, func(n *ingot.Node) { n.Interfaces.Network = "flat" })
	c.shown(t, &list, "chassis", "list", "--long")
	require.Equal(t, object{"row": 4.0}, list[0]["Extra"])
	complaint, ok := c.run(t, "chassis", "delete", chassis)
	require.False(t, ok)
	require.Contains(t, complaint, "contains nodes")
	c.done(t, "chassis", "set", chassis, "--description", "right")
	c.shown(t, &one, "chassis", "show", chassis)
	require.Equal(t, "right", one["description"])

	c.shown(t, &one, "port", "group", "create", "--node", node, "--name", "bond0", "--mode", "802.3ad", "--property", "miimon=100", "--address", "52:54:00:bb:00:01")
	group, _ := one["uuid"].(string)
	c.shown(t, &one, "port", "create", "--node", node, "--port-group", group, "--physical-network", "net1", "52:54:00:aa:00:01")
	port, _ := one["uuid"].(string)
	require.Equal(t, group, one["portgroup_uuid"])
	c.shown(t, &list, "port", "list", "--port-group", "bond0")
	require.Len(t, list, 1)
	c.shown(t, &list, "port", "group", "list", "--node", "n1", "--long")
	require.Equal(t, "802.3ad", list[0]["Mode"])
	c.done(t, "port", "group", "set", "bond0", "--name", "bond1", "--support-standalone-ports")

	c.done(t, "node", "vif", "attach", "n1", "vif-a")
	c.shown(t, &list, "node", "vif", "list", "n1")
	require.Equal(t, []object{{"ID": "vif-a"}}, list)
	c.done(t, "node", "vif", "detach", "n1", "vif-a")
	c.done(t, "port", "unset", port, "--port-group")
	c.done(t, "port", "group", "delete", "bond1")

	c.shown(t, &one, "volume", "connector", "create", "--node", node, "--type", "iqn", "--connector-id", "iqn.n1")
	connector, _ := one["uuid"].(string)
	c.shown(t, &one, "volume", "target", "create", "--node", node, "--type", "iscsi", "--volume-id", "vol-1", "--boot-index", "0")
	target, _ := one["uuid"].(string)
	s.set(t, node, func(n *ingot.Node) { n.PowerState = ingot.PowerOff })
	c.done(t, "volume", "target", "set", target, "--boot-index", "2", "--property", "lun=1")
	c.shown(t, &list, "volume", "target", "list", "--node", "n1", "--long")
	require.InDelta(t, 2, list[0]["Boot Index"], 0)
	c.shown(t, &list, "volume", "connector", "list", "--fields", "uuid", "connector_id")
	require.Equal(t, []object{{"UUID": connector, "Connector ID": "iqn.n1"}}, list)
	c.done(t, "volume", "target", "delete", target)
	c.done(t, "volume", "connector", "delete", connector)

	c.done(t, "node", "unset", "n1", "--chassis-uuid")
	c.done(t, "chassis", "delete", chassis)
}
