package main

import (
	"context"
	"net/url"
)

// flavorCommand is `ingot flavor`.
type flavorCommand struct {
	apiFlags
	allVerbs
}

func (*flavorCommand) resource() resource {
	return resource{
		path: []string{"flavors"}, detail: true,
		columns: []string{"uuid", "resource_class", "resources"}, long: []string{"arch", "boot_mode", "required_traits", "provided_traits", "fallback_for"},
	}
}

// placementCommand is `ingot placement`.
type placementCommand struct {
	apiFlags
	List placementList `cmd:"" help:"Say on which hosts a guest could be now, and why not on the others; nothing is reserved."`
}

// placementList is `ingot placement list`.
type placementList struct {
	Class   string   `arg:"" help:"Resource class: of a flavor, or one that a flavor is fallback_for."`
	Filters []string `arg:"" optional:"" name:"FILTER=VALUE" help:"traits=, candidate_nodes=, anti_affinity_group=, physical_networks=, image_checksum=."`
}

// Run prints the hosts, the best first.
func (c *placementList) Run(ctx context.Context, s *session) error {
	q, err := query(c.Filters)
	if err != nil {
		return err
	}
	q.Set("resource_class", c.Class)
	return s.printPlacement(ctx, q)
}

func (s *session) printPlacement(ctx context.Context, q url.Values) error {
	all, err := s.Resource("placements").Document(ctx, q)
	if err != nil {
		return err
	}
	if s.output != "table" {
		return s.printDocument(all)
	}
	var hosts []object
	for _, list := range []string{"candidates", "rejected"} {
		items, _ := all[list].([]any)
		for _, item := range items {
			if host, ok := item.(object); ok {
				hosts = append(hosts, host)
			}
		}
	}
	return s.printList(hosts, []string{"name", "node_uuid", "weight", "virt_type", "reason", "detail"})
}
