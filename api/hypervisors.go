package api

import (
	"net/http"

	"github.com/ingot-metal/ingot"
)

// showHypervisor is GET /v1/nodes/{node}/hypervisor.
func showHypervisor(r *request) (response, error) {
	h, err := r.hypervisor()
	if err != nil {
		return response{}, err
	}
	body, err := r.renderHypervisor(&h)
	return response{body: body}, err
}

// renderHypervisor is a compute host on the wire: what was set, and what was found.
func (r *request) renderHypervisor(h *ingot.Hypervisor) (map[string]any, error) {
	inventory, err := r.wireInventory(h.NodeUUID)
	if err != nil {
		return nil, err
	}
	facts := &h.Facts
	unmanaged := []string{}
	for _, domain := range facts.Unmanaged {
		unmanaged = append(unmanaged, domain.Name)
	}
	problems := facts.Problems
	if problems == nil {
		problems = []string{}
	}
	body := settingsOf(h)
	for name, v := range map[string]any{
		"node_uuid": h.NodeUUID, "state": h.State, "state_reason": orNull(h.StateReason),
		"fence_state": orNull(string(h.Fence)), "fence_reason": orNull(h.FenceReason), "down_since": wireTime(h.DownSince), "generation": h.Version,
		"libvirt_version": orNull(facts.LibvirtVersion), "hypervisor_version": orNull(facts.HypervisorVersion), "host_uuid": orNull(facts.HostUUID),
		"hostname": orNull(facts.Hostname), "arch": orNull(facts.Arch), "virt_types": append([]string{}, facts.VirtTypes...), "cpu_model": orNull(facts.CPUModel),
		"uefi": facts.UEFI, "secure_boot": facts.SecureBoot, "tpm": facts.TPM, "problems": problems,
		"inventory": inventory, "unmanaged_domains": unmanaged, "stalled_guests": append([]string{}, facts.Stalled...), "last_seen_at": wireTime(h.LastSeenAt),
		"created_at": wireTime(h.CreatedAt), "updated_at": wireTime(h.UpdatedAt), "links": r.links("nodes/" + h.NodeUUID + "/hypervisor"),
	} {
		body[name] = v
	}
	return body, nil
}

// wireInventory is what a host has of each resource, by its name; empty before its first probe.
func (r *request) wireInventory(host string) (map[string]any, error) {
	capacities, err := r.api.Guests.Capacities(r.Context(), host)
	if err != nil {
		return nil, err
	}
	inventory := map[string]any{}
	for i := range capacities {
		c := &capacities[i]
		inventory[string(c.Resource)] = map[string]any{
			"total": c.Total, "reserved": c.Reserved, "allocation_ratio": float64(c.Ratio) / 1000, "max_unit": c.MaxUnit, "step_size": c.StepSize,
			"capacity": c.Capacity(), "used": c.Used, "free": c.Free(), "overcommitted": c.Used > c.Capacity(),
		}
	}
	return inventory, nil
}

// setHypervisor is PUT /v1/nodes/{node}/hypervisor: it makes the node a compute host, or sets everything about it anew.
// That the host cannot be reached is no error of the request: it is down then, and says why.
func setHypervisor(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	settings, err := r.hypervisorSettings()
	if err != nil {
		return response{}, err
	}
	wanted := ingot.Hypervisor{NodeUUID: node.UUID, State: ingot.HypervisorConnecting}
	settings.apply(&wanted)
	if err := r.api.Compute.CheckHypervisor(&wanted); err != nil {
		return response{}, err
	}
	was, err := r.api.Hypervisors.Get(r.Context(), node.UUID)
	event := ingot.Event{Type: "hypervisor.updated", Node: node.UUID, Data: map[string]any{"uri": wanted.URI}}
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		event.Type = "hypervisor.created"
		err = r.createHypervisor(&node, &wanted, settings.Generation, event)
	case err == nil:
		wanted, err = r.changeHypervisor(&was, settings, event)
	}
	if err != nil {
		return response{}, err
	}
	r.api.Compute.WakeHypervisor(node.UUID)
	body, err := r.renderHypervisor(&wanted)
	return response{status: http.StatusAccepted, body: body, location: "nodes/" + node.UUID + "/hypervisor"}, err
}

func (r *request) createHypervisor(n *ingot.Node, h *ingot.Hypervisor, generation *int64, event ingot.Event) error {
	switch {
	case generation != nil:
		return ingot.Errorf(ingot.Conflict, "Node %s is no compute host: there is no generation %d.", n.UUID, *generation)
	case n.ProvisionState != ingot.Active:
		return ingot.Errorf(ingot.Conflict, "Node %s can not be made a compute host in state %s: it has to be active; deploy or adopt it first.", n.UUID, n.ProvisionState)
	case n.ParentNode != "":
		return ingot.Errorf(ingot.Conflict, "Node %s can not be made a compute host: it is a child of node %s.", n.UUID, n.ParentNode)
	}
	return r.api.Hypervisors.Create(r.Context(), h, event)
}

// changeHypervisor sets everything anew. Where it is reached another way, nothing that was found holds any more.
func (r *request) changeHypervisor(was *ingot.Hypervisor, settings *hypervisorSettings, event ingot.Event) (ingot.Hypervisor, error) {
	guests, err := r.guestsOf(was.NodeUUID)
	if err != nil {
		return *was, err
	}
	version := int64(0)
	if settings.Generation != nil {
		version = *settings.Generation
	}
	return r.api.Hypervisors.Change(r.Context(), was.NodeUUID, version, func(h *ingot.Hypervisor) error {
		if settings.Type != h.Type && len(guests) > 0 {
			return errHosts("The type of the hypervisor of node "+h.NodeUUID+" can not be changed", guests)
		}
		if strays := h.Strays(guests, settings.Pools); len(strays) > 0 {
			return errHosts("The pools that have guests' disks (the first one, and those that guests name) can not be taken from node "+h.NodeUUID+" or get other formats", strays)
		}
		if settings.URI != h.URI {
			h.State, h.StateReason, h.Missed, h.Failures = ingot.HypervisorConnecting, "", 0, 0
		}
		settings.apply(h)
		h.Restate()
		return nil
	}, event)
}

// phoneHome is POST /v1/phone_home/{node}, for cloud-init's module of that name: the system of a compute host has started.
// Nothing that it says is believed, and its body is not read: it is a reason to probe a host that could not be reached.
func phoneHome(r *request) (response, error) {
	id, isUUID := canonicalUUID(r.param("node"))
	if !isUUID {
		return response{}, errHidden()
	}
	h, err := r.api.Hypervisors.Get(r.Context(), id)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return response{}, errHidden()
	case err != nil:
		return response{}, err
	}
	r.api.log().Info("a compute host has phoned home", "host", id, "from", r.from(), "state", h.State)
	if h.State == ingot.HypervisorConnecting || h.Missed > 0 {
		r.api.Compute.WakeHypervisor(id)
	}
	return response{status: http.StatusAccepted}, nil
}

// deleteHypervisor is DELETE /v1/nodes/{node}/hypervisor: the node is no compute host any more.
func deleteHypervisor(r *request) (response, error) {
	h, err := r.hypervisor()
	if err != nil {
		return response{}, err
	}
	event := ingot.Event{Type: "hypervisor.deleted", Node: h.NodeUUID, Data: map[string]any{"uri": h.URI}}
	if err := r.api.Hypervisors.Delete(r.Context(), h.NodeUUID, 0, event); err != nil {
		return response{}, err
	}
	r.api.Compute.WakeHypervisor(h.NodeUUID)
	return response{status: http.StatusNoContent}, nil
}

// showUsage is GET /v1/nodes/{node}/hypervisor/usage: what the host has of each resource, and which guests have it.
func showUsage(r *request) (response, error) {
	h, err := r.hypervisor()
	if err != nil {
		return response{}, err
	}
	inventory, err := r.wireInventory(h.NodeUUID)
	if err != nil {
		return response{}, err
	}
	claims, err := r.api.Guests.Claims(r.Context(), h.NodeUUID)
	if err != nil {
		return response{}, err
	}
	byGuest, guests := map[string]map[string]any{}, []map[string]any{}
	for _, claim := range claims {
		guest := byGuest[claim.Guest]
		if guest == nil {
			guest = map[string]any{"node_uuid": claim.Guest, "resources": map[string]any{}, "created_at": wireTime(claim.CreatedAt)}
			byGuest[claim.Guest] = guest
			guests = append(guests, guest)
		}
		guest["resources"].(map[string]any)[string(claim.Resource)] = claim.Amount
	}
	return response{body: map[string]any{"node_uuid": h.NodeUUID, "inventory": inventory, "claims": guests}}, nil
}
