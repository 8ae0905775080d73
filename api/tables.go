package api

import (
	"sync"

	"github.com/ingot-metal/ingot"
)

// tables are the fields of every resource, and the simple resources whole, made once for each handler: lists render a thousand things from them.
type tables struct {
	nodes       []nodeField
	ports       *resource[ingot.Port, ingot.PortQuery]
	portgroups  *resource[ingot.Portgroup, ingot.PortgroupQuery]
	connectors  *resource[ingot.VolumeConnector, ingot.VolumeQuery]
	targets     *resource[ingot.VolumeTarget, ingot.VolumeQuery]
	chassis     *resource[ingot.Chassis, ingot.ChassisQuery]
	templates   *resource[ingot.DeployTemplate, ingot.TemplateQuery]
	runbooks    *resource[ingot.Runbook, ingot.RunbookQuery]
	inspection  *resource[ingot.InspectionRule, ingot.RuleQuery]
	allocations *resource[ingot.Allocation, ingot.AllocationQuery]
	flavors     *resource[ingot.Flavor, ingot.FlavorQuery]
	conductors  []field[ingot.Conductor, struct{}]
	history     []field[ingot.History, struct{}]
	bios        []field[ingot.BIOSSetting, struct{}]
	firmware    []field[ingot.FirmwareComponent, struct{}]

	rules map[string]grants // the policy, by name
	views sync.Map          // what each version shows of a table, by viewKey
	docs  func() ([]byte, error)
}

func newTables() *tables {
	t := &tables{
		nodes: nodeFields(), conductors: conductorFields(), history: historyFields(), bios: biosFields(), firmware: firmwareFields(),
		ports: portResource(), portgroups: portgroupResource(), chassis: chassisResource(),
		connectors: connectorResource(), targets: targetResource(),
		templates: templateResource(), runbooks: runbookResource(), inspection: ruleResource(), allocations: allocationResource(), flavors: flavorResource(),
		rules: map[string]grants{}, docs: newDocs(),
	}
	for _, rule := range policy() {
		t.rules[rule.name] = rule.needs
	}
	return t
}
