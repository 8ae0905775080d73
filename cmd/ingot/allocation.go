package main

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// allocationCommand is `ingot allocation`.
type allocationCommand struct {
	apiFlags
	readVerbs
	Create allocationCreate `cmd:"" help:"Claim a node; the allocation's UUID is printed."`
	Set    setCommand       `cmd:"" help:"Change fields."`
	Unset  unsetCommand     `cmd:"" help:"Take fields away."`
	Delete deleteCommand    `cmd:"" help:"Give the nodes back."`
}

func (*allocationCommand) resource() resource {
	return resource{
		path:    []string{"allocations"},
		columns: []string{"uuid", "name", "resource_class", "state", "node_uuid"}, long: []string{"owner", "candidate_nodes", "traits", "last_error"},
	}
}

// allocationCreate is `ingot allocation create`.
type allocationCreate struct {
	createCommand
	Wait waiting `help:"Wait until a node is claimed, or none is found; --wait=1m waits no longer." placeholder:"TIME"`
}

// Run claims a node.
func (c *allocationCreate) Run(ctx context.Context, s *session, r resource) error {
	made, err := c.create(ctx, s, r)
	if err != nil {
		return err
	}
	uuid, _ := made["uuid"].(string)
	if c.Wait.on {
		get := func(ctx context.Context) (object, error) { return r.at(s).Get(ctx, uuid) }
		if made, err = c.Wait.watch(ctx, s, "allocation "+uuid, get, allocated); err != nil {
			return err
		}
	}
	return s.printMade(made)
}

// allocated says whether an allocation has its node.
func allocated(a object) (bool, error) {
	state, _ := a["state"].(string)
	if ingot.AllocationState(state) == ingot.AllocationError {
		return false, ingot.Errorf(ingot.Permanent, "cannot allocate a node: %s", cell(a["last_error"]))
	}
	return ingot.AllocationState(state) == ingot.AllocationActive, nil
}
