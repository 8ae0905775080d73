package conductor

import (
	"context"
	"io"
	"time"

	"github.com/ingot-metal/ingot"
)

// Operations is the engine's record. Every method is one transaction.
type Operations interface {
	// StartOperation writes a new operation; the node must be as the decision saw it and the lane free.
	StartOperation(ctx context.Context, start ingot.Start) (ingot.Operation, error)
	// ClaimOperations takes up to n due operations for this conductor, each under a fresh token. Fenced: others may take
	// the conductor for dead.
	ClaimOperations(ctx context.Context, by ingot.Claimer, n int) ([]ingot.Pass, error)
	// CommitPass writes what a pass found, or answers Fenced and writes nothing when its claim was lost.
	CommitPass(ctx context.Context, result ingot.Result) error
	// InterruptOperation turns the live operation of a lane round.
	InterruptOperation(ctx context.Context, interrupt ingot.Interrupt) (ingot.Operation, error)
	// LiveOperation is the live operation of a lane; NotFound when there is none.
	LiveOperation(ctx context.Context, node string, lane ingot.Lane) (ingot.Operation, error)
}

// Wakes is how the engine learns that something became due. All of it is hints: a wake may be lost, and the poll finds
// the row anyway.
type Wakes interface {
	// Wakes delivers a value when an operation may have become due.
	Wakes() <-chan struct{}
	// NextDue is when the conductor may claim the next operation; the zero time when none waits.
	NextDue(ctx context.Context, by ingot.Claimer) (time.Time, error)
	// PutBackStray puts back what is claimed in the conductor's name under other claims than those that it has.
	PutBackStray(ctx context.Context, by ingot.Claimer, has []string) error
}

// Nodes is what the conductor reads and changes outside of passes.
type Nodes interface {
	Node(ctx context.Context, ident string) (ingot.Node, error)
	// NodeByMACs is the one node that has a port with one of the addresses; NotFound when there is none, Conflict
	// when they belong to several.
	NodeByMACs(ctx context.Context, macs []string) (ingot.Node, error)
	ListNodes(ctx context.Context, query ingot.NodeQuery) ([]ingot.Node, error)
	ChangeNode(ctx context.Context, change ingot.NodeChange) (ingot.Node, error)
	ListPorts(ctx context.Context, query ingot.PortQuery) ([]ingot.Port, error)
}

// NodePorts changes a node's ports and port groups.
type NodePorts interface {
	// ChangeNodePorts runs the change in a transaction, perhaps more than once; what is as it was is not written.
	ChangeNodePorts(ctx context.Context, node string, change func(*ingot.Node, []ingot.Port, []ingot.Portgroup) error, events ...ingot.Event) error
}

// Leases keeps two conductors from talking to one BMC at a time.
type Leases interface {
	// LeaseBMC grants the lease, or says how long the present one still holds.
	LeaseBMC(ctx context.Context, lease ingot.BMCLease) (wait time.Duration, err error)
	ReleaseBMC(ctx context.Context, address, owner string) error
}

// Blobs keeps small files that machines fetch while they are provisioned.
type Blobs interface {
	// PutBlob stores data under key until the given time; the same key again replaces it.
	PutBlob(ctx context.Context, key, mediaType string, data []byte, until time.Time) error
	// Blob gives a file; NotFound when there is none, or its time is over.
	Blob(ctx context.Context, key string) (data []byte, mediaType string, err error)
	// DeleteBlob removes a file; one that is not there is no error.
	DeleteBlob(ctx context.Context, key string) error
}

// Machines assembles a node's machine from its driver_info and interface fields.
type Machines interface {
	// Machine makes no connection; an error names the missing or wrong field. Key names the BMC (its address), so
	// that exchanges with it are kept apart; "" needs no lease.
	Machine(node *ingot.Node) (machine ingot.Machine, key string, err error)
	// Agent is the wire to the agent on the node.
	Agent(node *ingot.Node) AgentWire
	// Supports says whether an implementation is enabled for an interface kind of the node's hardware type.
	Supports(node *ingot.Node, kind, implementation string) bool
}

// AgentWire talks to the agent on a node. An error is one that passes (no connection, busy) unless IsFatal.
type AgentWire interface {
	// Commands lists every command that the agent knows of, oldest first.
	Commands(ctx context.Context, node *ingot.Node) ([]ingot.AgentCommand, error)
	// Send gives a command; with wait it returns when the command has ended. Busy is Locked.
	Send(ctx context.Context, node *ingot.Node, request ingot.AgentRequest, wait bool) (ingot.AgentCommand, error)
	// ReadDisk writes the root disk as it is to be on another one, from the first byte to the last, and takes as long as that
	// takes. Unsupported: the agent gives none out.
	ReadDisk(ctx context.Context, node *ingot.Node, wish ingot.DiskWish, into io.Writer) error
}
