package ingot

// State is a node's provision state, in Ironic's words.
type State string

// The states that last until somebody asks for something.
const (
	Enroll     State = "enroll"
	Manageable State = "manageable"
	Available  State = "available"
	Active     State = "active"
	ErrorState State = "error"
	Rescue     State = "rescue"
)

// The states in which a conductor works.
const (
	Verifying  State = "verifying"
	Deploying  State = "deploying"
	Cleaning   State = "cleaning"
	Deleting   State = "deleting"
	Inspecting State = "inspecting"
	Adopting   State = "adopting"
	Rescuing   State = "rescuing"
	Unrescuing State = "unrescuing"
	Servicing  State = "servicing"
)

// The states in which the agent is waited for.
const (
	DeployWait  State = "wait call-back"
	CleanWait   State = "clean wait"
	InspectWait State = "inspect wait"
	RescueWait  State = "rescue wait"
	ServiceWait State = "service wait"
)

// The states in which an operator's hold step keeps the node.
const (
	DeployHold  State = "deploy hold"
	CleanHold   State = "clean hold"
	ServiceHold State = "service hold"
)

// The states that say what failed.
const (
	DeployFailed   State = "deploy failed"
	CleanFailed    State = "clean failed"
	InspectFailed  State = "inspect failed"
	RescueFailed   State = "rescue failed"
	UnrescueFailed State = "unrescue failed"
	AdoptFailed    State = "adopt failed"
	ServiceFailed  State = "service failed"
)

// Verb is what a user may ask of a node's provision state (Ironic: the target of PUT states/provision).
type Verb string

// The verbs. The API turns the aliases deploy and undeploy (1.73) into active and deleted.
const (
	VerbManage   Verb = "manage"
	VerbProvide  Verb = "provide"
	VerbInspect  Verb = "inspect"
	VerbClean    Verb = "clean"
	VerbAdopt    Verb = "adopt"
	VerbActive   Verb = "active"
	VerbRebuild  Verb = "rebuild"
	VerbDeleted  Verb = "deleted"
	VerbAbort    Verb = "abort"
	VerbRescue   Verb = "rescue"
	VerbUnrescue Verb = "unrescue"
	VerbService  Verb = "service"
	VerbUnhold   Verb = "unhold"
)

// Transition is a row of the state table: in From, Verb starts an operation of Kind, and the node is shown in To with
// Target as its target state. A row without a Kind changes the state at once. Abort rows end the operation that is
// under way, and the node goes to To when its machine has been made safe.
type Transition struct {
	From   State
	Verb   Verb
	Kind   Kind
	To     State
	Target State
}

// Transitions is Ironic's table of verbs (its state_machine.py), whole. docs/states.md is generated from it. One row
// differs: an abort of a failed service brings the instance back, and the node is shown as active when it has come up, not before.
func Transitions() []Transition {
	table := []Transition{
		{Enroll, VerbManage, KindVerify, Verifying, Manageable},
		{Manageable, VerbProvide, KindProvide, Cleaning, Available},
		{Manageable, VerbClean, KindClean, Cleaning, Manageable},
		{Manageable, VerbInspect, KindInspect, Inspecting, Manageable},
		{Manageable, VerbAdopt, KindAdopt, Adopting, Active},
		{Available, VerbManage, "", Manageable, ""},
		{Available, VerbActive, KindDeploy, Deploying, Active},
		{Active, VerbRescue, KindRescue, Rescuing, Rescue},
		{ErrorState, VerbRebuild, KindRebuild, Deploying, Active},
		{Active, VerbRebuild, KindRebuild, Deploying, Active},
		{DeployFailed, VerbActive, KindDeploy, Deploying, Active},
		{DeployFailed, VerbRebuild, KindRebuild, Deploying, Active},
		{CleanFailed, VerbManage, "", Manageable, ""},
		{InspectFailed, VerbManage, "", Manageable, ""},
		{AdoptFailed, VerbManage, "", Manageable, ""},
		{InspectFailed, VerbInspect, KindInspect, Inspecting, Manageable},
		{AdoptFailed, VerbAdopt, KindAdopt, Adopting, Active},
		{CleanWait, VerbAbort, "", CleanFailed, ""},
		{CleanHold, VerbAbort, "", CleanFailed, ""},
		{DeployWait, VerbAbort, "", DeployFailed, ""},
		{DeployHold, VerbAbort, "", DeployFailed, ""},
		{InspectWait, VerbAbort, "", InspectFailed, ""},
		{RescueWait, VerbAbort, "", RescueFailed, ""},
		{ServiceWait, VerbAbort, "", ServiceFailed, ""},
		{ServiceHold, VerbAbort, "", ServiceFailed, ""},
		{ServiceFailed, VerbAbort, KindRestore, Servicing, Active},
		{DeployHold, VerbUnhold, "", DeployWait, Active},
		{CleanHold, VerbUnhold, "", CleanWait, ""}, // the target stays: available or manageable
		{ServiceHold, VerbUnhold, "", ServiceWait, Active},
	}
	for _, from := range []State{Active, DeployFailed, DeployWait, ErrorState, Rescue, RescueFailed, RescueWait, UnrescueFailed, ServiceFailed, ServiceWait} {
		table = append(table, Transition{from, VerbDeleted, KindDelete, Deleting, Available})
	}
	for _, from := range []State{Rescue, RescueFailed, UnrescueFailed, ServiceFailed} {
		table = append(table, Transition{from, VerbRescue, KindRescue, Rescuing, Rescue})
	}
	for _, from := range []State{Rescue, RescueFailed, UnrescueFailed} {
		table = append(table, Transition{from, VerbUnrescue, KindUnrescue, Unrescuing, Active})
	}
	for _, from := range []State{Active, ServiceHold, ServiceFailed} {
		table = append(table, Transition{from, VerbService, KindService, Servicing, Active})
	}
	return table
}

// Next is the row for verb in state from; false when the table has none.
func Next(from State, verb Verb) (Transition, bool) {
	for _, t := range Transitions() {
		if t.From == from && t.Verb == verb {
			return t, true
		}
	}
	return Transition{}, false
}

// Class is what sort of state s is.
func (s State) Class() StateClass {
	switch s {
	case Enroll, Manageable, Available, Active, ErrorState, Rescue:
		return Stable
	case Verifying, Deploying, Cleaning, Deleting, Inspecting, Adopting, Rescuing, Unrescuing, Servicing:
		return Working
	case DeployWait, CleanWait, InspectWait, RescueWait, ServiceWait:
		return Waiting
	case DeployHold, CleanHold, ServiceHold:
		return Held
	case DeployFailed, CleanFailed, InspectFailed, RescueFailed, UnrescueFailed, AdoptFailed, ServiceFailed:
		return Failed
	}
	return ""
}

// StateClass is one of the five sorts of state.
type StateClass string

// The sorts of state.
const (
	Stable  StateClass = "stable"
	Working StateClass = "working" // a conductor works
	Waiting StateClass = "waiting" // for the agent
	Held    StateClass = "held"    // by an operator's hold step
	Failed  StateClass = "failed"
)

// Busy says whether an operation on the provision lane is under way in s.
func (s State) Busy() bool {
	c := s.Class()
	return c == Working || c == Waiting || c == Held
}

// Updatable says whether a node may be updated in s though it has a target state (Ironic's UPDATE_ALLOWED_STATES).
func (s State) Updatable() bool {
	switch s {
	case Inspecting, InspectWait, Verifying, ErrorState, ServiceHold:
		return true
	}
	return s.Class() == Failed
}

// InRamdisk says whether a ramdisk may be at work for an operation in s, and so be heard (Ironic: LOOKUP_ALLOWED_STATES,
// HEARTBEAT_ALLOWED). A rescued machine's is its user's.
func (s State) InRamdisk() bool {
	switch WorkOf(s) {
	case Deploying, Cleaning, Inspecting, Rescuing, Servicing:
		return true
	}
	return false
}

// FailureOf is where a node goes when its operation fails or is aborted in s, after Ironic's table: back to enroll from
// verifying, error from deleting. A state that is not busy stays.
func FailureOf(s State) State {
	switch s {
	case Verifying:
		return Enroll
	case Deploying, DeployWait, DeployHold:
		return DeployFailed
	case Cleaning, CleanWait, CleanHold:
		return CleanFailed
	case Inspecting, InspectWait:
		return InspectFailed
	case Deleting:
		return ErrorState
	case Adopting:
		return AdoptFailed
	case Rescuing, RescueWait:
		return RescueFailed
	case Unrescuing:
		return UnrescueFailed
	case Servicing, ServiceWait, ServiceHold:
		return ServiceFailed
	}
	return s
}

// WaitOf is the state that shows that s's operation waits for the agent; s itself where Ironic has none.
func WaitOf(s State) State {
	switch s {
	case Deploying:
		return DeployWait
	case Cleaning:
		return CleanWait
	case Inspecting:
		return InspectWait
	case Rescuing:
		return RescueWait
	case Servicing:
		return ServiceWait
	}
	return s
}

// HoldOf is the state that shows that a hold step keeps s's operation; s itself where Ironic has none.
func HoldOf(s State) State {
	switch s {
	case Deploying:
		return DeployHold
	case Cleaning:
		return CleanHold
	case Servicing:
		return ServiceHold
	}
	return s
}

// WorkOf is the working state of a waiting or held one; s itself for all others.
func WorkOf(s State) State {
	for _, work := range [...]State{Deploying, Cleaning, Inspecting, Rescuing, Servicing} {
		if WaitOf(work) == s || HoldOf(work) == s {
			return work
		}
	}
	return s
}
