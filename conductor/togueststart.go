package conductor

import (
	"context"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// Which guest takes a server's instance over: placed and made in the transaction that begins the operation.

// guestWish is what a request says of the guest.
type guestWish struct {
	host   string // its compute host's name or UUID; "" is the best place
	flavor string // resource class or UUID; "" is the one that does for the node
}

// guestWishOf reads the request, and refuses what nothing would read.
func guestWishOf(n *ingot.Node, req *ingot.ProvisionRequest) (w guestWish, err error) {
	args, err := interchangeArgs(toGuestStep, n, req)
	if err != nil {
		return w, err
	}
	for key, v := range args {
		text, good := v.(string)
		switch key {
		case "host":
			w.host = text
		case "flavor":
			w.flavor = text
		default:
			return w, ingot.Errorf(ingot.Invalid, "step management.%s takes no argument %s: it takes host and flavor", toGuestStep, key)
		}
		if !good || text == "" {
			return w, ingot.Errorf(ingot.Invalid, "argument %s of step management.%s can not be %v", key, toGuestStep, v)
		}
	}
	return w, nil
}

// startToGuest begins to_guest on the first host that has room.
func (c *Conductor) startToGuest(ctx context.Context, metal ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) error {
	wish, err := guestWishOf(&metal, &req)
	if err != nil {
		return err
	}
	ports, err := c.mayTurnGuest(ctx, &metal)
	if err != nil {
		return err
	}
	flavor, err := c.flavorFor(ctx, &metal, wish.flavor)
	if err != nil {
		return err
	}
	hosts, placement, err := c.placeFor(ctx, &metal, ports, flavor, wish.host, req.Project)
	if err != nil {
		return err
	}
	for _, candidate := range inTurn(placement) {
		i := slices.IndexFunc(hosts, func(h ingot.ComputeHost) bool { return h.Node.UUID == candidate.Host })
		var twin ingot.NewGuest
		if twin, err = c.newTwin(ctx, &metal, ports, flavor, &hosts[i].Node); err == nil {
			err = c.beginToGuest(ctx, metal, row, req, twin)
		}
		if code := ingot.CodeOf(err); code != ingot.Conflict {
			return err
		}
	}
	return err
}

// newTwin is the guest that is to take the instance over. It is dynamic: it goes when the instance goes.
func (c *Conductor) newTwin(ctx context.Context, metal *ingot.Node, ports []ingot.Port, f *ingot.Flavor, host *ingot.Node) (ingot.NewGuest, error) {
	no := false
	traits, _ := metal.InstanceTraits()
	guest := ingot.Node{
		UUID: uuid.NewString(), Driver: ingot.GuestDriver, ParentNode: host.UUID, ResourceClass: metal.ResourceClass, Traits: traits,
		Owner: host.Owner, ProvisionState: ingot.Deploying, TargetProvisionState: ingot.Active, ProvisionUpdatedAt: c.Now(),
		Interfaces: c.Guests.Interfaces, ConductorGroup: host.ConductorGroup, DriverInfo: map[string]any{"dynamic": true},
		Properties:     map[string]any{"capabilities": "boot_mode:" + string(metal.Firmware())},
		AutomatedClean: &no, // its disk goes with it
	}
	f.Shape(&guest)
	guest.Traits = ingot.Traits(append(guest.Traits, ingot.VirtualTrait))
	made := ingot.NewGuest{Node: guest, Claim: ingot.GuestClaim{Resources: f.Resources}}
	for i := range ports {
		address, err := c.freeCard(ctx)
		if err != nil {
			return made, err
		}
		made.Ports = append(made.Ports, ingot.Port{
			UUID: uuid.NewString(), Address: address, PXEEnabled: ports[i].PXEEnabled, PhysicalNetwork: ports[i].PhysicalNetwork,
		})
	}
	return made, nil
}

// beginToGuest makes the guest and begins. Conflict: there is no room any more, or the server is not what it was.
func (c *Conductor) beginToGuest(ctx context.Context, metal ingot.Node, row ingot.Transition, req ingot.ProvisionRequest, guest ingot.NewGuest) error {
	start := c.beginning(metal, row, &req, ingot.KindToGuest, map[string]any{guestKey: guest.Node.UUID}, map[string]any{
		"node": guest.Node.UUID, "host": guest.Node.ParentNode,
	})
	start.Guest, start.Others = &guest, []string{guest.Node.UUID}
	start.Joins = []ingot.Join{{UUID: guest.Node.UUID, Change: func(*ingot.Node) error { return nil }, Events: []ingot.Event{{
		At: c.Now(), Type: "node.created", Node: guest.Node.UUID, Data: map[string]any{"driver": ingot.GuestDriver, "operation": start.Operation.UUID},
	}}}}
	_, err := c.Operations.StartOperation(ctx, start)
	return err
}

// flavorFor is the flavor that was asked for, or the one of the node's resource class or that does for it, or else the
// smallest that holds its disk.
func (c *Conductor) flavorFor(ctx context.Context, n *ingot.Node, asked string) (*ingot.Flavor, error) {
	flavors, err := c.Guests.Flavors.List(ctx, ingot.FlavorQuery{Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	disk, known := ingot.Whole(n.Properties[ingot.DiskGB.Property()])
	flavor := ingot.FlavorFor(flavors, n.ResourceClass)
	switch {
	case asked != "":
		i := slices.IndexFunc(flavors, func(f ingot.Flavor) bool { return f.ResourceClass == asked || f.UUID == asked })
		if i < 0 {
			return nil, ingot.Errorf(ingot.Invalid, "argument flavor of step management.%s: there is no flavor %s; there are: %s", toGuestStep, asked, classesOf(flavors))
		}
		flavor = &flavors[i]
	case flavor == nil && !known:
		return nil, ingot.Errorf(ingot.Invalid, "node %s has no local_gb in its properties, and there is no flavor for its resource class %s: name one of %s",
			n.UUID, orNothing(n.ResourceClass), classesOf(flavors))
	case flavor == nil:
		if flavor = smallest(flavors, disk); flavor == nil {
			return nil, ingot.Errorf(ingot.Conflict, "no flavor has a disk of %d GB, as node %s has; there are: %s", disk, n.UUID, classesOf(flavors))
		}
	}
	mode := n.Firmware()
	switch has := flavor.Resources[ingot.DiskGB]; {
	case known && disk > has:
		return nil, ingot.Errorf(ingot.Conflict, "node %s has local_gb %d, and flavor %s a disk of %d GB: disks do not shrink", n.UUID, disk, flavor.ResourceClass, has)
	case has == 0:
		return nil, ingot.Errorf(ingot.Conflict, "flavor %s has no disk", flavor.ResourceClass)
	case flavor.BootMode != "" && flavor.BootMode != mode:
		return nil, ingot.Errorf(ingot.Conflict, "node %s boots by %s, and flavor %s by %s", n.UUID, mode, flavor.ResourceClass, flavor.BootMode)
	}
	chosen := *flavor
	chosen.BootMode = mode
	return &chosen, nil
}

// smallest is the flavor with the smallest disk that is large enough, of these the one with the least memory and processors.
func smallest(flavors []ingot.Flavor, disk int64) (found *ingot.Flavor) {
	least := [3]int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}
	for i := range flavors {
		has := flavors[i].Resources
		size := [3]int64{has[ingot.DiskGB], has[ingot.MemoryMB], has[ingot.VCPU]}
		if size[0] >= disk && size[0] > 0 && slices.Compare(size[:], least[:]) < 0 {
			found, least = &flavors[i], size
		}
	}
	return found
}

func classesOf(flavors []ingot.Flavor) string {
	var names []string
	for i := range flavors {
		names = append(names, flavors[i].ResourceClass)
	}
	return namesOr(names, "none")
}
