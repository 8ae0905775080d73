package store

import "github.com/ingot-metal/ingot"

// tables are the entities' column tables, made once for each store.
type tables struct {
	nodes      *table[ingot.Node]
	ports      *kind[ingot.Port, ingot.PortQuery]
	portgroups *kind[ingot.Portgroup, ingot.PortgroupQuery]
	chassis    *kind[ingot.Chassis, ingot.ChassisQuery]
	connectors *kind[ingot.VolumeConnector, ingot.VolumeQuery]
	targets    *kind[ingot.VolumeTarget, ingot.VolumeQuery]
	operations *table[ingot.Operation]
	steps      *table[step]
}

func newTables() tables {
	return tables{nodes: nodeTable(), ports: portKind(), portgroups: portgroupKind(), chassis: chassisKind(), connectors: connectorKind(), targets: targetKind(), operations: operationTable(), steps: stepTable()}
}
