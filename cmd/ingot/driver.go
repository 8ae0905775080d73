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
	RAID       driverRAID       `cmd:"" name:"raid" help:"What can be said of a RAID volume."`
	Passthru   passthruVerbs    `cmd:"" help:"Call a method of a driver's vendor interface."`
}

func (*driverCommand) resource() resource {
	return resource{path: []string{"drivers"}, detail: true, columns: []string{"name", "hosts"}, long: []string{"enabled_deploy_interfaces", "default_deploy_interface"}}
}

// oneDriver is the argument of what is about a single driver.
type oneDriver struct {
	Name string `arg:"" help:"Name of the driver."`
}

type (
	driverProperties struct{ oneDriver }
	driverRAID       struct{ oneDriver }
)

// Run prints the properties with what they mean.
func (c *driverProperties) Run(ctx context.Context, s *session) error {
	return c.meanings(ctx, s, "properties")
}

// Run prints the properties of a volume with what they mean.
func (c *driverRAID) Run(ctx context.Context, s *session) error {
	return c.meanings(ctx, s, "raid", "logical_disk_properties")
}

// meanings prints words with what they mean.
func (c oneDriver) meanings(ctx context.Context, s *session, path ...string) error {
	known, err := s.Resource(slices.Concat([]string{"drivers", c.Name}, path)...).Document(ctx, nil)
	if err != nil {
		return err
	}
	items := make([]object, 0, len(known))
	for _, name := range slices.Sorted(maps.Keys(known)) {
		items = append(items, object{"property": name, "meaning": known[name]})
	}
	return s.printList(items, []string{"property", "meaning"})
}
