package store

import "github.com/ingot-metal/ingot"

// tables are the entities' column tables, made once for each store.
type tables struct {
	nodes      *table[ingot.Node]
	ports      *table[ingot.Port]
	operations *table[ingot.Operation]
	steps      *table[step]
}

func newTables() tables {
	return tables{nodes: nodeTable(), ports: portTable(), operations: operationTable(), steps: stepTable()}
}
