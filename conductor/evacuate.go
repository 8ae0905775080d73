package conductor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

const (
	// evacuated is the key of an operation's memory with the guests that were told to go, by UUID.
	evacuated = "evacuated"
	// evacuateAtOnce is how many guests leave a host at a time.
	evacuateAtOnce = 2
)

// isHost says whether a node may be a compute host.
func isHost(c *Conductor, n *ingot.Node) bool { return c.Guests != nil && n.ParentNode == "" }

// evacuateGuests has no guest in use left on a compute host: it takes no new ones from now on (draining), and those that it
// has move as ordinary service operations of theirs, running ones live. Guests that carry nothing stay.
func evacuateGuests(ctx context.Context, r *Run, _ map[string]any) (Progress, error) {
	c := r.c
	if _, err := c.Guests.Hosts.Change(ctx, r.Node.UUID, 0, func(h *ingot.Hypervisor) error {
		h.Draining = true
		h.Restate()
		return nil
	}); err != nil {
		return Progress{}, err
	}
	guests, err := c.children(ctx, r.Node.UUID)
	if err != nil {
		return Progress{}, err
	}
	told, _ := r.Op.Memory[evacuated].(string)
	going, err := c.stillLeaving(ctx, r.Node.UUID, told)
	if err != nil {
		return Progress{}, err
	}
	var waiting, failed []string
	for i := range guests {
		switch n := &guests[i]; {
		case !n.IsGuest() || !inUse(n):
		case n.ProvisionState.Busy():
			going = append(going, n.Label())
		case strings.Contains(told, n.UUID):
			failed = append(failed, n.Label()+": "+n.LastError)
		case len(going) >= evacuateAtOnce:
			waiting = append(waiting, n.Label())
		default:
			told += n.UUID + " "
			r.Remember(evacuated, told)
			if err := c.sendAway(ctx, n, r.Op.Requester); err != nil {
				failed = append(failed, n.Label()+": "+err.Error())
				continue
			}
			going = append(going, n.Label())
		}
	}
	switch {
	case len(going) > 0:
		return NotYet(2*c.Settings.Poll, fmt.Sprintf("%s is moving, %d wait, %d could not move", strings.Join(going, ", "), len(waiting), len(failed))), nil
	case len(failed) > 0:
		return Progress{}, ingot.Fatalf("%d guests could not move: %s", len(failed), strings.Join(failed, "; "))
	}
	return Holds(), nil
}

// stillLeaving are those that were told to go and are no longer the host's, but clear it of what they had there: it must
// not be switched off before they have.
func (c *Conductor) stillLeaving(ctx context.Context, host, told string) ([]string, error) {
	var leaving []string
	for _, guest := range strings.Fields(told) {
		n, err := c.Nodes.Node(ctx, guest)
		switch {
		case ingot.CodeOf(err) == ingot.NotFound:
		case err != nil:
			return nil, err
		case n.ParentNode != host && n.ProvisionState.Busy():
			leaving = append(leaving, n.Label())
		}
	}
	return leaving, nil
}

// inUse says whether a guest has something that anybody needs.
func inUse(n *ingot.Node) bool {
	return !slices.Contains([]ingot.State{ingot.Enroll, ingot.Manageable, ingot.Available, ingot.DeployFailed, ingot.CleanFailed}, n.ProvisionState)
}

// sendAway begins the move of a guest.
func (c *Conductor) sendAway(ctx context.Context, n *ingot.Node, requester string) error {
	step := coldMigrateStep
	if n.PowerState == ingot.PowerOn {
		step = liveMigrateStep
	}
	return c.Provision(ctx, *n, ingot.ProvisionRequest{
		Verb: ingot.VerbService, Requester: requester, ServiceSteps: []map[string]any{{"interface": "management", "step": step}},
	})
}

// leavesGuestsAlone says whether a host may have a list carried out while it has guests: one that sends them away before
// anything else, and needs no ramdisk.
func leavesGuestsAlone(req *ingot.ProvisionRequest) bool {
	steps := req.ServiceSteps
	return len(steps) > 0 && ingot.Text(steps[0], "interface") == "management" && ingot.Text(steps[0], "step") == evacuateStep &&
		!slices.ContainsFunc(steps, needsRamdisk)
}
