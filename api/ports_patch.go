package api

import (
	"reflect"

	"github.com/ingot-metal/ingot"
)

// patchPort is PATCH /v1/ports/{port}.
func patchPort(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	ops, err := parsePatch(r, body)
	if err != nil {
		return response{}, err
	}
	if err := checkPatch(r, r.tables.ports, ops); err != nil {
		return response{}, err
	}
	port, err := r.port()
	if err != nil {
		return response{}, err
	}
	node, err := r.nodeNamed(port.NodeUUID)
	if err != nil {
		return response{}, err
	}
	if err := r.portNode(port, ops); err != nil {
		return response{}, err
	}
	var refused error
	changed, err := r.api.Ports.ChangePort(r.Context(), port.UUID, 0, func(p *ingot.Port) error {
		before := *p
		if refused = applyPatch(r.tables.ports, p, ops); refused == nil {
			refused = r.portChangeAllowed(&node, &before, p)
		}
		return refused
	}, portEvent("updated", &port))
	if refused != nil {
		err = refused
	}
	if err != nil {
		return response{}, err
	}
	return response{body: r.renderPort(&changed, nil)}, nil
}

// portNode checks that the node that a patch names is there.
func (r *request) portNode(port ingot.Port, ops []patchOp) error {
	preview := port
	if err := applyPatch(r.tables.ports, &preview, ops); err != nil {
		return err
	}
	if preview.NodeUUID == "" {
		return schemaError("patch", "'node_uuid' is a required property")
	}
	_, err := r.nodeNamed(preview.NodeUUID)
	if ingot.CodeOf(err) == ingot.NotFound {
		return ingot.Errorf(ingot.Invalid, "%w", err)
	}
	return err
}

// portChangeAllowed applies Ironic's rules (its update_port): a machine in use keeps the addresses and cables that
// were true when it was deployed.
func (r *request) portChangeAllowed(n *ingot.Node, before, p *ingot.Port) error {
	connected := before.PXEEnabled == p.PXEEnabled && before.PhysicalNetwork == p.PhysicalNetwork &&
		before.PortgroupUUID == p.PortgroupUUID && sameObject(before.LocalLinkConnection, p.LocalLinkConnection)
	free := n.Maintenance
	switch n.ProvisionState {
	case ingot.Enroll, ingot.Inspecting, ingot.InspectWait, ingot.Manageable:
		free = true
	}
	switch {
	case n.Reservation != "":
		return errLocked(n)
	case n.ProvisionState == ingot.Inspecting && r.since(39):
		return ingot.Errorf(ingot.Conflict, `Cannot update port "%s" on "%s" while it is in state "%s".`, p.UUID, n.UUID, n.ProvisionState)
	case (n.ProvisionState == ingot.Active || n.InstanceUUID != "") && before.Address != p.Address && !n.Maintenance:
		return ingot.Errorf(ingot.Conflict, "Cannot update hardware address for port %s as node %s is active or has instance UUID assigned", p.UUID, n.UUID)
	case !connected && !free:
		return ingot.Errorf(ingot.Conflict, "Port %s can not have any connectivity attributes (pxe_enabled, portgroup_id, physical_network, local_link_connection) "+
			"updated unless node %s is in a enroll, inspecting, inspect wait, manageable state or in maintenance mode. The current state is %s.",
			p.UUID, n.UUID, n.ProvisionState)
	}
	return nil
}

// sameObject takes nil and {} for the same.
func sameObject(a, b map[string]any) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}
