package api

import (
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingot-metal/ingot"
)

// Parts with a method of their own name, which a field of that name would hide.
type (
	indicators Indicators
	media      Media
	guestBMCs  GuestBMCs
)

// Everything is an API with every part, none of which does anything: it has all routes.
func Everything() *API {
	return &API{
		Nodes: struct{ NodeStore }{}, Ports: struct {
			Records[ingot.Port, ingot.PortQuery]
		}{}, Portgroups: struct {
			Records[ingot.Portgroup, ingot.PortgroupQuery]
		}{}, Chassis: struct {
			Records[ingot.Chassis, ingot.ChassisQuery]
		}{}, VolumeConnectors: struct {
			Records[ingot.VolumeConnector, ingot.VolumeQuery]
		}{}, VolumeTargets: struct {
			Records[ingot.VolumeTarget, ingot.VolumeQuery]
		}{},
		Templates: struct {
			Records[ingot.DeployTemplate, ingot.TemplateQuery]
		}{}, Runbooks: struct {
			Records[ingot.Runbook, ingot.RunbookQuery]
		}{}, Rules: struct {
			Records[ingot.InspectionRule, ingot.RuleQuery]
		}{}, Hypervisors: struct {
			Records[ingot.Hypervisor, ingot.HypervisorQuery]
		}{}, Flavors: struct {
			Records[ingot.Flavor, ingot.FlavorQuery]
		}{}, Compute: struct{ Compute }{}, GuestBMCs: struct{ guestBMCs }{}, Guests: struct{ GuestStore }{}, Allocations: struct {
			Records[ingot.Allocation, ingot.AllocationQuery]
		}{}, Allocator: struct{ Allocator }{},
		VIFs: struct{ VIFStore }{}, Shards: struct{ ShardStore }{}, FirmwareStore: struct{ FirmwareStore }{},
		History: struct{ HistoryStore }{}, Inventories: struct{ InventoryStore }{}, Events: struct{ EventStore }{},
		Operations: struct{ OperationStore }{}, Leases: struct{ LeaseStore }{},
		Provisioner: struct{ Provisioner }{}, Management: struct{ Management }{}, Indicators: struct{ indicators }{}, Firmware: struct{ Firmware }{},
		Consoles: struct{ Consoles }{}, Media: struct{ media }{}, Vendors: struct{ Vendors }{}, Agents: struct{ Agents }{}, Drivers: struct{ Drivers }{}, Peers: struct{ Peers }{},
		Auth: struct{ Authenticator }{}, Registry: prometheus.NewRegistry(), DevRamdisk: true,
	}
}

// MissingParts are the parts of an API that Everything has not.
func MissingParts() []string {
	var missing []string
	v := reflect.ValueOf(Everything()).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Type.Kind() == reflect.Interface && v.Field(i).IsNil() {
			missing = append(missing, f.Name)
		}
	}
	return missing
}

// Table is a resource's table of fields, as a document shows it.
type Table struct {
	Name string // of the schema: Node
	Path string // below /v1: nodes
	List string // what a list of them is called in a body
	Rows []Row
	// Params are the list parameters that are no fields.
	Params []string
}

// Row is a field's row.
type Row struct {
	Name                                  string
	Since, FilterSince, Max               int
	Kind                                  string
	Create, Patch, Required, Filter, Part bool
	Shown                                 bool
}

// Tables are all of them, found among the tables that handlers are given.
func Tables() []Table {
	var all []Table
	v := reflect.ValueOf(newTables()).Elem()
	for i := range v.NumField() {
		at, f := v.Type().Field(i).Name, v.Field(i)
		switch {
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			all = append(all, Table{Name: schemaName(singular(at)), Path: at, List: at, Rows: rows(f)})
		case f.Kind() == reflect.Pointer && f.Elem().FieldByName("fields").IsValid():
			s := f.Elem()
			t := Table{Name: schemaName(s.FieldByName("noun").String()), Path: s.FieldByName("path").String(), List: s.FieldByName("list").String(), Rows: rows(s.FieldByName("fields"))}
			if t.List == "" {
				t.List = t.Path
			}
			for i := range s.FieldByName("params").Len() {
				t.Params = append(t.Params, s.FieldByName("params").Index(i).String())
			}
			all = append(all, t)
		}
	}
	return all
}

// singular is the name of one thing of a table.
func singular(table string) string {
	if table == "bios" {
		return "BIOS setting"
	}
	return strings.TrimSuffix(table, "s")
}

func schemaName(noun string) string {
	var name strings.Builder
	for word := range strings.FieldsSeq(strings.ReplaceAll(noun, "_", " ")) {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}

func rows(table reflect.Value) []Row {
	var all []Row
	for i := range table.Len() {
		f := table.Index(i)
		column := f.FieldByName("column")
		number := func(name string) int { return int(f.FieldByName(name).Int()) }
		is := func(name string) bool { return f.FieldByName(name).Bool() }
		row := Row{
			Name: f.FieldByName("name").String(), Since: number("since"), FilterSince: number("filterSince"), Max: number("max"),
			Create: is("create"), Patch: is("patch"), Required: is("required"), Part: is("part"),
			Filter: !f.FieldByName("filter").IsNil(), Shown: !column.FieldByName("get").IsNil(),
		}
		row.Kind = kindName(kind(column.FieldByName("kind").Int()))
		if row.Kind == "" && column.FieldByName("order").Bool() {
			row.Kind = "moment"
		}
		all = append(all, row)
	}
	slices.SortFunc(all, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func kindName(k kind) string {
	names := []string{kindComputed: "", kindText: "text", kindUUID: "uuid", kindMAC: "mac", kindFlag: "flag", kindObject: "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return strings.NewReplacer("'", "", " ", "").Replace(k.words(false)) // as "integer,null"
}
