package api

import (
	"reflect"

	"github.com/ingot-metal/ingot"
)

// judgePort prepares a patch of a port: its node, and the node that it is to have, must be there.
func judgePort(r *request, p *ingot.Port, ops []patchOp) (func(before, after *ingot.Port) error, error) {
	node, err := r.nodeNamed(p.NodeUUID)
	if err != nil {
		return nil, err
	}
	preview := *p
	if err := applyPatch(r.tables.ports.fields, &preview, ops); err != nil {
		return nil, err
	}
	if preview.NodeUUID == "" {
		return nil, schemaError("patch", "'node_uuid' is a required property")
	}
	to, err := r.ownerNamed(preview.NodeUUID)
	switch {
	case err != nil:
		return nil, err
	case to.Owner != node.Owner:
		return nil, errForeign("node_uuid", preview.NodeUUID)
	}
	return func(before, after *ingot.Port) error { return r.portChangeAllowed(&node, before, after) }, nil
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
