package api

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// Compute is what the handlers of compute hosts and guests need of those who speak to them.
type Compute interface {
	// CheckHypervisor refuses, as Invalid, settings that cannot be right for any host; it asks no host.
	CheckHypervisor(h *ingot.Hypervisor) error
	// WakeHypervisor is a hint that a compute host was made, changed or taken away; it may be lost.
	WakeHypervisor(host string)
	// RemoveGuest takes a guest's domain and disks off its host; what is not there is gone already.
	RemoveGuest(ctx context.Context, guest ingot.Node) error
	// Snapshots lists the snapshots of a guest, the oldest first; a node that can have none is Unsupported.
	Snapshots(ctx context.Context, guest ingot.Node) ([]ingot.Snapshot, error)
}

// GuestStore is what the handlers need of the store beside the records of compute hosts and flavors.
type GuestStore interface {
	// CreateGuest writes a node whose parent is its compute host, with its claim, or neither: Conflict when there is no room.
	CreateGuest(ctx context.Context, node *ingot.Node, ports []ingot.Port, claim ingot.GuestClaim, events ...ingot.Event) error
	Capacities(ctx context.Context, host string) ([]ingot.Capacity, error)
	Claims(ctx context.Context, host string) ([]ingot.Claim, error)
	ComputeHosts(ctx context.Context) ([]ingot.ComputeHost, error)
}

// computes says whether this service has compute hosts and guests.
func (a *API) computes() bool {
	return a.Compute != nil && a.Hypervisors != nil && a.Flavors != nil && a.Guests != nil && a.Nodes != nil
}

// computeRoutes are the compute hosts, flavors and placements, which Ironic has not.
func (a *API) computeRoutes(t *tables) []route {
	if !a.computes() {
		return nil
	}
	return append(t.flavors.routes(a),
		route{"GET", "/nodes/{node}/hypervisor", 1, "node:hypervisor:get", showHypervisor},
		route{"PUT", "/nodes/{node}/hypervisor", 1, "node:hypervisor:set", setHypervisor},
		route{"DELETE", "/nodes/{node}/hypervisor", 1, "node:hypervisor:delete", deleteHypervisor},
		route{"GET", "/nodes/{node}/hypervisor/usage", 1, "node:hypervisor:get", showUsage},
		route{"GET", "/nodes/{node}/snapshots", 1, "node:get", atGuest(listSnapshots)},
		route{"GET", "/placements", 1, "placement:list", listPlacements},
	)
}

// hypervisor is that of the path's node.
func (r *request) hypervisor() (ingot.Hypervisor, error) {
	node, err := r.node()
	if err != nil {
		return ingot.Hypervisor{}, err
	}
	return r.hypervisorOf(&node)
}

// hypervisorOf finds what makes a node a compute host.
func (r *request) hypervisorOf(n *ingot.Node) (ingot.Hypervisor, error) {
	h, err := r.api.Hypervisors.Get(r.Context(), n.UUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.NotFound, "Node %s is no compute host.", n.UUID)
	}
	return h, err
}

// computeHosts are the names of the compute hosts that the caller may see, or their UUIDs, for sentences; of many, the first.
func (r *request) computeHosts() (string, error) {
	const most = 10
	hosts, err := r.api.Guests.ComputeHosts(r.Context())
	if err != nil {
		return "", err
	}
	var names []string
	for i := range hosts {
		if n := &hosts[i].Node; r.may("node:get", holderOf(n)) {
			names = append(names, cmp.Or(n.Name, n.UUID))
		}
	}
	if len(names) == 0 {
		return "none", nil
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], strconv.Itoa(more)+" more")
	}
	return strings.Join(names, ", "), nil
}
