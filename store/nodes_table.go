package store

import (
	"slices"

	"github.com/ingot-metal/ingot"
)

// own marks a column that may be sorted by.
const own = "-"

// nodeTable is how nodes are kept: a new field of ingot.Node is a row here and one in the migrations.
func nodeTable() *table[ingot.Node] {
	type n = ingot.Node
	return &table[n]{
		name: "nodes",
		uuid: func(v *n) string { return v.UUID },
		columns: slices.Concat([]column[n]{
			{name: "uuid", place: func(v *n) field { return (*text)(&v.UUID) }, once: true, sort: own},
			{name: "version", place: func(v *n) field { return (*number)(&v.Version) }, quiet: true},
			{name: "name", place: func(v *n) field { return (*text)(&v.Name) }, sort: own},
			{name: "driver", place: func(v *n) field { return (*text)(&v.Driver) }, sort: own},
			{name: "driver_info", place: func(v *n) field { return document{&v.DriverInfo, true} }},
			{name: "properties", place: func(v *n) field { return document{&v.Properties, false} }},
			{name: "extra", place: func(v *n) field { return document{&v.Extra, false} }},
			{name: "instance_info", place: func(v *n) field { return document{&v.InstanceInfo, true} }},
			{name: "instance_uuid", place: func(v *n) field { return (*text)(&v.InstanceUUID) }, sort: own},
			{name: "instance_name", place: func(v *n) field { return (*text)(&v.InstanceName) }, sort: own},
			{name: "chassis_uuid", place: func(v *n) field { return (*text)(&v.ChassisUUID) }, sort: own},
			{name: "power_state", place: func(v *n) field { return (*text)(&v.PowerState) }, sort: own},
			{name: "target_power_state", place: func(v *n) field { return (*text)(&v.TargetPowerState) }, sort: own},
			{name: "provision_state", place: func(v *n) field { return (*text)(&v.ProvisionState) }, sort: own},
			{name: "target_provision_state", place: func(v *n) field { return (*text)(&v.TargetProvisionState) }, sort: own},
			{name: "provision_updated_at", place: func(v *n) field { return (*moment)(&v.ProvisionUpdatedAt) }, sort: own},
			{name: "last_error", place: func(v *n) field { return (*text)(&v.LastError) }, sort: own},
			{name: "reservation", place: func(v *n) field { return (*text)(&v.Reservation) }, quiet: true, sort: own},
			{name: "maintenance", place: func(v *n) field { return (*flag)(&v.Maintenance) }, sort: own},
			{name: "maintenance_reason", place: func(v *n) field { return (*text)(&v.MaintenanceReason) }, sort: own},
			{name: "fault", place: func(v *n) field { return (*text)(&v.Fault) }, sort: own},
			{name: "health", place: func(v *n) field { return (*text)(&v.Health) }, sort: own},
			{name: "console_enabled", place: func(v *n) field { return (*flag)(&v.ConsoleEnabled) }, sort: own},
			{name: "boot_mode", place: func(v *n) field { return (*text)(&v.BootMode) }, sort: own},
			{name: "secure_boot", place: func(v *n) field { return choice{&v.SecureBoot} }, sort: "COALESCE(CAST(secure_boot AS INTEGER), -1)"},
			{name: "resource_class", place: func(v *n) field { return (*text)(&v.ResourceClass) }, sort: own},
			{name: "traits", place: func(v *n) field { return record[[]string]{at: &v.Traits} }},
			{name: "conductor_group", place: func(v *n) field { return (*text)(&v.ConductorGroup) }, sort: own},
			{name: "conductor", place: func(v *n) field { return (*text)(&v.Conductor) }, quiet: true, sort: own},
			{name: "automated_clean", place: func(v *n) field { return choice{&v.AutomatedClean} }, sort: "COALESCE(CAST(automated_clean AS INTEGER), -1)"},
			{name: "protected", place: func(v *n) field { return (*flag)(&v.Protected) }, sort: own},
			{name: "protected_reason", place: func(v *n) field { return (*text)(&v.ProtectedReason) }, sort: own},
			{name: "owner", place: func(v *n) field { return (*text)(&v.Owner) }, sort: own},
			{name: "lessee", place: func(v *n) field { return (*text)(&v.Lessee) }, sort: own},
			{name: "description", place: func(v *n) field { return (*text)(&v.Description) }, sort: own},
			{name: "allocation_uuid", place: func(v *n) field { return (*text)(&v.AllocationUUID) }, sort: own},
			{name: "retired", place: func(v *n) field { return (*flag)(&v.Retired) }, sort: own},
			{name: "retired_reason", place: func(v *n) field { return (*text)(&v.RetiredReason) }, sort: own},
			{name: "network_data", place: func(v *n) field { return document{&v.NetworkData, false} }},
			{name: "shard", place: func(v *n) field { return (*text)(&v.Shard) }, sort: own},
			{name: "parent_node", place: func(v *n) field { return (*text)(&v.ParentNode) }, sort: own},
			{name: "disable_power_off", place: func(v *n) field { return (*flag)(&v.DisablePowerOff) }, sort: own},
			{name: "driver_internal_info", place: func(v *n) field { return document{&v.Internal, true} }},
			{name: "agent", place: func(v *n) field { return record[ingot.Agent]{at: &v.Agent} }},
			{name: "boot", place: func(v *n) field { return record[ingot.BootTarget]{&v.Boot, hideBootToken, giveBootToken} }},
			{name: "evidence", place: func(v *n) field { return record[[]ingot.Evidence]{at: &v.Evidence} }, quiet: true},
			{name: "created_at", place: func(v *n) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
			{name: "updated_at", place: func(v *n) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
		}, workColumns(), interfaceColumns()),
		hidden: []column[n]{
			{name: "agent_token", place: func(v *n) field { return hiddenText{&v.Agent.Token} }},
		},
	}
}

// workColumns are what operations write down of their work.
func workColumns() []column[ingot.Node] {
	type n = ingot.Node
	return []column[n]{
		{name: "raid_config", place: func(v *n) field { return document{&v.RAIDConfig, false} }},
		{name: "target_raid_config", place: func(v *n) field { return document{&v.TargetRAIDConfig, false} }},
		{name: "clean_step", place: func(v *n) field { return document{&v.CleanStep, true} }},
		{name: "deploy_step", place: func(v *n) field { return document{&v.DeployStep, true} }},
		{name: "service_step", place: func(v *n) field { return document{&v.ServiceStep, true} }},
		{name: "inspection_started_at", place: func(v *n) field { return (*moment)(&v.InspectionStartedAt) }, sort: own},
		{name: "inspection_finished_at", place: func(v *n) field { return (*moment)(&v.InspectionFinishedAt) }, sort: own},
	}
}

// interfaceColumns are the thirteen columns with the names of interface implementations.
func interfaceColumns() []column[ingot.Node] {
	var columns []column[ingot.Node]
	for _, kind := range ingot.InterfaceKinds() {
		columns = append(columns, column[ingot.Node]{
			name:  kind + "_interface",
			place: func(v *ingot.Node) field { return (*text)(v.Interfaces.Field(kind)) },
			sort:  own,
		})
	}
	return columns
}

func hideBootToken(b *ingot.BootTarget, name string, s secrets) {
	if b.Token != "" {
		s[name+"/token"] = b.Token
		b.Token = ""
	}
}

func giveBootToken(b *ingot.BootTarget, _ []string, text string) { b.Token = text }

// hiddenText is a secret that is kept with the row's secrets alone.
type hiddenText struct{ at *ingot.Secret }

// Scan is never called: there is no column.
func (h hiddenText) Scan(any) error { return nil }

func (h hiddenText) value(name string, s secrets) (any, error) {
	if *h.at != "" {
		s[name] = h.at.Reveal()
	}
	return nil, nil
}

func (h hiddenText) reveal(_ []string, text string) { *h.at = ingot.Secret(text) }
