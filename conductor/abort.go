package conductor

import (
	"context"
	"fmt"
	"maps"

	"github.com/ingot-metal/ingot"
)

// A user's abort: at once, or after the step that must not be interrupted.

// abortAfter is the key of a shown step with the mark that the operation is to be aborted when the step has ended, as
// Ironic's.
const abortAfter = "abort_after"

// abort turns the operation under way round at once. While a step runs that must not be interrupted (firmware, say) it
// leaves a mark instead, and the pass that finds the step ended turns round. The node is shown as working until its machine
// has been made safe.
func (c *Conductor) abort(ctx context.Context, node ingot.Node, req ingot.ProvisionRequest) error {
	if step := *shownStep(&node, listOf(node.ProvisionState)); len(step) > 0 && node.ProvisionState.Class() == ingot.Waiting {
		if abortable, _ := step["abortable"].(bool); !abortable {
			return c.markAbort(ctx, node, step)
		}
	}
	now, reason := c.Now(), abortReason(&node)
	after := node
	after.ProvisionState, after.ProvisionUpdatedAt, after.LastError = ingot.WorkOf(node.ProvisionState), now, reason
	history, event := c.transition(&after, node.ProvisionState, node.ProvisionUpdatedAt, req.Requester)
	_, err := c.Operations.InterruptOperation(ctx, ingot.Interrupt{
		NodeUUID: node.UUID, NodeVersion: node.Version, Lane: ingot.LaneProvision, Reason: reason,
		Change: func(n *ingot.Node) {
			n.ProvisionState, n.ProvisionUpdatedAt, n.LastError = after.ProvisionState, now, reason
		},
		History: []ingot.History{history}, Events: []ingot.Event{event},
	})
	return err
}

// markAbort leaves the mark, unless the step has ended meanwhile.
func (c *Conductor) markAbort(ctx context.Context, node ingot.Node, seen map[string]any) error {
	_, err := c.Nodes.ChangeNode(ctx, ingot.NodeChange{UUID: node.UUID, Wake: true, Change: func(n *ingot.Node) error {
		place := shownStep(n, listOf(n.ProvisionState))
		now := *place
		if n.ProvisionState != node.ProvisionState || now["step"] != seen["step"] || now["interface"] != seen["interface"] {
			return ingot.Errorf(ingot.Conflict, "Node %s has gone on to another step meanwhile; read it again and retry.", n.UUID)
		}
		*place = maps.Clone(now)
		(*place)[abortAfter] = true
		return nil
	}})
	return err
}

// listOf is the kind of list that runs in a state; "" where none does.
func listOf(s ingot.State) string {
	switch ingot.WorkOf(s) {
	case ingot.Deploying:
		return "deploy"
	case ingot.Cleaning:
		return "clean"
	case ingot.Servicing:
		return "service"
	}
	return ""
}

// abortReason is last_error after a user's abort, in Ironic's words.
func abortReason(n *ingot.Node) string {
	kind := listOf(n.ProvisionState)
	switch ingot.WorkOf(n.ProvisionState) {
	case ingot.Inspecting:
		return "Inspection was aborted by request."
	case ingot.Rescuing:
		return "By request, the rescue operation was aborted."
	}
	reason := fmt.Sprintf("By request, the %s operation was aborted", kind)
	if step := *shownStep(n, kind); ingot.Text(step, "step") != "" {
		reason += fmt.Sprintf(` during or after the completion of step "%s.%s"`, ingot.Text(step, "interface"), ingot.Text(step, "step"))
	}
	return reason
}

// abortDue says whether the operation was marked and no step that must not be interrupted runs any more.
func (r *Run) abortDue() bool {
	kind := listOf(r.Node.ProvisionState)
	if kind == "" || r.Op.Phase != ingot.Forward || (*shownStep(r.Node, kind))[abortAfter] == nil {
		return false
	}
	if r.Op.Position != runSteps || r.Op.Slot >= len(r.Steps) {
		return true
	}
	step := r.Steps[r.Op.Slot]
	return step.State != ingot.StepRunning || step.Abortable
}

// turnRound begins the way back after a user's mark, as InterruptOperation does for an abort at once.
func (r *Run) turnRound() {
	reason := abortReason(r.Node)
	r.Op.Phase, r.Op.Slot, r.Op.Error, r.Op.PhaseSince = ingot.Cancel, 0, reason, r.Now
	r.next("")
	r.Change(func(n *ingot.Node) { n.LastError = reason })
	r.works()
}
