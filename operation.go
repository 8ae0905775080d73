package ingot

import "time"

// Kind is what an operation is to achieve; each kind has one plan.
type Kind string

// The kinds. Provide is a clean that ends in available; delete is a tear-down followed by one.
const (
	KindVerify   Kind = "verify"
	KindInspect  Kind = "inspect"
	KindProvide  Kind = "provide"
	KindClean    Kind = "clean"
	KindDeploy   Kind = "deploy"
	KindRebuild  Kind = "rebuild"
	KindDelete   Kind = "delete"
	KindAdopt    Kind = "adopt"
	KindRescue   Kind = "rescue"
	KindUnrescue Kind = "unrescue"
	KindService  Kind = "service"
	KindRestore  Kind = "restore" // brings the instance back after a service that failed
	KindPower    Kind = "power"
	KindFence    Kind = "fence"    // makes sure that a compute host which is lost is off
	KindRecover  Kind = "recover"  // has a guest of such a host run elsewhere
	KindToMetal  Kind = "to-metal" // has a guest's instance go on on metal
	KindToGuest  Kind = "to-guest" // has a server's instance go on as a guest

	// What a user has done to the machine beside its life: they take the provision lane of a node in a state that lasts.
	KindBootMode    Kind = "boot-mode"
	KindSecureBoot  Kind = "secure-boot"
	KindMediaAttach Kind = "vmedia-attach"
	KindMediaDetach Kind = "vmedia-detach"
	KindConsole     Kind = "console"
	KindVendor      Kind = "vendor"
)

// Lane is one of the two things that can be done to a node at a time.
type Lane string

// The lanes.
const (
	LaneProvision Lane = "provision"
	LanePower     Lane = "power"
)

// Lane is the lane that operations of the kind take.
func (k Kind) Lane() Lane {
	if k == KindPower {
		return LanePower
	}
	return LaneProvision
}

// Phase is the direction of an operation.
type Phase string

// The phases.
const (
	Forward Phase = "forward" // towards the wanted fact
	Abort   Phase = "abort"   // leaving the machine safe after a failure
	Cancel  Phase = "cancel"  // the same after a user's abort
)

// Outcome is how an operation ended; "" while it is live. Every accepted operation ends in exactly one.
type Outcome string

// The outcomes.
const (
	Done     Outcome = "done"
	Failure  Outcome = "failed"
	Aborted  Outcome = "aborted"  // by the user
	Replaced Outcome = "replaced" // by a delete
)

// Operation is one accepted request at work: a row that outlives any process.
type Operation struct {
	UUID     string
	Kind     Kind
	NodeUUID string
	Lane     Lane
	Params   map[string]any // of the request; strings under secret keys are Secrets
	Phase    Phase
	// Position is the name of the step to ask next; Slot the position of the frozen step within it, from 0.
	Position string
	Slot     int
	// Attempt counts from 1 and rises only by a commit that says why: a once-command of an earlier attempt is lost.
	Attempt int
	// Tries counts the askings of the current step that met an error which passes.
	Tries      int
	DueAt      time.Time
	StepSince  time.Time // when Position was reached
	PhaseSince time.Time
	// Memory is what steps chose and must choose again the same: IDs, tokens, addresses, answers.
	Memory map[string]any
	// AgentFingerprint is the boot identity under which once-commands were sent.
	AgentFingerprint string
	// Note is what is being waited for, for people.
	Note      string
	Error     string // why it went to abort
	Outcome   Outcome
	Requester string // who asked, for history
	Project   string // of the requester; "" for somebody of the whole service
	Conductor string // who claims it; "" while it waits
	Claim     string // the fence: a random token for each claim
	StartedAt time.Time
	EndedAt   time.Time
}

// Live says whether the operation has yet to end.
func (o *Operation) Live() bool { return o.Outcome == "" }

// StepState is how far a frozen step is.
type StepState string

// The step states.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// OperationStep is a step of a list that was collected (from the agent, drivers, templates, the user) and frozen when
// the operation got there.
type OperationStep struct {
	Position int
	// Node is the child node that the step is carried out on; "" is the operation's own.
	Node      string
	Interface string
	Step      string
	Args      map[string]any
	Priority  int
	Abortable bool
	Source    string // agent, driver, user, template, plan, flow (a reserved step: power_on, power_off, reboot, hold, wait)
	State     StepState
	Attempt   int
}

// Start asks for an operation. The store checks, in the transaction that writes it, that the node is still as the
// decision saw it and that its lane is free.
type Start struct {
	Operation Operation
	// Others are the UUIDs of further nodes of which the operation takes the same lane: a guest's host, a parent's
	// children.
	Others []string
	// Guest is a guest to make first, which is one of the others.
	Guest *NewGuest
	// Joins are changes of the others from the start.
	Joins []Join
	// NodeVersion is the version of the node that the request was judged by; another one is Conflict.
	NodeVersion int64
	// Change is applied to the node in the same transaction.
	Change func(*Node)
	// KeepsGuests says that a compute host goes on with its guests: it may be begun though there are some.
	KeepsGuests bool
	// Replace ends the live operation on the lane, if there is one, as Replaced.
	Replace bool
	History []History
	Events  []Event
	// Limit refuses the start with Unavailable when there are already this many live operations of the kinds; 0 is no limit.
	Limit      int
	LimitKinds []Kind
	LimitName  string // what is limited, for the refusal
}

// Join is what becomes of another node when an operation takes its lane: Change judges it as it is then, and its error
// refuses the start.
type Join struct {
	UUID    string
	Change  func(*Node) error
	History []History
	Events  []Event
}

// Pass is a claimed operation with all that a step may look at.
type Pass struct {
	Operation Operation
	Node      Node
	Ports     []Port
	Steps     []OperationStep
	Now       time.Time // the store's clock, one for the whole pass
}

// Result is what one pass found out; the store writes all of it in one transaction, or nothing when the claim was
// lost (Fenced).
type Result struct {
	Operation Operation // with Claim still set; the store releases it
	// Changes are applied in order to the node as it is now in the store.
	Changes []func(*Node)
	Steps   []OperationStep // replaces the frozen list when not nil
	Ports   []Port          // ports to create (those whose MAC is new)
	// PortChanges are applied to ports as they are then; one that is gone is left out.
	PortChanges []PortChange
	// Others are changes of the other nodes of which the operation has the lane.
	Others []NodeResult
	// Following is begun on the operation's node in the place of one that ends with this.
	Following *Operation
	History   []History
	Events    []Event
	// Inventory, when not nil, is stored as the node's (with Plugin beside it).
	Inventory *Inventory
	Plugin    map[string]any
}

// NodeResult is what a pass found out about a node beside its operation's own.
type NodeResult struct {
	UUID    string
	Changes []func(*Node)
	History []History
	Events  []Event
}

// PortChange is a change of one port.
type PortChange struct {
	UUID   string
	Change func(*Port) error
}

// Interrupt turns a live operation round at once, for a user's abort: the store sets its Phase to Cancel, its Position
// to "", PhaseSince and StepSince to now, makes it due, and drops the claim, so that a pass under way is fenced.
type Interrupt struct {
	NodeUUID    string
	NodeVersion int64 // as in Start
	Lane        Lane
	Reason      string // becomes Operation.Error
	Change      func(*Node)
	History     []History
	Events      []Event
}

// NodeChange is a change of a node outside of any pass: a patch, a heartbeat, a power reading.
type NodeChange struct {
	UUID    string
	Version int64 // the version it was judged by; 0 takes any
	// Change is called inside the transaction with the row as it is; an error leaves everything as it was.
	Change func(*Node) error
	// Wake makes the node's live operations due now, in the same transaction.
	Wake    bool
	History []History
	Events  []Event
}
