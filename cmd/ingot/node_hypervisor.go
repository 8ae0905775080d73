package main

import (
	"context"
	"maps"
	"slices"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api/client"
)

// nodeHypervisor is `ingot node hypervisor`.
type nodeHypervisor struct {
	Show   hypervisorShow   `cmd:"" help:"Show what was set and what was found."`
	Set    hypervisorSet    `cmd:"" help:"Make an active node a compute host, or set everything about it anew."`
	Usage  hypervisorUsage  `cmd:"" help:"Say what the host has of each resource."`
	Guests hypervisorGuests `cmd:"" help:"Say what each guest has of the host."`
	Remove hypervisorRemove `cmd:"" help:"Make it a node like any other again; no guest may be left."`
}

type (
	hypervisorShow   struct{ oneNode }
	hypervisorUsage  struct{ oneNode }
	hypervisorGuests struct{ oneNode }
	hypervisorRemove struct{ oneNode }
	hypervisorSet    struct {
		oneNode
		Fields []string `arg:"" name:"FIELD=VALUE" help:"type=libvirt uri=qemu:///system pools:=[...]; what is left out has its default."`
		Wait   waiting  `help:"Wait until the host was reached; --wait=1m waits no longer." placeholder:"TIME"`
	}
)

func (n oneNode) hypervisor(s *session, parts ...string) client.Resource {
	return s.Resource(slices.Concat([]string{"nodes", n.Node, "hypervisor"}, parts)...)
}

// Run prints the compute host.
func (c *hypervisorShow) Run(ctx context.Context, s *session) error {
	thing, err := c.hypervisor(s).Document(ctx, nil)
	if err != nil {
		return err
	}
	return s.printThing(thing)
}

// Run makes the node a compute host.
func (c *hypervisorSet) Run(ctx context.Context, s *session) error {
	fields, err := fieldsOf(c.Fields)
	if err != nil {
		return err
	}
	if err := c.hypervisor(s).Put(ctx, fields); err != nil || !c.Wait.on {
		return err
	}
	get := func(ctx context.Context) (object, error) { return c.hypervisor(s).Document(ctx, nil) }
	_, err = c.Wait.watch(ctx, s, c.Node+" hypervisor", get, func(h object) (bool, error) {
		state, _ := h["state"].(string)
		if ingot.HypervisorState(state) == ingot.HypervisorDown {
			return false, ingot.Errorf(ingot.Permanent, "cannot wait for the hypervisor of node %s: it is down (%s)", c.Node, cell(h["state_reason"]))
		}
		return ingot.HypervisorState(state) != ingot.HypervisorConnecting, nil
	})
	return err
}

// Run makes it no compute host.
func (c *hypervisorRemove) Run(ctx context.Context, s *session) error {
	return c.hypervisor(s).Remove(ctx, nil)
}

// Run prints a line for each resource.
func (c *hypervisorUsage) Run(ctx context.Context, s *session) error {
	usage, err := c.hypervisor(s, "usage").Document(ctx, nil)
	if err != nil {
		return err
	}
	resources, _ := usage["inventory"].(object)
	items := []object{}
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		item, _ := resources[name].(object)
		item["resource"] = name
		items = append(items, item)
	}
	return s.printList(items, []string{"resource", "total", "reserved", "allocation_ratio", "used", "free"})
}

// Run prints a line for each guest.
func (c *hypervisorGuests) Run(ctx context.Context, s *session) error {
	usage, err := c.hypervisor(s, "usage").Document(ctx, nil)
	if err != nil {
		return err
	}
	list, _ := usage["guests"].([]any)
	items := []object{}
	for _, guest := range list {
		if item, ok := guest.(object); ok {
			items = append(items, item)
		}
	}
	return s.printList(items, []string{"node_uuid", "resources", "created_at"})
}
