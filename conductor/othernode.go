package conductor

import (
	"context"

	"github.com/ingot-metal/ingot"
)

// Steps about another node that the operation holds, as if it were its own: what they find out is that node's.

// about is the pass over another node of the operation.
func (r *Run) about(ctx context.Context, id string) (*Run, error) {
	n, err := r.c.Nodes.Node(ctx, id)
	if err != nil {
		return nil, err
	}
	ports, err := r.c.Nodes.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID, Page: ingot.Page{Limit: -1}})
	if err != nil {
		return nil, err
	}
	return &Run{Op: r.Op, Node: &n, Ports: ports, Now: r.Now, c: r.c}, nil
}

// include has what was found out about another node committed with the pass.
func (r *Run) include(about *Run) {
	r.others = append(r.others, ingot.NodeResult{UUID: about.Node.UUID, Changes: about.changes, History: about.history, Events: about.events})
}

// on has a step asked about another node. That one is shown as waiting while its agent is waited for; the operation's own
// node is not, which is why nobody can abort it there.
func on(other func(ctx context.Context, r *Run) (*Run, error), step Step) Step {
	do := step.Do
	step.State = ""
	step.Do = func(ctx context.Context, r *Run) (Progress, error) {
		about, err := other(ctx, r)
		if err != nil {
			return Progress{}, err
		}
		p, err := do(ctx, about)
		switch {
		case err == nil && p.agent:
			about.SetState(ingot.WaitOf(ingot.WorkOf(about.Node.ProvisionState)), about.Node.TargetProvisionState)
			p.agent = false
		case err == nil && (p.holds || p.back != ""):
			about.works()
		}
		r.include(about)
		return p, err
	}
	return step
}
