package conductor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// guestTries is how many guests are begun for one allocation.
const guestTries = 3

// fallBack looks for metal for an allocation that may get a guest, and else makes one. It is asked again while it says
// true: all that it decided is in the store.
func (c *Conductor) fallBack(ctx context.Context, a *ingot.Allocation, wish ingot.PlacementWish) (bool, error) {
	now, err := c.Allocations.Get(ctx, a.UUID) // the list that it is from may be older than the guest
	if ingot.CodeOf(err) == ingot.NotFound || err == nil && now.State != ingot.Allocating {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	a = &now
	guest, err := c.guestFor(ctx, a)
	if err != nil {
		return false, err
	}
	if guest != nil {
		return c.raise(ctx, a, guest)
	}
	metal := "no metal was asked for"
	if wish.Fallback == ingot.FallbackTo {
		var done bool
		if metal, done, err = c.tryMetal(ctx, a); done || err != nil {
			return false, err
		}
		if c.Now().Before(a.CreatedAt.Add(wish.Wait)) {
			return true, nil
		}
	}
	return c.beginGuest(ctx, a, wish, metal)
}

// tryMetal gives the allocation a node that is there, or says why there is none.
func (c *Conductor) tryMetal(ctx context.Context, a *ingot.Allocation) (reason string, done bool, err error) {
	nodes, reason, err := c.candidates(ctx, a)
	if err != nil {
		return "", false, err
	}
	for i := range nodes {
		switch err := c.giveNode(ctx, a.UUID, &nodes[i]); ingot.CodeOf(err) {
		case "", ingot.NotFound: // done, or deleted meanwhile
			return "", true, nil
		case ingot.Locked, ingot.Conflict: // the next one
			reason = "all suitable nodes are held by others"
		default:
			return "", false, err
		}
	}
	return reason, false, nil
}

// guestFor is the guest that is being made for an allocation; nil when there is none. The last one that was begun may not be
// recorded yet.
func (c *Conductor) guestFor(ctx context.Context, a *ingot.Allocation) (*ingot.Node, error) {
	begun := a.Result().Attempts
	for _, n := range []int{begun + 1, begun} {
		guest, err := c.Nodes.Node(ctx, guestID(a.UUID, n))
		switch {
		case err == nil && guest.WaitsFor() == a.UUID && guest.InstanceUUID == "":
			return &guest, nil
		case err != nil && ingot.CodeOf(err) != ingot.NotFound:
			return nil, err
		}
	}
	return nil, nil
}

// guestID is the UUID of the guest that is begun nth for an allocation: whoever looks for it knows it, and two who begin it
// at once make one.
func guestID(allocation string, n int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s guest %d", allocation, n)).String()
}

// dynamicGuests are the guests without an instance that were made for allocations.
func (c *Conductor) dynamicGuests(ctx context.Context) ([]ingot.Node, error) {
	no := false
	guests, err := c.Nodes.ListNodes(ctx, ingot.NodeQuery{Driver: ingot.GuestDriver, Associated: &no, IncludeChildren: true, Page: ingot.Page{Limit: -1}})
	return slices.DeleteFunc(guests, func(n ingot.Node) bool { return !n.IsDynamic() }), err
}

// beginGuest places a guest for an allocation and writes it with its claim, or ends the allocation. metal is why it gets
// no metal.
func (c *Conductor) beginGuest(ctx context.Context, a *ingot.Allocation, wish ingot.PlacementWish, metal string) (bool, error) {
	flavors, err := c.Guests.Flavors.List(ctx, ingot.FlavorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return false, err
	}
	class := wish.Flavor
	if class == "" {
		class = a.ResourceClass
	}
	flavor := ingot.FlavorFor(flavors, class)
	if flavor == nil {
		return false, c.failAllocation(ctx, a, metal+"; there is no flavor for a virtual fallback of class "+class)
	}
	result := a.Result()
	hosts, err := c.Guests.Store.ComputeHosts(ctx)
	if err != nil {
		return false, err
	}
	req := ingot.PlacementRequest{
		Flavor: *flavor, Traits: a.Traits, Candidates: a.Candidates, Group: wish.Group, Project: a.Owner, Excluded: result.Failed,
		PhysicalNetworks: wish.Networks, Image: wish.Image,
	}
	if c.Guests.Interfaces.Deploy == ingot.ImageDeploy {
		req.DiskFormat = ingot.ImageDisks // it will begin as an image
	}
	placement := ingot.Place(hosts, req)
	why := fmt.Sprintf("%s; virtual fallback %s: %s", metal, flavor.ResourceClass, placement.String())
	if result.Attempts >= guestTries {
		return false, c.failAllocation(ctx, a, fmt.Sprintf("%s; %d guests could not be made, the last: %s", why, result.Attempts, result.Reason))
	}
	for _, candidate := range inTurn(placement) {
		i := slices.IndexFunc(hosts, func(h ingot.ComputeHost) bool { return h.Node.UUID == candidate.Host })
		n := result.Attempts + 1
		err := c.writeGuest(ctx, a, n, flavor, wish, &hosts[i])
		switch ingot.CodeOf(err) {
		case "":
			defer c.arrived(a.UUID) // there is something to go on with
			return true, c.recordResult(ctx, a, func(r *ingot.PlacementResult) { r.Host, r.Attempts, r.Reason = candidate.Host, n, metal })
		case ingot.Conflict: // somebody else has got the room, or has begun the guest
			if guest, err := c.guestFor(ctx, a); err != nil || guest != nil {
				return true, err
			}
		default:
			return false, err
		}
	}
	return false, c.failAllocation(ctx, a, why)
}

// inTurn are the hosts of a placement in the order in which they are tried: one of the best first, whichever.
func inTurn(p ingot.Placement) []ingot.PlacementCandidate {
	best := p.Best()
	rand.Shuffle(len(best), func(i, j int) { best[i], best[j] = best[j], best[i] })
	return p.Candidates
}

// writeGuest writes the nth guest of an allocation with its network cards and its claim, or nothing (Conflict).
func (c *Conductor) writeGuest(ctx context.Context, a *ingot.Allocation, n int, f *ingot.Flavor, wish ingot.PlacementWish, h *ingot.ComputeHost) error {
	ports, err := c.cardsFor(ctx, wish.Networks, &h.Hypervisor)
	if err != nil {
		return err
	}
	no, host := false, &h.Node
	guest := ingot.Node{
		UUID: guestID(a.UUID, n), Driver: ingot.GuestDriver, ParentNode: host.UUID, ResourceClass: a.ResourceClass, Traits: a.Traits,
		Owner: host.Owner, Lessee: a.Owner, ProvisionState: ingot.Enroll, Interfaces: c.Guests.Interfaces, ConductorGroup: host.ConductorGroup,
		DriverInfo: map[string]any{"dynamic": true}, Internal: map[string]any{ingot.GuestFor: a.UUID},
		AutomatedClean: &no, // there is nothing on its disk
	}
	if wish.Group != "" {
		guest.DriverInfo["anti_affinity_group"] = wish.Group
	}
	f.Shape(&guest)
	guest.Traits = ingot.Traits(append(guest.Traits, ingot.VirtualTrait))
	return c.Guests.Store.CreateGuest(ctx, &guest, ports, ingot.GuestClaim{Resources: f.Resources, Group: wish.Group},
		ingot.Event{At: c.Now(), Type: "node.created", Node: guest.UUID, Data: map[string]any{"driver": guest.Driver, "allocation": a.UUID}})
}

// raise takes a new guest a step further on its way to its allocation.
func (c *Conductor) raise(ctx context.Context, a *ingot.Allocation, guest *ingot.Node) (bool, error) {
	verb := ingot.Verb("")
	switch {
	case guest.Maintenance, guest.ProvisionState.Class() == ingot.Failed, guest.ProvisionState == ingot.Enroll && guest.LastError != "":
		return true, c.giveUp(ctx, a, guest)
	case guest.ProvisionState == ingot.Enroll:
		verb = ingot.VerbManage
	case guest.ProvisionState == ingot.Manageable:
		verb = ingot.VerbProvide
	case guest.ProvisionState == ingot.Available:
		switch err := c.giveNode(ctx, a.UUID, guest); ingot.CodeOf(err) {
		case "", ingot.NotFound:
			return false, c.succeeded(ctx, guest.ParentNode)
		case ingot.Locked, ingot.Conflict: // its power is not known yet
			return true, nil
		default:
			return false, err
		}
	default: // on its way
		return true, nil
	}
	switch err := c.Provision(ctx, *guest, ingot.ProvisionRequest{Verb: verb, Requester: a.UUID}); ingot.CodeOf(err) {
	case "", ingot.Locked, ingot.Conflict, ingot.Unavailable:
		return true, nil
	default:
		c.Log.Warn("cannot go on with a guest for an allocation", "guest", guest.UUID, "allocation", a.UUID, "verb", verb, "error", err)
		guest.LastError = err.Error()
		return true, c.giveUp(ctx, a, guest)
	}
}

// giveUp does away with a guest that could not be made, so that the allocation tries another host.
func (c *Conductor) giveUp(ctx context.Context, a *ingot.Allocation, guest *ingot.Node) error {
	switch err := c.vanish(ctx, guest); ingot.CodeOf(err) {
	case "":
	case ingot.Conflict, ingot.Locked: // at the next round
		return nil
	default: // the host may be gone: the sweep goes on trying, and the allocation need not wait for that
		c.Log.Warn("a guest that could not be made stays for now", "guest", guest.UUID, "error", err)
		if err := c.disown(ctx, guest); err != nil {
			return err
		}
	}
	reason := guest.LastError
	if reason == "" {
		reason = "it came to " + string(guest.ProvisionState)
	}
	err := c.recordResult(ctx, a, func(r *ingot.PlacementResult) {
		r.Host, r.Failed, r.Reason = "", append(r.Failed, guest.ParentNode), reason
		r.Attempts = max(r.Attempts, len(r.Failed)) // it may have failed before it was recorded
	})
	if err != nil {
		return err
	}
	defer c.arrived(a.UUID) // at the end of its way: another host is next
	return c.noteHost(ctx, guest.ParentNode, func(h *ingot.Hypervisor) { h.Failures, h.FailedAt = h.Failures+1, c.Now() })
}

// succeeded forgets the failures of a host on which a guest could be made.
func (c *Conductor) succeeded(ctx context.Context, host string) error {
	return c.noteHost(ctx, host, func(h *ingot.Hypervisor) { h.Failures = 0 })
}

func (c *Conductor) noteHost(ctx context.Context, host string, note func(*ingot.Hypervisor)) error {
	_, err := c.Guests.Hosts.Change(ctx, host, 0, func(h *ingot.Hypervisor) error {
		note(h)
		return nil
	})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

// recordResult writes down how far an allocation is, for its owner.
func (c *Conductor) recordResult(ctx context.Context, a *ingot.Allocation, change func(*ingot.PlacementResult)) error {
	_, err := c.Allocations.Change(ctx, a.UUID, 0, func(a *ingot.Allocation) error {
		r := a.Result()
		change(&r)
		a.SetResult(r)
		return nil
	})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	return err
}

// recordKind says what an allocation that could have got either has got.
func recordKind(a *ingot.Allocation, n *ingot.Node) {
	if wish, err := a.Wish(); err != nil || wish.Fallback == ingot.FallbackNever {
		return
	}
	r := a.Result()
	r.Kind, r.Host = "metal", ""
	if n.IsGuest() {
		r.Kind, r.Host = "virtual", n.ParentNode
	}
	a.SetResult(r)
}
