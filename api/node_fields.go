package api

import (
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

type nodeField = field[ingot.Node, ingot.NodeQuery]

// nodeFields is all that the wire knows of nodes: Ironic's NodesController schema and VERSIONED_FIELDS. Words that only
// filter lists come last.
func nodeFields() []nodeField {
	type node = ingot.Node
	table := []nodeField{
		{name: "uuid", column: id(func(n *node) *string { return &n.UUID }), brief: true, create: true, readBy: "store: the key"},
		{name: "name", since: 5, column: text(func(n *node) *string { return &n.Name }), brief: true, create: true, patch: true, rule: "node:update:name", readBy: "store: lookups by name; config drive: host name"},
		{name: "driver", column: text(func(n *node) *string { return &n.Driver }), create: true, patch: true, rule: "node:update:driver_interfaces", required: true, readBy: "drivers: the machine", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.Driver }), filterSince: 16},
		{name: "driver_info", column: sealed(func(n *node) *map[string]any { return &n.DriverInfo }), create: true, patch: true, rule: "node:update:driver_info", secret: maskSecrets, readBy: "drivers: the machine", see: "node:get:driver_info"},
		{name: "driver_internal_info", since: 3, from: []string{"driver_internal_info", "agent"}, column: column[node]{get: internalInfo}, secret: maskSecrets, see: "node:get:driver_internal_info"},
		{name: "properties", column: object(func(n *node) *map[string]any { return &n.Properties }), create: true, patch: true, rule: "node:update:properties", readBy: "deploy: root device hints, capabilities, cpu_arch"},
		{name: "extra", column: object(func(n *node) *map[string]any { return &n.Extra }), create: true, patch: true, rule: "node:update_extra", readBy: "clients: notes of their own"},
		{name: "instance_info", column: sealed(func(n *node) *map[string]any { return &n.InstanceInfo }), create: true, patch: true, rule: "node:update_instance_info", secret: maskInstance, readBy: "deploy: image and capabilities"},
		{name: "instance_uuid", column: id(func(n *node) *string { return &n.InstanceUUID }), brief: true, create: true, patch: true, rule: "node:update:instance_uuid", readBy: "nodes: one node for each instance", filter: uuidFilter("instance_uuid", func(q *ingot.NodeQuery) *string { return &q.InstanceUUID })},
		{name: "instance_name", since: 104, column: text(func(n *node) *string { return &n.InstanceName }), create: true, patch: true, rule: "node:update_instance_info", max: 255, readBy: "nodes: list filter", check: notEmpty("instance_name"), filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.InstanceName })},
		{name: "chassis_uuid", column: id(func(n *node) *string { return &n.ChassisUUID }), create: true, patch: true, rule: "node:update:chassis_uuid", readBy: "chassis: lists of nodes; store: it must be there", filter: uuidFilter("chassis_uuid", func(q *ingot.NodeQuery) *string { return &q.ChassisUUID })},
		{name: "power_state", column: shown(text(func(n *node) *ingot.PowerState { return &n.PowerState })), brief: true},
		{name: "target_power_state", column: shown(text(func(n *node) *ingot.PowerState { return &n.TargetPowerState }))},
		{name: "provision_state", column: shown(text(func(n *node) *ingot.State { return &n.ProvisionState })), brief: true, filter: stateFilter, filterSince: 9},
		{name: "target_provision_state", column: shown(text(func(n *node) *ingot.State { return &n.TargetProvisionState }))},
		{name: "provision_updated_at", column: moment(func(n *node) *time.Time { return &n.ProvisionUpdatedAt })},
		{name: "last_error", column: shown(text(func(n *node) *string { return &n.LastError })), see: "node:get:last_error"},
		{name: "reservation", column: shown(text(func(n *node) *string { return &n.Reservation })), see: "node:get:reservation"},
		{name: "maintenance", column: flag(func(n *node) *bool { return &n.Maintenance }), brief: true, create: true, patch: true, readBy: "nodes and provision: what maintenance refuses; power sync", filter: flagFilter("maintenance", func(q *ingot.NodeQuery) **bool { return &q.Maintenance })},
		{name: "maintenance_reason", column: shown(text(func(n *node) *string { return &n.MaintenanceReason }))},
		{name: "fault", since: 42, column: shown(text(func(n *node) *ingot.Fault { return &n.Fault })), filter: faultFilter},
		{name: "health", since: 109, column: shown(text(func(n *node) *ingot.Health { return &n.Health }))},
		{name: "console_enabled", column: shown(flag(func(n *node) *bool { return &n.ConsoleEnabled }))},
		{name: "boot_mode", since: 75, column: shown(text(func(n *node) *ingot.BootMode { return &n.BootMode }))},
		{name: "secure_boot", since: 75, column: shown(maybe(func(n *node) **bool { return &n.SecureBoot }))},
		{name: "raid_config", since: 12, column: shown(object(func(n *node) *map[string]any { return &n.RAIDConfig }))},
		{name: "target_raid_config", since: 12, column: shown(object(func(n *node) *map[string]any { return &n.TargetRAIDConfig }))},
		{name: "clean_step", since: 7, column: shown(object(func(n *node) *map[string]any { return &n.CleanStep })), secret: maskSecrets},
		{name: "deploy_step", since: 44, column: shown(object(func(n *node) *map[string]any { return &n.DeployStep })), secret: maskSecrets},
		{name: "service_step", since: 87, column: shown(object(func(n *node) *map[string]any { return &n.ServiceStep })), secret: maskSecrets},
		{name: "inspection_started_at", since: 6, column: moment(func(n *node) *time.Time { return &n.InspectionStartedAt })},
		{name: "inspection_finished_at", since: 6, column: moment(func(n *node) *time.Time { return &n.InspectionFinishedAt })},
		{name: "resource_class", since: 21, column: text(func(n *node) *string { return &n.ResourceClass }), create: true, patch: true, max: 80, readBy: "nodes: list filter", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.ResourceClass })},
		{name: "traits", since: 37, column: computed(func(n *node) any { return listed(n.Traits) })},
		{name: "conductor_group", since: 46, column: lowered(emptyText(func(n *node) *string { return &n.ConductorGroup })), create: true, patch: true, rule: "node:update:conductor_group", readBy: "drivers: a live conductor must serve it; nodes: list filter", filter: groupFilter},
		{name: "conductor", since: 49, column: shown(text(func(n *node) *string { return &n.Conductor })), filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.Conductor })},
		{name: "automated_clean", since: 47, column: maybe(func(n *node) **bool { return &n.AutomatedClean }), create: true, patch: true, rule: "node:disable_cleaning", ruled: setsFalse, readBy: "provide: whether to clean"},
		{name: "protected", since: 48, column: flag(func(n *node) *bool { return &n.Protected }), patch: true, readBy: "nodes: delete; provision: deleted and rebuild"},
		{name: "protected_reason", since: 48, column: text(func(n *node) *string { return &n.ProtectedReason }), patch: true, readBy: "clients: shown beside protected"},
		{name: "owner", since: 50, column: text(func(n *node) *string { return &n.Owner }), create: true, patch: true, rule: "node:update:owner", readBy: "nodes: list filters", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.Owner })},
		{name: "lessee", since: 65, column: text(func(n *node) *string { return &n.Lessee }), create: true, patch: true, rule: "node:update:lessee", readBy: "nodes: list filters", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.Lessee })},
		{name: "description", since: 51, column: text(func(n *node) *string { return &n.Description }), create: true, patch: true, max: 4096, readBy: "nodes: list filter"},
		{name: "allocation_uuid", since: 52, column: shown(text(func(n *node) *string { return &n.AllocationUUID }))},
		{name: "retired", since: 61, column: flag(func(n *node) *bool { return &n.Retired }), create: true, patch: true, rule: "node:update:retired", readBy: "provision: provide; nodes: list filter", filter: flagFilter("retired", func(q *ingot.NodeQuery) **bool { return &q.Retired })},
		{name: "retired_reason", since: 61, column: text(func(n *node) *string { return &n.RetiredReason }), create: true, patch: true, rule: "node:update:retired", readBy: "clients: shown beside retired"},
		{name: "network_data", since: 66, column: object(func(n *node) *map[string]any { return &n.NetworkData }), create: true, patch: true, rule: "node:update:network_data", check: noNetworkData, readBy: "refused: ramdisks get their addresses by DHCP"},
		{name: "shard", since: 82, column: text(func(n *node) *string { return &n.Shard }), create: true, patch: true, rule: "node:update:shard", max: 255, readBy: "nodes: list filters", filter: listFilter(func(q *ingot.NodeQuery) *[]string { return &q.Shards })},
		{name: "parent_node", since: 83, column: text(func(n *node) *string { return &n.ParentNode }), create: true, patch: true, rule: "node:update:parent_node", max: 36, readBy: "nodes: children are listed apart", filter: textFilter(func(q *ingot.NodeQuery) *string { return &q.ParentNode })},
		{name: "disable_power_off", since: 95, column: flag(func(n *node) *bool { return &n.DisablePowerOff }), create: true, patch: true, rule: "node:update:disable_power_off", readBy: "power: refuses off; power sync: does not force"},
		{name: "created_at", column: moment(func(n *node) *time.Time { return &n.CreatedAt })},
		{name: "updated_at", column: moment(func(n *node) *time.Time { return &n.UpdatedAt })},
	}
	return slices.Concat(table, nodeLinks(), interfaceFields(), nodeFilters())
}

// nodeLinks lead to what belongs to a node.
func nodeLinks() []nodeField {
	type node = ingot.Node
	return []nodeField{
		{name: "ports", column: parts[node](), part: true},
		{name: "portgroups", since: 24, column: parts[node](), part: true},
		{name: "volume", since: 32, column: parts[node](), part: true},
		{name: "states", since: 14, column: parts[node](), part: true},
	}
}

// interfaceFields are the thirteen interfaces, each since the version that brought it.
func interfaceFields() []nodeField {
	since := map[string]int{"network": 20, "storage": 33, "rescue": 38, "bios": 40, "firmware": 86}
	var table []nodeField
	for _, kind := range ingot.InterfaceKinds() {
		first, ok := since[kind]
		if !ok {
			first = 31
		}
		table = append(table, nodeField{
			name: kind + "_interface", since: first, create: true, patch: true, rule: "node:update:driver_interfaces", readBy: "drivers: the machine",
			column: text(func(n *ingot.Node) *string { return n.Interfaces.Field(kind) }),
		})
	}
	return table
}

// lowered is a column whose text is kept in lower case.
func lowered(c column[ingot.Node]) column[ingot.Node] {
	set := c.set
	c.set = func(n *ingot.Node, v any) {
		set(n, v)
		n.ConductorGroup = lower(n.ConductorGroup)
	}
	return c
}

// internalInfo is Ironic's driver_internal_info: what has a field of its own in Ingot is put back in its place.
func internalInfo(n *ingot.Node) any {
	out := make(map[string]any, len(n.Internal)+4)
	for key, v := range n.Internal {
		out[key] = v
	}
	for key, v := range map[string]string{"agent_url": n.Agent.URL, "agent_version": n.Agent.Version, "agent_secret_token": n.Agent.Token.Reveal()} {
		if v != "" {
			out[key] = v
		}
	}
	if !n.Agent.Heartbeat.IsZero() {
		out["agent_last_heartbeat"] = n.Agent.Heartbeat.UTC().Format("2006-01-02T15:04:05.000000")
	}
	return out
}
