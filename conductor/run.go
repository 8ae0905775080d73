package conductor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ingot-metal/ingot"
)

// Run is one pass over one operation: what a step sees, and where it puts what it found. Nothing in it is true for
// others before the pass commits.
type Run struct {
	Op    *ingot.Operation
	Node  *ingot.Node
	Ports []ingot.Port
	Steps []ingot.OperationStep // frozen list of the slot
	Now   time.Time

	c           *Conductor
	changes     []func(*ingot.Node)
	newSteps    []ingot.OperationStep
	newPorts    []ingot.Port
	portChanges []ingot.PortChange
	others      []ingot.NodeResult
	following   *ingot.Operation
	history     []ingot.History
	events      []ingot.Event
	inventory   *ingot.Inventory
	plugin      map[string]any
}

func (c *Conductor) newRun(p ingot.Pass) *Run {
	if p.Operation.Memory == nil {
		p.Operation.Memory = map[string]any{}
	}
	return &Run{Op: &p.Operation, Node: &p.Node, Ports: p.Ports, Steps: p.Steps, Now: p.Now, c: c}
}

// result is what the store is to write.
func (r *Run) result() ingot.Result {
	return ingot.Result{
		Operation: *r.Op, Changes: r.changes, Steps: r.newSteps, Ports: r.newPorts, PortChanges: r.portChanges, Others: r.others, Following: r.following, History: r.history,
		Events: r.events, Inventory: r.inventory, Plugin: r.plugin,
	}
}

// Change changes the node, here and again on the row as it is when the pass commits: set fields, do not compute from
// old values.
func (r *Run) Change(change func(*ingot.Node)) {
	change(r.Node)
	r.changes = append(r.changes, change)
}

// SetState moves the node to another provision state, with a line of history and an event.
func (r *Run) SetState(state, target ingot.State) {
	from := r.Node.ProvisionState
	if from == state && r.Node.TargetProvisionState == target {
		return
	}
	since := r.Node.ProvisionUpdatedAt
	r.Change(func(n *ingot.Node) {
		n.ProvisionState, n.TargetProvisionState, n.ProvisionUpdatedAt = state, target, r.Now
		n.Conductor = r.c.Hostname
	})
	if from == state {
		return
	}
	history, event := r.c.transition(r.Node, from, since, r.Op.Requester)
	history.Project = r.Op.Project
	r.history = append(r.history, history)
	r.events = append(r.events, event)
}

// works shows the node as worked on instead of waiting or held. Operations beside its life, as those of power, leave its
// state alone.
func (r *Run) works() {
	if r.Op.Lane == ingot.LaneProvision {
		r.SetState(ingot.WorkOf(r.Node.ProvisionState), r.Node.TargetProvisionState)
	}
}

// Record adds a line to the node's history.
func (r *Run) Record(severity, kind, sentence string) {
	r.history = append(r.history, ingot.History{
		UUID: uuid.NewString(), NodeUUID: r.Node.UUID, CreatedAt: r.Now, Severity: severity, Type: kind, Event: sentence,
		User: r.Op.Requester, Project: r.Op.Project, Conductor: r.c.Hostname, State: r.Node.ProvisionState, TargetState: r.Node.TargetProvisionState,
		Duration: sinceUpdate(r.Node, r.Now),
	})
}

// sinceUpdate is how long a node has been in its state.
func sinceUpdate(n *ingot.Node, now time.Time) time.Duration {
	if n.ProvisionUpdatedAt.IsZero() {
		return 0
	}
	return now.Sub(n.ProvisionUpdatedAt)
}

// historyType is Ironic's event type for what the operation does now.
func (r *Run) historyType() string {
	switch r.Op.Kind {
	case ingot.KindVerify:
		return "verify"
	case ingot.KindInspect:
		return "introspection"
	case ingot.KindAdopt:
		return "adoption"
	case ingot.KindRescue, ingot.KindUnrescue:
		return "rescue"
	case ingot.KindFence, ingot.KindRecover:
		return "recovery"
	}
	switch state := ingot.WorkOf(r.Node.ProvisionState); state {
	case ingot.Deploying, ingot.Cleaning, ingot.Servicing:
		return string(state)
	case ingot.Deleting:
		return "unprovision"
	}
	return "conductor"
}

// Remember keeps a value that a repeat of the step must find again.
func (r *Run) Remember(key string, value any) { r.Op.Memory[key] = value }

// Chosen is the text remembered under key, chosen now if there is none yet.
func (r *Run) Chosen(key string, choose func() string) string {
	if text := ingot.Text(r.Op.Memory, key); text != "" {
		return text
	}
	text := choose()
	r.Remember(key, text)
	return text
}

// Freeze replaces the slot's list of steps.
func (r *Run) Freeze(steps []ingot.OperationStep) { r.Steps, r.newSteps = steps, steps }

// setStep writes the state of the frozen step under the slot.
func (r *Run) setStep(state ingot.StepState) {
	steps := append([]ingot.OperationStep(nil), r.Steps...)
	steps[r.Op.Slot].State = state
	steps[r.Op.Slot].Attempt = r.Op.Attempt
	r.Freeze(steps)
}

// next makes position the step to be asked now.
func (r *Run) next(position string) {
	r.events = append(r.events, ingot.Event{At: r.Now, Type: "operation.step", Node: r.Node.UUID, Data: map[string]any{
		"operation": r.Op.UUID, "kind": r.Op.Kind, "phase": r.Op.Phase, "after": r.Op.Position, "step": position, "attempt": r.Op.Attempt, "conductor": r.c.Hostname,
	}})
	r.Op.Position, r.Op.StepSince, r.Op.Tries, r.Op.Note, r.Op.DueAt = position, r.Now, 0, "", r.Now
}

// wait makes the step due again after a while.
func (r *Run) wait(after time.Duration, note string) {
	r.Op.DueAt, r.Op.Note = r.Now.Add(after), note
}

// end closes the operation. A password that it was given ends with it.
func (r *Run) end(outcome ingot.Outcome) {
	delete(r.Op.Params, rescuePassword)
	r.Op.Outcome, r.Op.EndedAt = outcome, r.Now
	r.events = append(r.events, ingot.Event{At: r.Now, Type: "operation.ended", Node: r.Node.UUID, Data: map[string]any{
		"operation": r.Op.UUID, "kind": r.Op.Kind, "outcome": outcome, "error": r.Op.Error, "attempts": r.Op.Attempt,
	}})
}

// lastSeen says, for an error, what was last seen of the machine.
func (r *Run) lastSeen() string {
	n := len(r.Node.Evidence)
	if r.Node.IsGuest() && r.Op.Kind == ingot.KindToMetal {
		return "" // it is the metal that boots, and the note says what was seen of that
	}
	if n == 0 {
		return "; nothing was seen of the machine on the boot networks"
	}
	last := r.Node.Evidence[n-1]
	return fmt.Sprintf("; last seen of the machine: %s, %s ago", last.What, r.Now.Sub(last.At).Round(time.Second))
}

// transition is the history and the event of a node that left a state.
func (c *Conductor) transition(n *ingot.Node, from ingot.State, since time.Time, requester string) (ingot.History, ingot.Event) {
	now := n.ProvisionUpdatedAt
	history := ingot.History{
		UUID: uuid.NewString(), NodeUUID: n.UUID, CreatedAt: now, Severity: "INFO", Type: "transition",
		Event: fmt.Sprintf("%s -> %s", from, n.ProvisionState), User: requester, Conductor: c.Hostname,
		State: n.ProvisionState, TargetState: n.TargetProvisionState,
	}
	if !since.IsZero() {
		history.Duration = now.Sub(since)
	}
	return history, ingot.Event{At: now, Type: "node.state", Node: n.UUID, Data: map[string]any{
		"from": from, "to": n.ProvisionState, "target": n.TargetProvisionState, "last_error": n.LastError,
	}}
}

// BMC does one exchange with the node's BMC under its lease: exchange gets the machine and is bounded by patience.
func (r *Run) BMC(ctx context.Context, exchange func(context.Context, ingot.Machine) error) error {
	return r.c.exchange(ctx, r.Node, exchange)
}

func asError(err error, target **ingot.Error) bool { return errors.As(err, target) }
