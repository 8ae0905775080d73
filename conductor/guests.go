package conductor

import (
	"context"
	"time"

	"github.com/ingot-metal/ingot"
)

// Guests are what a conductor needs for compute hosts and their guests.
type Guests struct {
	Prober ingot.HypervisorProber
	Hosts  Hypervisors
	Store  GuestStore
	Moves  GuestMoves
	// Instances has instances change between guests and metal.
	Instances Instances
	Flavors   Flavors
	Counter   GuestCounter
	// Interfaces are those of guests that allocations make: the driver's defaults.
	Interfaces ingot.Interfaces
	Every      time.Duration // between probes of a host: 30 s
	// LostAfter is how long a host has to be down before it is fenced, where the operator wants that: 60 s.
	LostAfter time.Duration

	wakes chan string
}

// Hypervisors are the store's compute hosts. Conflict: a machine is a compute host under another name already.
type Hypervisors interface {
	Get(ctx context.Context, node string) (ingot.Hypervisor, error)
	List(ctx context.Context, query ingot.HypervisorQuery) ([]ingot.Hypervisor, error)
	Change(ctx context.Context, node string, version int64, change func(*ingot.Hypervisor) error, events ...ingot.Event) (ingot.Hypervisor, error)
}

// GuestCounter says what the machines that run on a compute host have used; some may be nobody's guests.
type GuestCounter interface {
	GuestStats(ctx context.Context, host ingot.Hypervisor) ([]ingot.GuestStats, error)
}

// GuestStore makes guests: with a claim of what their host has, or not at all (Conflict).
type GuestStore interface {
	CreateGuest(ctx context.Context, node *ingot.Node, ports []ingot.Port, claim ingot.GuestClaim, events ...ingot.Event) error
	ComputeHosts(ctx context.Context) ([]ingot.ComputeHost, error)
	DeleteNode(ctx context.Context, uuid string, version int64, events ...ingot.Event) error
	// ChangeClaim has the operation's node claim so much of its host, and changes its row with it; nil changes nothing else.
	// Conflict: there is no room. Fenced: the operation is no longer claimed.
	ChangeClaim(ctx context.Context, op ingot.Operation, amounts ingot.Amounts, change func(*ingot.Node)) error
	// ClaimFaults are what is wrong with the claims of all compute hosts.
	ClaimFaults(ctx context.Context) ([]ingot.ClaimFault, error)
}

// GuestMoves has guests change their hosts, by a pass that has its claim (Fenced: it has lost it).
type GuestMoves interface {
	// TakePlace has a guest hold on another host what it needs there. Conflict: there is no room.
	TakePlace(ctx context.Context, place ingot.GuestPlace) error
	// MoveGuest makes that host the guest's own, and gives the place on the old one back.
	MoveGuest(ctx context.Context, place ingot.GuestPlace, events ...ingot.Event) error
	// LeavePlace gives back a place on a host that is not the guest's own.
	LeavePlace(ctx context.Context, place ingot.GuestPlace) error
	// HasPlace says whether a guest holds anything of a host.
	HasPlace(ctx context.Context, guest, host string) (bool, error)
	// DropStrayPlaces gives back what guests hold of hosts that are not theirs while nothing works on them.
	DropStrayPlaces(ctx context.Context) error
}

// Instances gives an instance from one node to another, by a pass that has its claim (Fenced: it has lost it).
type Instances interface {
	// MoveInstance is one transaction; asked again it changes nothing. Conflict: the other node does not take it.
	MoveInstance(ctx context.Context, move ingot.InstanceMove) error
}

// Flavors are the store's flavors.
type Flavors interface {
	List(ctx context.Context, query ingot.FlavorQuery) ([]ingot.Flavor, error)
}

func (g *Guests) prepare() {
	setDuration(&g.Every, 30*time.Second)
	setDuration(&g.LostAfter, time.Minute)
	g.wakes = make(chan string, 64)
}

// CheckHypervisor refuses, as Invalid, settings that cannot be right for any host.
func (c *Conductor) CheckHypervisor(h *ingot.Hypervisor) error { return c.Guests.Prober.Check(h) }

// WakeHypervisor has a compute host probed soon. It is a hint: the next round comes anyway.
func (c *Conductor) WakeHypervisor(host string) {
	select {
	case c.Guests.wakes <- host:
	default: // there is enough to do
	}
}

// RemoveGuest does away with a guest's machine and disks, so that its row can go. One that was never more than a row, or
// whose machine is gone, has nothing to do away with.
func (c *Conductor) RemoveGuest(ctx context.Context, guest ingot.Node) error {
	if err := c.free(&guest); err != nil {
		return err
	}
	return c.exchange(ctx, &guest, func(ctx context.Context, m ingot.Machine) error {
		if remover, able := ingot.As[ingot.GuestRemover](m); able {
			return remover.RemoveGuest(ctx)
		}
		return unsupported(&guest, "delete")
	})
}

// mayStartHost refuses to start a compute host for the sake of a guest, unless the operator said so: it may have been
// drained and switched off.
func (c *Conductor) mayStartHost(ctx context.Context, guest, host *ingot.Node) error {
	if c.Guests == nil || !guest.IsGuest() || host.PowerState != ingot.PowerOff {
		return nil
	}
	h, err := c.Guests.Hosts.Get(ctx, host.UUID)
	if err == nil && !h.Autostart {
		err = ingot.Fatalf("cannot start %s: its compute host %s is powered off", guest.Label(), host.Label())
	}
	return err
}
