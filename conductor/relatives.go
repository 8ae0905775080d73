package conductor

import (
	"context"
	"fmt"
	"time"

	"github.com/ingot-metal/ingot"
)

// Power between parents and children: a child that lives off its parent's power supply is on only while the parent is
// (Ironic since 1.83). A child with driver_info has_dedicated_power_supply has a life of its own.

// ownSupply says whether a child has a power supply of its own.
func ownSupply(n *ingot.Node) bool {
	switch v := n.DriverInfo["has_dedicated_power_supply"].(type) {
	case bool:
		return v
	case string:
		return v == "true" || v == "True"
	}
	return false
}

// parentOn has a child's parent on before the child, where a user asked for that.
func (c *Conductor) parentOn(ctx context.Context, r *Run) (Progress, error) {
	if powerTarget(r) != ingot.TargetPowerOn {
		return Holds(), nil
	}
	return c.parentFirst(ctx, r)
}

// parentFirst has the parent on of a child that lives off it.
func (c *Conductor) parentFirst(ctx context.Context, r *Run) (Progress, error) {
	if r.Node.ParentNode == "" || ownSupply(r.Node) {
		return Holds(), nil
	}
	parent, err := c.Nodes.Node(ctx, r.Node.ParentNode)
	if err != nil {
		return Progress{}, fmt.Errorf("cannot power on the parent of %s: %w", r.Node.Label(), err)
	}
	if err := c.mayStartHost(ctx, r.Node, &parent); err != nil {
		return Progress{}, err
	}
	return c.bring(ctx, r, "parent_node", []ingot.Node{parent}, ingot.TargetPowerOn)
}

// childrenOff has a parent's children off before the parent, where a user asked for that. Guests have a step of their own.
func (c *Conductor) childrenOff(ctx context.Context, r *Run) (Progress, error) {
	if powerTarget(r) != ingot.TargetPowerOff {
		return Holds(), nil
	}
	return c.childrenFirst(ctx, r)
}

// childrenFirst has those children off that live off the parent, save guests.
func (c *Conductor) childrenFirst(ctx context.Context, r *Run) (Progress, error) {
	children, err := c.children(ctx, r.Node.UUID)
	if err != nil {
		return Progress{}, err
	}
	var dependent []ingot.Node
	for i := range children {
		if child := &children[i]; !ownSupply(child) && !child.IsGuest() {
			dependent = append(dependent, *child)
		}
	}
	return c.bring(ctx, r, "child_node", dependent, ingot.TargetPowerOff)
}

// switchOff has the machine of a plan's node off, and before it the children that live off it. Guests end with their
// host: one whose system hangs would never be rescued if they had to be asked.
func (c *Conductor) switchOff(ctx context.Context, r *Run) (Progress, error) {
	if r.Node.PowerState != ingot.PowerOff { // as in Ironic, a machine that is off already leaves its children alone
		p, err := c.childrenFirst(ctx, r)
		if err != nil || !p.holds {
			return p, err
		}
	}
	return ensurePower(ctx, r, ingot.ActionOff)
}

// switchOn has the machine of a plan's node on, and before it the parent that it lives off. A guest has been made by its
// host, which is on.
func (c *Conductor) switchOn(ctx context.Context, r *Run) (Progress, error) {
	if !r.Node.IsGuest() {
		if p, err := c.parentFirst(ctx, r); err != nil || !p.holds {
			return p, err
		}
	}
	return ensurePower(ctx, r, ingot.ActionOn)
}

// children are all of a node's.
func (c *Conductor) children(ctx context.Context, parent string) ([]ingot.Node, error) {
	var all []ingot.Node
	query := ingot.NodeQuery{ParentNode: parent}
	for {
		page, err := c.Nodes.ListNodes(ctx, query)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
		query.Marker = page[len(page)-1].UUID
	}
}

// bring has other nodes' machines on or off: it looks at each, starts an ordinary power operation where the power
// differs, and says whether all are there. A node that another operation holds is waited for, as long as a change of
// power may take. relation is Ironic's word for what the nodes are.
func (c *Conductor) bring(ctx context.Context, r *Run, relation string, nodes []ingot.Node, target ingot.PowerTarget) (Progress, error) {
	want := ingot.PowerOff
	if target == ingot.TargetPowerOn {
		want = ingot.PowerOn
	}
	for i := range nodes {
		n := &nodes[i]
		if n.TargetPowerState != "" {
			return c.inPowerTime(r, NotYet(relativePoll, fmt.Sprintf("waiting for %s to change its power", n.Label())), nil)
		}
		var seen ingot.PowerState
		err := c.exchange(ctx, n, func(ctx context.Context, m ingot.Machine) (err error) {
			seen, err = m.PowerState(ctx)
			return err
		})
		if err != nil {
			return c.inPowerTime(r, Progress{}, fmt.Errorf("cannot read the power of %s: %w", n.Label(), err))
		}
		switch {
		case seen == want:
			continue
		case n.DisablePowerOff && want == ingot.PowerOff:
			return Progress{}, ingot.Fatalf("cannot power off %s, which lives off %s: it has disable_power_off set", n.Label(), r.Node.Label())
		}
		switch err := c.SetPower(ctx, *n, target, 0); ingot.CodeOf(err) {
		case "", ingot.Conflict:
			return c.inPowerTime(r, NotYet(relativePoll, fmt.Sprintf("waiting for %s to change its power", n.Label())), nil)
		case ingot.Locked:
			return c.inPowerTime(r, Progress{}, fmt.Errorf("Node %s %s %s is presently locked and we are unable to perform any action on it at this time. Please retry after the current operation is completed.", r.Node.UUID, relation, n.UUID)) //nolint:staticcheck // Ironic's text
		default:
			return Progress{}, fmt.Errorf("cannot change the power of %s: %w", n.Label(), err)
		}
	}
	return Holds(), nil
}

// relativePoll is how often another node's power operation is looked at.
const relativePoll = time.Second
