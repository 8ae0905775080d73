package main

import (
	"context"
	"maps"
	"net/url"
	"slices"
)

// nodeParts are what a node's sub-resources tell.
type nodeParts struct {
	History    partHistory    `cmd:"" help:"What happened to a node, oldest first."`
	Operations partOperations `cmd:"" help:"What is being done to a node and what it waits for, newest first."`
	Evidence   partEvidence   `cmd:"" help:"What the boot service last did for a node's machine."`
	Inventory  partInventory  `cmd:"" help:"What the last inspection found."`
	Children   partChildren   `cmd:"" help:"Nodes that a node is the parent of."`
	BIOS       partBIOS       `cmd:"" name:"bios" help:"BIOS settings."`
	Firmware   partFirmware   `cmd:"" help:"Firmware components with their versions."`
	Sensors    partSensors    `cmd:"" help:"Readings of the BMC's sensors."`
}

type (
	partHistory    struct{ oneNode }
	partOperations struct{ oneNode }
	partEvidence   struct{ oneNode }
	partInventory  struct{ oneNode }
	partChildren   struct{ oneNode }
	partBIOS       struct{ oneNode }
	partFirmware   struct{ oneNode }
	partSensors    struct{ oneNode }
)

// list prints a list below a node.
func (n oneNode) list(ctx context.Context, s *session, part string, q url.Values, columns ...string) error {
	items, err := s.Resource("nodes", n.Node, part).List(ctx, q)
	if err != nil {
		return err
	}
	return s.printList(items, columns)
}

// Run prints the history.
func (c *partHistory) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "history", url.Values{"detail": {"true"}}, "created_at", "severity", "event_type", "state", "duration_seconds", "user", "event")
}

// Run prints the operations.
func (c *partOperations) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "operations", nil, "started_at", "kind", "phase", "step", "attempt", "outcome", "waiting_for", "error")
}

// Run prints the evidence.
func (c *partEvidence) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "evidence", nil, "at", "what")
}

// Run prints the inventory.
func (c *partInventory) Run(ctx context.Context, s *session) error {
	found, err := s.Resource("nodes", c.Node, "inventory").Document(ctx, nil)
	if err != nil {
		return err
	}
	return s.printThing(found)
}

// Run prints the children.
func (c *partChildren) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "children", nil, "children")
}

// Run prints the settings.
func (c *partBIOS) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "bios", url.Values{"detail": {"true"}}, "name", "value", "attribute_type", "allowable_values", "read_only")
}

// Run prints the components.
func (c *partFirmware) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "firmware", nil, "component", "initial_version", "current_version", "last_version_flashed")
}

// Run prints the readings.
func (c *partSensors) Run(ctx context.Context, s *session) error {
	return c.list(ctx, s, "sensors", nil, "name", "kind", "value", "unit", "status")
}

// nodeValidate is `ingot node validate`.
type nodeValidate struct{ oneNode }

// Run prints a verdict for each interface.
func (c *nodeValidate) Run(ctx context.Context, s *session) error {
	verdicts, err := s.Validate(ctx, c.Node)
	if err != nil {
		return err
	}
	items := make([]object, 0, len(verdicts))
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		item := object{"interface": name, "result": nil, "reason": verdicts[name].Reason}
		if result := verdicts[name].Result; result != nil {
			item["result"] = *result
		}
		items = append(items, item)
	}
	return s.printList(items, []string{"interface", "result", "reason"})
}
