package conductor

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/ingot-metal/ingot"
)

// engine claims what is due and passes over it until ctx ends, and then lets the passes under way end. There is no recovery code: what a process that was
// killed left behind is due again once its claims are put back, and is asked about like everything else.
func (c *Conductor) engine(ctx context.Context) error {
	free := make(chan struct{}, c.Settings.Workers)
	for range c.Settings.Workers {
		free <- struct{}{}
	}
	var passes sync.WaitGroup
	defer passes.Wait()
	looked := c.Now()
	for {
		passed := c.claim(ctx, free, &passes)
		if ctx.Err() != nil {
			return nil
		}
		if now := c.Now(); now.Sub(looked) >= c.Settings.StrayEvery {
			looked = now
			if err := c.Wakes.PutBackStray(ctx, c.claimer(), c.claims.all()); err != nil && ctx.Err() == nil {
				c.Log.Error("cannot look for claims that this conductor never heard of; trying again", "error", err)
			}
		}
		if passed == 0 {
			c.rest(ctx)
		}
	}
}

// advance asks the current step and writes the answer into r.
func (c *Conductor) advance(ctx context.Context, r *Run) {
	plan, known := c.plans[r.Op.Kind]
	if !known {
		c.fail(r, plan, ingot.Fatalf("cannot carry out %s: this release has no plan for it", r.Op.Kind))
		return
	}
	if r.abortDue() {
		r.turnRound()
		return
	}
	steps := plan.of(r.Op.Phase)
	if r.Op.Phase != ingot.Forward && (len(steps) == 0 || c.pastAbortDeadline(r)) {
		c.endAbort(r, len(steps) == 0)
		return
	}
	step, index, known := find(steps, r.Op.Position)
	if !known {
		c.fail(r, plan, ingot.Fatalf("cannot go on from step %q of %s: this release does not know it", r.Op.Position, r.Op.Kind))
		return
	}
	c.reach(r, step)
	progress, err := c.ask(ctx, r, step)
	c.settle(r, plan, steps, index, progress, err)
}

// reach notes in r that the step is the one being asked.
func (c *Conductor) reach(r *Run, step Step) {
	if r.Op.Position != step.Name {
		r.Op.Position = step.Name
		r.Op.StepSince = r.Now
	}
	if step.State != "" && ingot.WorkOf(r.Node.ProvisionState) != step.State {
		r.SetState(step.State, r.Node.TargetProvisionState)
	}
}

// ask asks the step within its patience; a panic is a failure of this operation alone.
func (c *Conductor) ask(ctx context.Context, r *Run, step Step) (p Progress, err error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			c.Log.Error("a step panicked", "step", step.Name, "node", r.Node.UUID, "panic", v, "stack", string(debug.Stack()))
			err = ingot.Fatalf("cannot finish step %s: an internal error (%v); the log has its stack", step.Name, v)
		}
	}()
	if c.Intercept != nil {
		return c.Intercept(ctx, r, step, func() (Progress, error) { return step.Do(ctx, r) })
	}
	return step.Do(ctx, r)
}

// askPatience bounds one asking: no step waits, so this is only for exchanges that hang.
const askPatience = 2 * time.Minute

// settle turns a step's answer into the operation's next position.
func (c *Conductor) settle(r *Run, plan Plan, steps []Step, index int, p Progress, err error) {
	step := steps[index]
	switch {
	case ingot.IsFatal(err):
		c.fail(r, plan, err)
	case err != nil:
		r.Op.Tries++
		r.wait(c.backoff(r.Op.Tries, err), err.Error())
		c.checkTimeout(r, plan, step)
	case p.back != "":
		c.again(r, plan, p)
	case p.slot:
		r.Op.Slot++
		r.next(step.Name)
	case p.hold:
		r.Op.Tries = 0
		r.wait(p.after, p.note)
		r.SetState(ingot.HoldOf(ingot.WorkOf(r.Node.ProvisionState)), r.Node.TargetProvisionState)
	case !p.holds:
		r.Op.Tries = 0
		r.wait(p.after, p.note)
		if p.agent {
			r.SetState(ingot.WaitOf(ingot.WorkOf(r.Node.ProvisionState)), r.Node.TargetProvisionState)
			c.await(r.Node)
		}
		c.checkTimeout(r, plan, step)
	case index+1 < len(steps):
		r.works()
		r.Op.Slot = 0
		r.next(steps[index+1].Name)
	case r.Op.Phase == ingot.Forward:
		c.finish(r, plan)
	default:
		c.endAbort(r, true)
	}
}

// backoff is how long to leave a step alone after its tries-th error in a row: what the error says, else 1, 2, 4, 8 and
// then 15 s.
func (c *Conductor) backoff(tries int, err error) time.Duration {
	var e *ingot.Error
	if asError(err, &e) && e.After > 0 {
		return e.After
	}
	return min(time.Second<<min(tries-1, 4), 15*time.Second)
}

// checkTimeout fails the operation when its step has been asked for too long, and has it asked once more at that time.
func (c *Conductor) checkTimeout(r *Run, plan Plan, step Step) {
	limit := step.Timeout
	if limit == 0 {
		limit = c.Settings.StepTimeout
	}
	if r.Node.Maintenance && r.Node.ProvisionState.Class() == ingot.Waiting {
		return // somebody works on the machine: as in Ironic, nobody is waited for in vain meanwhile
	}
	if end := r.Op.StepSince.Add(limit); r.Now.Before(end) {
		if r.Op.DueAt.After(end) {
			r.Op.DueAt = end
		}
		return
	}
	c.fail(r, plan, ingot.Fatalf("timed out after %s in step %s: %s%s", limit, step.Name, r.Op.Note, r.lastSeen()))
}

// again begins a new attempt at an earlier step, unless there were too many.
func (c *Conductor) again(r *Run, plan Plan, p Progress) {
	if r.Op.Attempt >= c.Settings.MaxAttempts {
		c.fail(r, plan, ingot.Fatalf("gave up after %d attempts: %s", r.Op.Attempt, p.note))
		return
	}
	r.Op.Attempt++
	r.Op.Slot = 0
	r.Op.AgentFingerprint = ""
	delete(r.Op.Memory, rebootedAt)
	delete(r.Op.Memory, heldAt)
	r.Steps, r.newSteps = nil, []ingot.OperationStep{}
	r.Record("WARNING", r.historyType(), fmt.Sprintf("attempt %d of %s: %s", r.Op.Attempt, r.Op.Kind, p.note))
	r.works()
	r.next(p.back)
}

// fail leaves the forward phase; an error while making safe only ends the asking of that step.
func (c *Conductor) fail(r *Run, plan Plan, err error) {
	if r.Op.Phase != ingot.Forward {
		r.Op.Note = err.Error()
		c.endAbort(r, false)
		return
	}
	r.Op.Phase = ingot.Abort
	r.Op.Error = err.Error()
	r.Op.PhaseSince = r.Now
	r.Op.Memory[failedStep] = r.Op.Position
	r.next("")
	r.Change(func(n *ingot.Node) { n.LastError = r.Op.Error })
	r.Record("ERROR", r.historyType(), r.Op.Error)
	if len(plan.Abort) == 0 {
		c.endAbort(r, true)
	}
}

// failedStep is the key of an operation's memory that names the step it failed in.
const failedStep = "failed_step"

func (c *Conductor) pastAbortDeadline(r *Run) bool {
	return r.Now.Sub(r.Op.PhaseSince) > c.Settings.AbortDeadline
}

// finish ends an operation that reached what it was for.
func (c *Conductor) finish(r *Run, plan Plan) {
	target := r.Node.TargetProvisionState
	r.Change(func(n *ingot.Node) { n.LastError = "" })
	if plan.Finish != nil {
		plan.Finish(r)
	}
	if r.Op.Lane == ingot.LaneProvision && r.Node.ProvisionState.Busy() && r.following == nil {
		r.SetState(target, "")
	}
	r.end(ingot.Done)
}

// endAbort writes the failed state; a machine that could not be made safe goes into maintenance with a fault.
func (c *Conductor) endAbort(r *Run, safe bool) {
	outcome := ingot.Failure
	if r.Op.Phase == ingot.Cancel {
		outcome = ingot.Aborted
	}
	if r.Op.Lane == ingot.LanePower {
		r.Change(func(n *ingot.Node) { n.TargetPowerState = "" })
		r.end(outcome)
		return
	}
	from := r.Node.ProvisionState
	r.SetState(ingot.FailureOf(from), failedTarget(from, r.Node.TargetProvisionState))
	fault, reason := c.faultOf(r, from, outcome, safe)
	if fault != "" && !r.Node.Maintenance {
		r.Change(func(n *ingot.Node) { n.Maintenance, n.MaintenanceReason, n.Fault = true, reason, fault })
	}
	last := c.plans[r.Op.Kind].Failed
	if outcome == ingot.Aborted {
		r.Change(func(n *ingot.Node) { n.CleanStep, n.DeployStep, n.ServiceStep = nil, nil, nil })
		last = c.plans[r.Op.Kind].Cancelled
	}
	if !safe {
		last = c.plans[r.Op.Kind].Unsafe
	}
	if last != nil {
		last(r)
	}
	r.end(outcome)
}

// faultOf says whether a failed operation puts its node into maintenance, after Ironic: a clean or service step that
// failed does, and so does a machine that could not be made safe.
func (c *Conductor) faultOf(r *Run, from ingot.State, outcome ingot.Outcome, safe bool) (ingot.Fault, string) {
	state := ingot.FailureOf(from)
	switch {
	case !safe && outcome == ingot.Aborted && state == ingot.RescueFailed:
		return ingot.FaultRescue, "Failed to clean up rescue after aborting the operation: " + r.Op.Note
	case !safe:
		return ingot.FaultPower, "cannot make the machine safe after a failure: " + r.Op.Note
	case outcome == ingot.Aborted:
		return "", ""
	case state == ingot.CleanFailed && r.Op.Memory[failedStep] == runSteps:
		return ingot.FaultClean, r.Op.Error
	case state == ingot.ServiceFailed && r.Op.Memory[failedStep] == runSteps:
		return ingot.FaultService, r.Op.Error
	}
	return "", ""
}

// failedTarget is the target state that Ironic shows beside a failed one: none after verifying, what was wanted else.
func failedTarget(from, target ingot.State) ingot.State {
	if from == ingot.Verifying || from == ingot.Deleting {
		return ""
	}
	return target
}
