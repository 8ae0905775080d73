package store

import "github.com/ingot-metal/ingot"

// tables are the entities' column tables, made once for each store.
type tables struct {
	nodes       *table[ingot.Node]
	ports       *kind[ingot.Port, ingot.PortQuery]
	portgroups  *kind[ingot.Portgroup, ingot.PortgroupQuery]
	connectors  *kind[ingot.VolumeConnector, ingot.VolumeQuery]
	targets     *kind[ingot.VolumeTarget, ingot.VolumeQuery]
	chassis     *kind[ingot.Chassis, ingot.ChassisQuery]
	templates   *kind[ingot.DeployTemplate, ingot.TemplateQuery]
	runbooks    *kind[ingot.Runbook, ingot.RunbookQuery]
	rules       *kind[ingot.InspectionRule, ingot.RuleQuery]
	allocations *kind[ingot.Allocation, ingot.AllocationQuery]
	flavors     *kind[ingot.Flavor, ingot.FlavorQuery]
	hypervisors *kind[ingot.Hypervisor, ingot.HypervisorQuery]
	guestBMCs   *kind[ingot.GuestBMC, ingot.GuestBMCQuery]
	operations  *table[ingot.Operation]
	steps       *table[step]
}

func newTables() tables {
	return tables{
		nodes: nodeTable(), operations: operationTable(), steps: stepTable(),
		ports: portKind(), portgroups: portgroupKind(), chassis: chassisKind(), connectors: connectorKind(), targets: targetKind(), templates: templateKind(), runbooks: runbookKind(), rules: ruleKind(), allocations: allocationKind(),
		flavors: flavorKind(), hypervisors: hypervisorKind(), guestBMCs: guestBMCKind(),
	}
}
