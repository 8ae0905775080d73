package main

import (
	"context"
	"maps"
	"slices"
)

// driverCommand is `ingot driver`.
type driverCommand struct {
	apiFlags
	readVerbs
	Properties driverProperties `cmd:"" help:"What a driver's nodes need in driver_info."`
}

func (*driverCommand) resource() resource {
	return resource{path: []string{"drivers"}, detail: true, columns: []string{"name", "hosts"}, long: []string{"enabled_deploy_interfaces", "default_deploy_interface"}}
}

// driverProperties is `ingot driver properties`.
type driverProperties struct {
	Name string `arg:"" help:"Name of the driver."`
}

// Run prints the properties with what they mean.
func (c *driverProperties) Run(ctx context.Context, s *session) error {
	known, err := s.Resource("drivers", c.Name, "properties").Document(ctx, nil)
	if err != nil {
		return err
	}
	items := make([]object, 0, len(known))
	for _, name := range slices.Sorted(maps.Keys(known)) {
		items = append(items, object{"property": name, "meaning": known[name]})
	}
	return s.printList(items, []string{"property", "meaning"})
}
