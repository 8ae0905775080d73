package conductor

import (
	"context"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Steps that a list of cleaning or servicing has carried out on the node's children (Ironic since 1.83): the reserved
// steps that switch power or let time pass, and steps of the children's drivers. None of them needs an agent of a child.

// The keys of a step in a request that say so, and of the children that it was frozen for.
const (
	onChildNodes  = "execute_on_child_nodes"
	limitChildren = "limit_child_node_execution"
	childNodes    = "child_nodes"
)

// namedChildren finds the children that the steps of a request are for, writes them into the steps, and gives the UUIDs of
// all. What no child of the node could carry out is refused now; in Ironic it fails later.
func (c *Conductor) namedChildren(ctx context.Context, n *ingot.Node, req *ingot.ProvisionRequest) ([]string, error) {
	var all []string
	var children []ingot.Node
	for kind, list := range map[string]*[]map[string]any{"clean": &req.CleanSteps, "service": &req.ServiceSteps} {
		steps := slices.Clone(*list)
		for i, step := range steps {
			if step[onChildNodes] != true {
				continue
			}
			if children == nil {
				found, err := c.children(ctx, n.UUID)
				if err != nil {
					return nil, err
				}
				children = append([]ingot.Node{}, found...)
			}
			chosen, err := chooseChildren(n, children, step)
			if err != nil {
				return nil, err
			}
			var ids []any
			for j := range chosen {
				if err := c.fitsChild(kind, step, &chosen[j]); err != nil {
					return nil, err
				}
				ids, all = append(ids, chosen[j].UUID), append(all, chosen[j].UUID)
			}
			steps[i] = withChildren(step, ids)
		}
		*list = steps
	}
	return all, nil
}

// chooseChildren are the children that a step names, all for none.
func chooseChildren(n *ingot.Node, children []ingot.Node, step map[string]any) ([]ingot.Node, error) {
	limit, _ := step[limitChildren].([]any)
	if len(limit) == 0 {
		return children, nil
	}
	chosen := make([]ingot.Node, 0, len(limit))
	for _, item := range limit {
		id, _ := item.(string)
		i := slices.IndexFunc(children, func(child ingot.Node) bool { return strings.EqualFold(child.UUID, id) })
		if i < 0 {
			return nil, ingot.Errorf(ingot.Invalid, "%s of step %s names %s, which is no child of node %s", limitChildren, ingot.Text(step, "step"), id, n.UUID)
		}
		chosen = append(chosen, children[i])
	}
	return chosen, nil
}

// withChildren is a step with the children that it is frozen for.
func withChildren(step map[string]any, ids []any) map[string]any {
	out := map[string]any{childNodes: ids}
	for key, v := range step {
		out[key] = v
	}
	return out
}

// fitsChild refuses a step that cannot be carried out on a child.
func (c *Conductor) fitsChild(kind string, step map[string]any, child *ingot.Node) error {
	asked := askedStep(step, "user")
	refuse := func(why string) error {
		return ingot.Errorf(ingot.Invalid, "cannot carry out step %s.%s on child node %s: %s", asked.Interface, asked.Step, child.UUID, why)
	}
	switch {
	case asked.Step == flowHold:
		return refuse("its state can not be held")
	case asked.Step == flowWait && asked.Args["seconds"] == nil:
		return refuse("no agent of a child calls; give seconds")
	case (asked.Step == flowPowerOff || asked.Step == flowReboot) && child.DisablePowerOff:
		return refuse("it has disable_power_off set")
	case reserved(asked.Step):
		return nil
	case c.driverStep(child, kind, asked) == nil:
		return refuse("its driver has no such step, and a child's agent is not asked")
	}
	return complete(asked)
}

// onChildren is a step of a request once for each child that it is for; the step itself where it is for the node.
func onChildren(m map[string]any, step ingot.OperationStep) []ingot.OperationStep {
	if m[onChildNodes] != true {
		return []ingot.OperationStep{step}
	}
	ids, _ := m[childNodes].([]any)
	steps := make([]ingot.OperationStep, len(ids))
	for i, id := range ids {
		steps[i] = step
		steps[i].Node, _ = id.(string)
	}
	return steps
}

// childStep carries out one step on one child.
func (c *Conductor) childStep(ctx context.Context, r *Run, kind string, step ingot.OperationStep) (Progress, error) {
	child, err := c.Nodes.Node(ctx, step.Node)
	if err != nil {
		return Progress{}, err
	}
	switch step.Step {
	case flowWait:
		return c.waitStep(ctx, r, step)
	case flowPowerOff:
		return c.bring(ctx, r, "child_node", []ingot.Node{child}, ingot.TargetPowerOff)
	case flowPowerOn:
		return c.bring(ctx, r, "child_node", []ingot.Node{child}, ingot.TargetPowerOn)
	}
	do := c.driverStep(&child, kind, step)
	if do == nil {
		return Progress{}, ingot.Fatalf("child node %s has no such step any more", child.UUID)
	}
	if p, err := c.startChildAgain(ctx, r, &child); err != nil || !p.holds {
		return p, err
	}
	about := &Run{Op: r.Op, Node: &child, Now: r.Now, c: c}
	p, err := do(ctx, about, step.Args)
	r.others = append(r.others, ingot.NodeResult{UUID: child.UUID, Changes: about.changes, History: about.history, Events: about.events})
	if p.back != "" && err == nil {
		return r.childMustRestart(&child, p.note)
	}
	return p, err
}

// The stages of starting a child again, which some changes need to hold.
const (
	childToGoOff = "off"
	childToGoOn  = "on"
	childStarted = "started"
)

// childRestart is the key of an operation's memory with the stage that the child of the step under the slot is in.
func (r *Run) childRestart() string { return "child_restart_" + r.commandID() }

// childMustRestart has the child of the step started again before the step is asked once more. A child that has been
// started again is left the time that an agent would have to call.
func (r *Run) childMustRestart(child *ingot.Node, why string) (Progress, error) {
	if r.Op.Memory[r.childRestart()] != childStarted {
		r.Remember(r.childRestart(), childToGoOff)
		r.Op.StepSince = r.Now
		return NotYet(0, why), nil
	}
	if r.Now.Sub(r.Op.StepSince) > r.c.Settings.CallbackTimeout {
		return Progress{}, ingot.Fatalf("%s was started again, and its settings do not hold", child.Label())
	}
	return NotYet(powerPoll, "the settings do not hold yet after the machine was started again"), nil
}

// startChildAgain holds when the child is not to be started again, or was.
func (c *Conductor) startChildAgain(ctx context.Context, r *Run, child *ingot.Node) (Progress, error) {
	stage, target := r.Op.Memory[r.childRestart()], ingot.TargetPowerOff
	next := childToGoOn
	switch stage {
	case childToGoOff:
	case childToGoOn:
		target, next = ingot.TargetPowerOn, childStarted
	default:
		return Holds(), nil
	}
	p, err := c.bring(ctx, r, "child_node", []ingot.Node{*child}, target)
	if err != nil || !p.holds {
		return p, err
	}
	r.Remember(r.childRestart(), next)
	r.Op.StepSince = r.Now // each change of power has its own time
	return NotYet(0, "the child is being started again"), nil
}
