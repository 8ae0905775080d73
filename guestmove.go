package ingot

import (
	"context"
	"maps"
)

// GuestMover is the extra ability of a guest's machine to be moved to another compute host. All methods but the first
// look first and change what differs; repeating one is harmless.
type GuestMover interface {
	// SeeGuest says what the guest's host has of it. An error says nothing of it.
	SeeGuest(ctx context.Context) (GuestSight, error)
	// SendGuest has the machine on another host, which has neither it nor, unless their pools share files, its disks. A
	// live one runs on while it goes; another one must be off, and is off when it has arrived. Its host keeps what it has
	// of one that was off, and of all disks. Unavailable with a time in it: work goes on behind it.
	SendGuest(ctx context.Context, move GuestMove) error
	// StopSending breaks off what SendGuest began, wherever that goes on.
	StopSending(ctx context.Context) error
	// ResumeGuest lets a machine go on that was halted for the sake of a move.
	ResumeGuest(ctx context.Context) error
	// RetireGuest does away with what the guest's host has of it: the machine, whether it runs or not, and its disks
	// save those in pools that other hosts share.
	RetireGuest(ctx context.Context) error
}

// GuestSight is what a compute host has of a guest.
type GuestSight struct {
	Defined bool       // the host knows the machine
	Power   PowerState // off also of one that it does not know
	Halted  bool       // has its power, but stands still while it arrives or after it was sent
	Moving  string     // how far a move from or to here is; "" where none goes on
	Disk    bool       // the guest's disk is in its pool
	Stays   string     // why the machine cannot leave the host; "" where it can
}

// Runs says whether the host has the guest's one live copy.
func (s GuestSight) Runs() bool { return s.Power == PowerOn && !s.Halted }

// GuestMove is where a guest is to be sent.
type GuestMove struct {
	To    string // the compute host's UUID
	Key   string // of this move: the same one again goes on with it
	Ports []Port
	Live  bool
}

// GuestPlace is a compute host on which a guest is to have what it has on its own one. Operation and Claim are the pass
// that asks: one that has lost its claim changes nothing (Fenced).
type GuestPlace struct {
	Guest, Host      string
	Operation, Claim string
	// Resources are what it is to have there; nil is what it has on its own.
	Resources Amounts
	// Fenced is for guests of a host that is lost: nothing is changed unless it is known to be off.
	Fenced bool
}

// ranKey is where a guest that was lost sight of says, within driver_internal_info, that it ran. It holds until the guest is
// seen on or somebody switches it: what becomes of its power is up to whoever looks after its host until then.
const ranKey = "ran_when_lost"

// LosePower forgets the power of a guest whose host does not answer, and keeps whether it ran.
func (n *Node) LosePower() {
	if n.PowerState == PowerOn {
		n.NoteRan()
	}
	n.PowerState = ""
}

// NoteRan has a guest that runs be one that ran when its host was lost: its host is to lose its power.
func (n *Node) NoteRan() {
	if n.RanWhenLost() {
		return
	}
	n.Internal = maps.Clone(n.Internal)
	if n.Internal == nil {
		n.Internal = map[string]any{}
	}
	n.Internal[ranKey] = true
}

// ShouldRun says whether a guest ran when it was last seen.
func (n *Node) ShouldRun() bool {
	return n.PowerState == PowerOn || n.RanWhenLost()
}

// RanWhenLost says whether a guest ran when its host was lost, and was not found since.
func (n *Node) RanWhenLost() bool { return n.Internal[ranKey] == true }

// Found ends what LosePower began.
func (n *Node) Found() {
	if n.Internal[ranKey] != nil {
		n.Internal = maps.Clone(n.Internal)
		delete(n.Internal, ranKey)
	}
}

// FenceState is how far it is with making sure that a lost compute host is off.
type FenceState string

// The states of fencing; "" is that of a host that is not lost, or whose guests stay where they are.
const (
	Fencing   FenceState = "fencing"
	FencedOff FenceState = "fenced"   // its BMC was seen to say that its power is off
	Unfenced  FenceState = "unfenced" // it may run: nothing is started elsewhere
)
