package conductor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Which metal takes a guest's instance over: asked and taken in the transaction that begins the operation.

// metalTries is how many nodes are tried that others take meanwhile.
const metalTries = 16

// metalWish is what a request says of the metal.
type metalWish struct {
	node   string // its name or UUID
	class  string // else one of this class
	traits []string
}

// metalWishOf reads the request, and refuses what nothing would read.
func metalWishOf(n *ingot.Node, req *ingot.ProvisionRequest) (w metalWish, err error) {
	const name = "management." + toMetalStep
	args, err := interchangeArgs(toMetalStep, n, req)
	if err != nil {
		return w, err
	}
	for key, v := range args {
		good := true
		switch key {
		case "node":
			w.node, good = v.(string)
		case "resource_class":
			w.class, good = v.(string)
		case "traits":
			var list []any
			list, good = v.([]any)
			for _, item := range list {
				trait, isText := item.(string)
				w.traits, good = append(w.traits, trait), good && isText
			}
		default:
			return w, ingot.Errorf(ingot.Invalid, "step %s takes no argument %s: it takes node, or resource_class and traits", name, key)
		}
		if !good {
			return w, ingot.Errorf(ingot.Invalid, "argument %s of step %s can not be %v", key, name, v)
		}
	}
	if w.node == "" && w.class == "" {
		w.class = n.ResourceClass
	}
	return w, nil
}

// startToMetal begins to_metal on the first node that suits and that nobody else takes.
func (c *Conductor) startToMetal(ctx context.Context, guest ingot.Node, row ingot.Transition, req ingot.ProvisionRequest) error {
	if c.Guests == nil || !guest.IsGuest() {
		return ingot.Errorf(ingot.Invalid, "cannot carry out step management.%s: node %s is no guest", toMetalStep, guest.UUID)
	}
	if copied := guest.CopiedTo(); copied != "" {
		return ingot.Errorf(ingot.Conflict, "node %s may run a copy of guest %s: abort the service first, which has that one off", copied, guest.UUID)
	}
	wish, err := metalWishOf(&guest, &req)
	if err != nil {
		return err
	}
	if _, err := able[ingot.GuestExporter](c, &guest, "management", "management."+toMetalStep); err != nil {
		return err
	}
	search, err := c.newMetalSearch(ctx, &guest, wish, req.Project)
	if err != nil {
		return err
	}
	nodes, err := search.candidates(ctx)
	if err != nil {
		return err
	}
	for i := range nodes[:min(len(nodes), metalTries)] {
		err = c.beginToMetal(ctx, guest, row, req, &nodes[i], search)
		if code := ingot.CodeOf(err); code != ingot.Conflict && code != ingot.Locked {
			return err
		}
	}
	return err
}

// beginToMetal takes one node and begins. Conflict and Locked: it, or the guest, is not what it was.
func (c *Conductor) beginToMetal(ctx context.Context, guest ingot.Node, row ingot.Transition, req ingot.ProvisionRequest, metal *ingot.Node, search *metalSearch) error {
	now := c.Now()
	start := c.beginning(guest, row, &req, ingot.KindToMetal, map[string]any{metalKey: metal.UUID}, map[string]any{"node": metal.UUID})
	history, event := c.shown(*metal, ingot.Deploying, ingot.Active, &req)
	start.Others = []string{metal.UUID}
	start.Joins = []ingot.Join{{UUID: metal.UUID, History: []ingot.History{history}, Events: []ingot.Event{event}, Change: func(n *ingot.Node) error {
		if why := search.unfit(n); why != "" {
			return ingot.Errorf(ingot.Conflict, "node %s cannot take guest %s over: %s", n.UUID, guest.UUID, why)
		}
		if n.Reservation != "" || n.TargetPowerState != "" {
			return c.locked(n)
		}
		n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt, n.LastError = ingot.Deploying, ingot.Active, now, ""
		return nil
	}}}
	_, err := c.Operations.StartOperation(ctx, start)
	return err
}

// metalSearch is what a guest's instance needs of metal.
type metalSearch struct {
	c          *Conductor
	guest      *ingot.Node
	ports      []ingot.Port
	wish       metalWish
	allocation *ingot.Allocation // nil is none
	project    string            // whose nodes alone will do; "" is all
}

func (c *Conductor) newMetalSearch(ctx context.Context, guest *ingot.Node, wish metalWish, project string) (*metalSearch, error) {
	s := &metalSearch{c: c, guest: guest, wish: wish, project: project}
	var err error
	if s.ports, err = c.Nodes.ListPorts(ctx, ingot.PortQuery{NodeUUID: guest.UUID, Page: ingot.Page{Limit: -1}}); err != nil {
		return nil, err
	}
	if guest.AllocationUUID != "" && c.Allocations != nil {
		found, err := c.Allocations.List(ctx, ingot.AllocationQuery{NodeUUID: guest.UUID, Page: ingot.Page{Limit: -1}})
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			s.allocation = &found[0]
		}
	}
	traits, _ := guest.InstanceTraits()
	s.wish.traits = ingot.Traits(slices.Concat(s.wish.traits, traits))
	return s, nil
}

// candidates are the nodes that will do as they are now. Conflict: there are none, and why not; Invalid: the one that was
// named is not there.
func (s *metalSearch) candidates(ctx context.Context) ([]ingot.Node, error) {
	nodes, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var fit []ingot.Node
	var reasons []string
	for i := range nodes {
		why := s.unfit(&nodes[i])
		if why == "" {
			why, err = s.unplugged(ctx, &nodes[i])
		}
		switch {
		case err != nil:
			return nil, err
		case why == "":
			fit = append(fit, nodes[i])
		default:
			reasons = append(reasons, nodes[i].Label()+" "+why)
		}
	}
	if len(fit) > 0 {
		return fit, nil
	}
	if len(reasons) == 0 {
		reasons = append(reasons, "no available node has resource class "+s.wish.class)
	}
	const most = 10
	if len(reasons) > most {
		reasons = append(reasons[:most], fmt.Sprintf("%d more", len(reasons)-most))
	}
	return nil, ingot.Errorf(ingot.Conflict, "no metal can take guest %s over: %s", s.guest.UUID, strings.Join(reasons, "; "))
}

func (s *metalSearch) list(ctx context.Context) ([]ingot.Node, error) {
	if s.wish.node == "" {
		no := false
		return s.c.Nodes.ListNodes(ctx, ingot.NodeQuery{
			ProvisionState: ingot.Available, ResourceClass: s.wish.class, Associated: &no, Maintenance: &no, Project: s.project, Page: ingot.Page{Limit: -1},
		})
	}
	n, err := s.c.Nodes.Node(ctx, s.wish.node)
	if ingot.CodeOf(err) == ingot.NotFound || err == nil && s.project != "" && n.Owner != s.project && n.Lessee != s.project {
		return nil, ingot.Errorf(ingot.Invalid, "argument node of step management.%s: Node %s could not be found.", toMetalStep, s.wish.node)
	}
	return []ingot.Node{n}, err
}
