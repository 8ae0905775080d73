package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ingot-metal/ingot"
)

// createGuest writes a new node that is a virtual machine, with its claim.
func (r *request) createGuest(n *ingot.Node) error {
	if _, given := n.DriverInfo["dynamic"]; given {
		return ingot.Errorf(ingot.Invalid, "driver_info dynamic is for guests that allocations make")
	}
	host, err := r.guestHost(n)
	if err != nil {
		return err
	}
	var required []string
	if n.ResourceClass != "" {
		flavor, err := r.flavorOf(n.ResourceClass)
		if err != nil {
			return err
		}
		flavor.Shape(n)
		required = flavor.RequiredTraits
	}
	need, err := ingot.PlacementOf(n, nil)
	if err != nil {
		return err
	}
	need.Flavor.RequiredTraits = required
	if err := suits(&need, host); err != nil {
		return err
	}
	group, err := antiAffinity(n)
	if err != nil {
		return err
	}
	claim := ingot.GuestClaim{Resources: host.Hypervisor.Claim(need.Pool, need.Flavor.Resources), Group: group}
	return r.api.Guests.CreateGuest(r.Context(), n, nil, claim, nodeEvent("created", n))
}

// guestHost is the compute host that a new guest names: one that takes guests now.
func (r *request) guestHost(n *ingot.Node) (*ingot.ComputeHost, error) {
	hosts, err := r.api.Guests.ComputeHosts(r.Context())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(hosts, func(h ingot.ComputeHost) bool { return h.Node.UUID == n.ParentNode })
	if i < 0 {
		known, err := r.computeHosts()
		if err != nil {
			return nil, err
		}
		return nil, ingot.Errorf(ingot.Invalid, "Node %s is no compute host; the compute hosts are: %s.", n.ParentNode, known)
	}
	if reason, detail := hosts[i].Closed(); reason != "" && reason != string(ingot.HypervisorDegraded) {
		if detail != "" {
			reason += ": " + detail
		}
		return nil, ingot.Errorf(ingot.Conflict, "compute host %s takes no guests now: it is %s", n.ParentNode, reason)
	}
	return &hosts[i], nil
}

// suits refuses a host that has not what a guest needs, as placement would. Whether there is room is found out with the claim.
func suits(need *ingot.PlacementRequest, h *ingot.ComputeHost) error {
	reason, detail := need.Unlike(h)
	if reason == "" {
		return nil
	}
	if detail != "" {
		reason += " (" + detail + ")"
	}
	return ingot.Errorf(ingot.Invalid, "compute host %s does not suit the guest: %s", h.Node.UUID, reason)
}

// hasNetwork refuses a port of a guest whose compute host has no network for it. One that names none takes the only one
// that there is.
func (r *request) hasNetwork(n *ingot.Node, p *ingot.Port) error {
	if !n.IsGuest() || !r.api.computes() {
		return nil
	}
	h, err := r.api.Hypervisors.Get(r.Context(), n.ParentNode)
	if err != nil {
		if ingot.CodeOf(err) == ingot.NotFound { // the guest may be all that is left
			return nil
		}
		return err
	}
	var names []string
	for _, network := range h.Networks {
		if network.PhysicalNetwork == p.PhysicalNetwork || p.PhysicalNetwork == "" && len(h.Networks) == 1 {
			return nil
		}
		names = append(names, network.PhysicalNetwork)
	}
	return ingot.Errorf(ingot.Invalid, "compute host %s has no physical network %s; its physical networks are: %s", n.ParentNode, repr(p.PhysicalNetwork), strings.Join(names, ", "))
}

// antiAffinity is the group that keeps a guest off hosts that have another of it.
func antiAffinity(n *ingot.Node) (string, error) {
	v, given := n.DriverInfo["anti_affinity_group"]
	group, isText := v.(string)
	if given && (!isText || group == "" || len(group) > 255) {
		return "", ingot.Errorf(ingot.Invalid, "driver_info anti_affinity_group can not be %s: it is a name", repr(v))
	}
	return group, nil
}

// guestsOf are the guests of a compute host.
func (r *request) guestsOf(host string) ([]ingot.Node, error) {
	return r.api.Nodes.ListNodes(r.Context(), ingot.NodeQuery{ParentNode: host, Driver: ingot.GuestDriver, Page: ingot.Page{Limit: -1}})
}

// errHosts refuses something for the sake of a compute host's guests, which it names.
func errHosts(what string, guests []ingot.Node) error {
	return ingot.Errorf(ingot.Conflict, "%s while it is the compute host of %s.", what, ingot.Labels(guests))
}

// sparesGuests refuses to take the power from under guests: any that is protected, and those in use unless the host is in
// maintenance.
func (r *request) sparesGuests(n *ingot.Node, target ingot.PowerTarget) error {
	if target == ingot.TargetPowerOn || !r.api.computes() {
		return nil
	}
	guests, err := r.guestsOf(n.UUID)
	if err != nil {
		return err
	}
	var spared []ingot.Node
	for i := range guests {
		if guests[i].Protected || !n.Maintenance && inUse(&guests[i]) {
			spared = append(spared, guests[i])
		}
	}
	if len(spared) > 0 {
		return errHosts(fmt.Sprintf("The target %s can not be performed on node %s", repr(string(target)), n.UUID), spared)
	}
	return nil
}

// inUse says whether something may run in a guest.
func inUse(n *ingot.Node) bool {
	switch n.ProvisionState {
	case ingot.Enroll, ingot.Manageable, ingot.Available, ingot.DeployFailed:
		return n.PowerState == ingot.PowerOn
	}
	return true
}

// hostIsOn refuses to start a guest whose host is off, unless the host is to be started with it.
func (r *request) hostIsOn(n *ingot.Node, target ingot.PowerTarget) error {
	off := target == ingot.TargetPowerOff || target == ingot.TargetSoftOff
	if off || !n.IsGuest() || !r.api.computes() {
		return nil
	}
	host, err := r.api.Nodes.Node(r.Context(), n.ParentNode)
	if err != nil || host.PowerState != ingot.PowerOff {
		return err
	}
	h, err := r.hypervisorOf(&host)
	if err == nil && !h.Autostart {
		err = ingot.Errorf(ingot.Conflict, "Node %s can not be started: its compute host %s is powered off.", n.UUID, host.UUID)
	}
	return err
}

// guest keeps a guest where and what it was made to be: its claim is of that.
func (p *nodePatch) guest(before, n *ingot.Node) error {
	if before.Driver != ingot.GuestDriver {
		if n.Driver == ingot.GuestDriver {
			return ingot.Errorf(ingot.Conflict, "Node %s can not be made a guest: create a node with driver %s and parent_node.", n.UUID, ingot.GuestDriver)
		}
		return nil
	}
	changed := ""
	switch {
	case before.ParentNode != n.ParentNode:
		changed = "parent_node"
	case before.Driver != n.Driver:
		changed = "driver"
	}
	for _, key := range []string{"dynamic", "anti_affinity_group"} {
		if !reflect.DeepEqual(before.DriverInfo[key], n.DriverInfo[key]) {
			changed = "driver_info " + key
		}
	}
	for _, resource := range ingot.Resources() {
		if key := resource.Property(); !reflect.DeepEqual(before.Properties[key], n.Properties[key]) {
			changed = "properties " + key
		}
	}
	if changed != "" {
		return ingot.Errorf(ingot.Conflict, "%s of node %s can not be changed: it is a guest, and has claimed that of its compute host.", changed, n.UUID)
	}
	return nil
}
