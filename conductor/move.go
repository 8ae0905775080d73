package conductor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// The move of a guest from one compute host to another: which one is chosen and written down first, its place is taken
// there, both hosts are asked before anything is done, and there is one live copy at every moment.

// move is how far a guest's move is, in its operation's memory.
type move struct {
	from, to string // compute hosts
	stage    string
	slot     int      // the step of the list that it is for
	ran      bool     // the guest is to run when it has arrived
	tried    []string // hosts that had no room after all
	failures int      // transfers that failed
}

// The stages of a move.
const (
	moveChosen = "chosen" // where to
	movePlaced = "placed" // the guest has a place on both hosts
	moveDone   = "moved"  // its host is the other one
	moveEnded  = "ended"
)

const (
	moveKey = "move"
	// moveTries is how often a transfer is begun that fails.
	moveTries = 3
)

// move is the one that the operation is at; a list may have more than one.
func (r *Run) move() move {
	memory, _ := r.Op.Memory[moveKey].(map[string]any)
	slot, _ := memory["slot"].(float64)
	failures, _ := memory["failures"].(float64)
	m := move{
		from: ingot.Text(memory, "from"), to: ingot.Text(memory, "to"), stage: ingot.Text(memory, "stage"), slot: int(slot),
		ran: memory["ran"] == true, failures: int(failures),
	}
	if tried := ingot.Text(memory, "tried"); tried != "" {
		m.tried = strings.Split(tried, ",")
	}
	if m.stage == moveEnded && m.slot != r.Op.Slot {
		return move{slot: r.Op.Slot}
	}
	return m
}

func (r *Run) setMove(m move) {
	r.Remember(moveKey, map[string]any{
		"from": m.from, "to": m.to, "stage": m.stage, "slot": float64(m.slot), "ran": m.ran, "failures": float64(m.failures),
		"tried": strings.Join(m.tried, ","),
	})
}

// onHost is the guest's node as if it were on a host.
func onHost(n *ingot.Node, host string) *ingot.Node {
	there := *n
	there.ParentNode = host
	return &there
}

// mover talks to one host about a guest.
func (c *Conductor) mover(ctx context.Context, n *ingot.Node, host string, talk func(context.Context, ingot.GuestMover) error) error {
	return c.exchange(ctx, onHost(n, host), func(ctx context.Context, m ingot.Machine) error {
		able, ok := ingot.As[ingot.GuestMover](m)
		if !ok {
			return unsupported(n, "a move to another host")
		}
		return talk(ctx, able)
	})
}

// see asks a host what it has of a guest. A host that does not answer is no answer.
func (c *Conductor) see(ctx context.Context, n *ingot.Node, host string) (s ingot.GuestSight, err error) {
	err = c.mover(ctx, n, host, func(ctx context.Context, m ingot.GuestMover) (err error) {
		s, err = m.SeeGuest(ctx)
		return err
	})
	return s, err
}

// seeBoth asks both hosts of a move, and refuses to go on where both run the guest.
func (c *Conductor) seeBoth(ctx context.Context, n *ingot.Node, m move) (here, there ingot.GuestSight, err error) {
	if here, err = c.see(ctx, n, m.from); err != nil {
		return here, there, err
	}
	if there, err = c.see(ctx, n, m.to); err != nil {
		return here, there, err
	}
	if here.Runs() && there.Runs() {
		err = ingot.Fatalf("compute hosts %s and %s both run guest %s: switch one off by hand", m.from, m.to, n.Label())
	}
	return here, there, err
}

// place is the place of the pass's guest on a host.
func (r *Run) place(host string) ingot.GuestPlace {
	return ingot.GuestPlace{Guest: r.Node.UUID, Host: host, Operation: r.Op.UUID, Claim: r.Op.Claim}
}

// chooseHost writes down where the guest is to go: where it was said, or the best place.
func (c *Conductor) chooseHost(ctx context.Context, r *Run, m move, destination string, more func(*ingot.PlacementRequest)) (Progress, error) {
	hosts, err := c.hostsFor(ctx, r.Node)
	if err != nil {
		return Progress{}, err
	}
	req, err := ingot.PlacementOf(r.Node, r.Ports)
	if err != nil {
		return Progress{}, ingot.Fatal(err)
	}
	for i := range hosts {
		if hosts[i].Node.UUID == r.Node.ParentNode {
			like(&req, &hosts[i].Hypervisor, r.Node, more == nil)
		}
	}
	req.Excluded = append([]string{r.Node.ParentNode}, m.tried...)
	if destination != "" {
		host, err := namedHost(hosts, destination)
		if err != nil {
			return Progress{}, err
		}
		req.Candidates = []string{host}
	}
	if more != nil {
		more(&req)
	}
	placement := ingot.Place(hosts, req)
	if len(placement.Candidates) == 0 {
		return Progress{}, ingot.Errorf(ingot.Conflict, "there is no place for %s: %s", r.Node.Label(), placement.String())
	}
	best := placement.Best()
	m.from, m.to, m.stage, m.slot = r.Node.ParentNode, best[rand.IntN(len(best))].Host, moveChosen, r.Op.Slot
	r.setMove(m)
	return NotYet(0, "chose compute host "+m.to), nil
}

// like has a guest go where its disk can be what it is; and its machine, too, where that is not defined anew.
func like(req *ingot.PlacementRequest, from *ingot.Hypervisor, n *ingot.Node, machine bool) {
	pool := from.Pool(n.DiskPool())
	if pool != nil {
		req.DiskFormat = pool.DiskFormat()
	}
	if machine {
		req.VirtType, req.Source = from.Facts.VirtType(), pool
	}
}

// hostsFor are the compute hosts that a guest may be on at all: of its owner, and of its conductors.
func (c *Conductor) hostsFor(ctx context.Context, n *ingot.Node) ([]ingot.ComputeHost, error) {
	if c.Guests == nil {
		return nil, unsupported(n, "a move to another host")
	}
	hosts, err := c.Guests.Store.ComputeHosts(ctx)
	return slices.DeleteFunc(hosts, func(h ingot.ComputeHost) bool {
		return h.Node.Owner != n.Owner || h.Node.ConductorGroup != n.ConductorGroup
	}), err
}

// namedHost finds a compute host by its UUID or name.
func namedHost(hosts []ingot.ComputeHost, name string) (string, error) {
	var known []string
	for i := range hosts {
		if n := &hosts[i].Node; n.UUID == name || n.Name == name {
			return n.UUID, nil
		}
		known = append(known, hosts[i].Node.Label())
	}
	return "", ingot.Errorf(ingot.Invalid, "destination %s is no compute host for this guest; there are: %s", name, strings.Join(append(known, "no other"), ", "))
}

// takePlace has the guest hold on the chosen host what it needs there. Where somebody else got the room, another host is
// chosen, unless this one was asked for.
func (c *Conductor) takePlace(ctx context.Context, r *Run, m move, chosen bool) (Progress, error) {
	err := c.holdPlace(ctx, r, m.to)
	switch {
	case ingot.CodeOf(err) == ingot.Conflict && !chosen:
		m.tried, m.stage = append(m.tried, m.to), ""
		r.setMove(m)
		return NotYet(0, err.Error()), nil
	case ingot.CodeOf(err) == ingot.Conflict:
		return Progress{}, ingot.Fatal(err)
	case err != nil:
		return Progress{}, err
	}
	m.stage = movePlaced
	r.setMove(m)
	return NotYet(0, "has a place on compute host "+m.to), nil
}

// holdPlace has the guest hold what it needs on a host. Conflict: there is no room, or the host is none any more.
func (c *Conductor) holdPlace(ctx context.Context, r *Run, host string) error {
	h, err := c.Guests.Hosts.Get(ctx, host)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return ingot.Errorf(ingot.Conflict, "%w", err)
	case err != nil:
		return err
	}
	amounts, err := ingot.GuestAmounts(r.Node)
	if err != nil {
		return ingot.Fatal(err)
	}
	place := r.place(host)
	place.Resources = h.Claim(r.Node.DiskPool(), amounts)
	return c.Guests.Moves.TakePlace(ctx, place)
}

// arrive makes the other host the guest's own.
func (c *Conductor) arrive(ctx context.Context, r *Run, m move, fenced bool) (Progress, error) {
	place := r.place(m.to)
	place.Fenced = fenced
	err := c.Guests.Moves.MoveGuest(ctx, place, ingot.Event{
		At: r.Now, Type: "guest.moved", Node: r.Node.UUID, Data: map[string]any{"from": m.from, "to": m.to, "operation": r.Op.UUID},
	})
	if err != nil {
		return Progress{}, err
	}
	m.stage = moveDone
	r.setMove(m)
	return NotYet(0, "its compute host is "+m.to+" now"), nil
}

// leaveBehind has nothing of the guest left on the host that it came from. One that is down by now is cleared when it is
// back.
func (c *Conductor) leaveBehind(ctx context.Context, r *Run, m move) error {
	err := c.mover(ctx, r.Node, m.from, func(ctx context.Context, able ingot.GuestMover) error { return able.RetireGuest(ctx) })
	if err == nil {
		return nil
	}
	if h, look := c.Guests.Hosts.Get(ctx, m.from); ingot.CodeOf(look) == ingot.NotFound || look == nil && h.State == ingot.HypervisorDown {
		r.Record("WARNING", r.historyType(), fmt.Sprintf("what compute host %s had of this guest is still there: %v", m.from, err))
		return nil
	}
	return fmt.Errorf("cannot clear compute host %s of %s: %w", m.from, r.Node.Label(), err)
}
