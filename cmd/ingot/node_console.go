package main

import "context"

// nodeConsole is `ingot node console`.
type nodeConsole struct {
	Show    consoleShow    `cmd:"" help:"Where it can be joined."`
	Enable  consoleEnable  `cmd:"" help:"Open it."`
	Disable consoleDisable `cmd:"" help:"Close it."`
}

type (
	consoleShow    struct{ oneNode }
	consoleEnable  struct{ oneNode }
	consoleDisable struct{ oneNode }
)

// Run prints where the console is.
func (c *consoleShow) Run(ctx context.Context, s *session) error {
	now, err := s.Resource("nodes", c.Node, "states", "console").Document(ctx, nil)
	if err != nil {
		return err
	}
	return s.printThing(now)
}

// Run opens the console.
func (c *consoleEnable) Run(ctx context.Context, s *session) error {
	return s.Resource("nodes", c.Node, "states", "console").Put(ctx, object{"enabled": true})
}

// Run closes the console.
func (c *consoleDisable) Run(ctx context.Context, s *session) error {
	return s.Resource("nodes", c.Node, "states", "console").Put(ctx, object{"enabled": false})
}

// nodePassthru is `ingot node passthru`.
type nodePassthru struct {
	List passthruList `cmd:"" help:"List the methods."`
	Call passthruCall `cmd:"" help:"Call one."`
}

// passthruList is `ingot node passthru list`.
type passthruList struct{ oneNode }

// Run prints the methods.
func (c *passthruList) Run(ctx context.Context, s *session) error {
	known, err := s.Resource("nodes", c.Node, "vendor_passthru", "methods").Document(ctx, nil)
	if err != nil {
		return err
	}
	items := []object{}
	for name, v := range known {
		item, _ := v.(object)
		if item == nil {
			item = object{}
		}
		item["name"] = name
		items = append(items, item)
	}
	return s.printList(items, []string{"name", "http_methods", "async", "description"})
}

// passthruCall is `ingot node passthru call`.
type passthruCall struct {
	oneNode
	Method string   `arg:"" help:"Name of the method."`
	Fields []string `arg:"" optional:"" name:"FIELD=VALUE" help:"Its arguments."`
	HTTP   string   `name:"http-method" default:"POST" enum:"POST,PUT,GET,DELETE,PATCH" help:"POST, PUT, GET, DELETE or PATCH."`
}

// Run calls the method and prints what it answers, if anything.
func (c *passthruCall) Run(ctx context.Context, s *session) error {
	list, err := assignments(c.Fields)
	if err != nil {
		return err
	}
	fields, err := body(list)
	if err != nil {
		return err
	}
	answer, err := s.Passthru(ctx, c.HTTP, c.Node, c.Method, fields)
	if err != nil || answer == nil {
		return err
	}
	return s.printDocument(answer)
}
