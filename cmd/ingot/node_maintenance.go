package main

import "context"

// nodeMaintenance is `ingot node maintenance`.
type nodeMaintenance struct {
	On  maintenanceOn  `cmd:"" help:"Take nodes out of service: nothing is started on them."`
	Off maintenanceOff `cmd:"" help:"Take nodes back into service."`
}

// maintenanceOn is `ingot node maintenance on`.
type maintenanceOn struct {
	someNodes
	Reason string `help:"Why, for others to read."`
}

// Run takes nodes out of service.
func (c *maintenanceOn) Run(ctx context.Context, s *session) error {
	return each(ctx, c.Nodes, func(ctx context.Context, name string) error { return s.SetMaintenance(ctx, name, true, c.Reason) })
}

// maintenanceOff is `ingot node maintenance off`.
type maintenanceOff struct{ someNodes }

// Run takes nodes back.
func (c *maintenanceOff) Run(ctx context.Context, s *session) error {
	return each(ctx, c.Nodes, func(ctx context.Context, name string) error { return s.SetMaintenance(ctx, name, false, "") })
}
