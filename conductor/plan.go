package conductor

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// Plan is how an operation of one kind is carried out: a fixed skeleton of named steps. Reading the list is reading
// the feature.
type Plan struct {
	Steps []Step
	// Abort leaves the machine safe after a failure, Cancel after a user's abort. Both together have AbortDeadline;
	// past it the failed state is written with maintenance and a fault.
	Abort  []Step
	Cancel []Step
	// Finish makes the last change to the node when all steps hold, Failed when the operation has failed, and Cancelled
	// when a user's abort has left the machine safe.
	Finish, Failed, Cancelled func(r *Run)
	// Unsafe is called in the place of Failed and Cancelled when the machine could not be made safe.
	Unsafe func(r *Run)
}

// Step is a question asked again until the answer is yes.
type Step struct {
	Name string
	// State is the working state that the node is shown in from this step on; "" keeps the one before.
	State ingot.State
	// Class says what a repetition may do.
	Class Class
	// Timeout is how long the step may go on being asked; 0 is the conductor's default for steps.
	Timeout time.Duration
	// Do looks at the world, pushes it towards the wanted fact if it does not hold, and says whether it holds now.
	// An error that is IsFatal ends the operation; any other means "not yet".
	Do func(ctx context.Context, r *Run) (Progress, error)
}

// Class says what repeating a step may do to the world.
type Class string

// The classes.
const (
	Ensure Class = "ensure" // asks, and acts if the answer differs: repeating is harmless
	Once   Class = "once"   // an agent command under an ID that is looked for before every send
	Never  Class = "never"  // never repeated: stops and says so
)

// Progress is a step's answer.
type Progress struct {
	holds bool
	after time.Duration
	agent bool
	note  string
	back  string
	slot  bool
	hold  bool
}

// Holds says that the wanted fact holds: go on to the next step.
func Holds() Progress { return Progress{holds: true} }

// NotYet says to ask again after a while, and what is being waited for.
func NotYet(after time.Duration, note string) Progress { return Progress{after: after, note: note} }

// ForAgent is NotYet where the agent, or a transfer of hosts, is what is waited for: the node is shown in the waiting state.
func ForAgent(after time.Duration, note string) Progress {
	return Progress{after: after, note: note, agent: true}
}

// withAgent is NotYet as ForAgent has it.
func (p Progress) withAgent() Progress { p.agent = true; return p }

// Again goes back to an earlier step as a new attempt, and says why. Attempts are bounded.
func Again(step, why string) Progress { return Progress{back: step, note: why} }

// NextSlot says that one frozen step of a slot is done and the same step is to be asked for the next one.
func NextSlot() Progress { return Progress{slot: true} }

// Find gives the step named position and its index; the first one for "".
func find(steps []Step, position string) (Step, int, bool) {
	if position == "" && len(steps) > 0 {
		return steps[0], 0, true
	}
	for i, s := range steps {
		if s.Name == position {
			return s, i, true
		}
	}
	return Step{}, 0, false
}

// of gives the plan's steps for a phase.
func (p Plan) of(phase ingot.Phase) []Step {
	switch phase {
	case ingot.Abort:
		return p.Abort
	case ingot.Cancel:
		return p.Cancel
	}
	return p.Steps
}

// only has every step hold at once for nodes that it is not for.
func only(meant func(*ingot.Node) bool, steps ...Step) []Step {
	for i := range steps {
		do := steps[i].Do
		steps[i].Do = func(ctx context.Context, r *Run) (Progress, error) {
			if !meant(r.Node) {
				return Holds(), nil
			}
			return do(ctx, r)
		}
	}
	return steps
}

// unless is only with the opposite meaning.
func unless(meant func(*ingot.Node) bool, steps ...Step) []Step {
	return only(func(n *ingot.Node) bool { return !meant(n) }, steps...)
}
