package main

import (
	"context"
	"maps"
	"slices"
)

// passthruVerbs are `ingot node passthru` and `ingot driver passthru`.
type passthruVerbs struct {
	List passthruList `cmd:"" help:"List the methods."`
	Call passthruCall `cmd:"" help:"Call one."`
}

// passthruList is the list of methods.
type passthruList struct{ oneThing }

// Run prints the methods.
func (c *passthruList) Run(ctx context.Context, s *session, r resource) error {
	known, err := r.below(s, c.Name, "vendor_passthru", "methods").Document(ctx, nil)
	if err != nil {
		return err
	}
	items := []object{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		item, _ := known[name].(object)
		if item == nil {
			item = object{}
		}
		item["name"] = name
		items = append(items, item)
	}
	return s.printList(items, []string{"name", "http_methods", "async", "description"})
}

// passthruCall is the call of a method.
type passthruCall struct {
	oneThing
	Method string   `arg:"" help:"Name of the method."`
	Fields []string `arg:"" optional:"" name:"FIELD=VALUE" help:"Its arguments."`
	HTTP   string   `name:"http-method" default:"POST" enum:"POST,PUT,GET,DELETE,PATCH" help:"POST, PUT, GET, DELETE or PATCH."`
}

// Run calls the method and prints what it answers, if anything.
func (c *passthruCall) Run(ctx context.Context, s *session, r resource) error {
	fields, err := fieldsOf(c.Fields)
	if err != nil {
		return err
	}
	answer, err := r.below(s, c.Name, "vendor_passthru").Passthru(ctx, c.HTTP, c.Method, fields)
	if err != nil || answer == nil {
		return err
	}
	return s.printDocument(answer)
}
