package conductor

import (
	"context"
	"fmt"
	"maps"

	"github.com/ingot-metal/ingot"
)

// vanish does away with a guest that was made for an allocation: its machine first, then its row with the claim.
// Conflict and Locked: it is not what it was, and to be looked at again.
func (c *Conductor) vanish(ctx context.Context, guest *ingot.Node) error {
	// From here on nobody gets it.
	gone, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: guest.UUID, Version: guest.Version, Change: func(n *ingot.Node) error {
		n.Maintenance, n.MaintenanceReason = true, "it was made for an allocation that has no use for it"
		return nil
	}})
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return nil
	case err != nil:
		return err
	}
	if err := c.RemoveGuest(ctx, gone); err != nil {
		return fmt.Errorf("cannot do away with %s: %w", guest.Label(), err)
	}
	err = c.Guests.Store.DeleteNode(ctx, gone.UUID, gone.Version,
		ingot.Event{At: c.Now(), Type: "node.deleted", Node: guest.UUID, Data: map[string]any{"name": guest.Name, "driver": guest.Driver}})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

// disown lets no allocation wait for a guest any more.
func (c *Conductor) disown(ctx context.Context, guest *ingot.Node) error {
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: guest.UUID, Change: func(n *ingot.Node) error {
		n.Internal = maps.Clone(n.Internal)
		delete(n.Internal, ingot.GuestFor)
		return nil
	}})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

// sweepGuests does away with guests whose allocation is gone: they were deployed and deleted again, or nobody waits for
// them any more.
func (c *Conductor) sweepGuests(ctx context.Context) error {
	guests, err := c.dynamicGuests(ctx)
	if err != nil || len(guests) == 0 {
		return err
	}
	// Read after the guests, so that no guest is taken whose allocation is newer than the list.
	waiting, err := c.Allocations.List(ctx, ingot.AllocationQuery{State: ingot.Allocating, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return err
	}
	waits := map[string]bool{}
	for i := range waiting {
		waits[waiting[i].UUID] = true
	}
	for i := range guests {
		n := &guests[i]
		resting := n.ProvisionState == ingot.Available || n.ProvisionState == ingot.Manageable || n.ProvisionState == ingot.Enroll
		if !resting || n.TargetProvisionState != "" || n.Reservation != "" || waits[n.WaitsFor()] {
			continue
		}
		if err := c.vanish(ctx, n); err != nil {
			c.Log.Debug("a guest whose allocation is gone stays; trying again", "guest", n.UUID, "error", err)
		}
	}
	return nil
}
