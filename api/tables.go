package api

import "github.com/ingot-metal/ingot"

// tables are the fields of every resource, made once for each handler: lists render a thousand things from them.
type tables struct {
	nodes      []nodeField
	ports      []portField
	conductors []field[ingot.Conductor, struct{}]
	history    []field[ingot.History, struct{}]
}

func newTables() *tables {
	return &tables{nodes: nodeFields(), ports: portFields(), conductors: conductorFields(), history: historyFields()}
}
