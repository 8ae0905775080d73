package api

import (
	"reflect"
	"strings"

	"github.com/ingot-metal/ingot"
)

// judgePort prepares a patch of a port: its node, and the node that it is to have, must be there.
func judgePort(r *request, p *ingot.Port, ops []patchOp) (func(before, after *ingot.Port) error, error) {
	node, err := r.nodeNamed(p.NodeUUID)
	if err != nil {
		return nil, err
	}
	if err := r.linkPatchKnown(ops); err != nil {
		return nil, err
	}
	preview := *p
	if err := applyPatch(r.tables.ports.fields, &preview, ops); err != nil {
		return nil, err
	}
	if preview.NodeUUID == "" {
		return nil, schemaError("patch", "'node_uuid' is a required property")
	}
	owner, err := r.ownerNamed(preview.NodeUUID)
	if err != nil {
		return nil, err
	}
	if err := r.hasNetwork(&owner, &preview); err != nil {
		return nil, err
	}
	var group ingot.Portgroup
	if preview.PortgroupUUID != "" {
		if group, err = r.groupNamed(preview.PortgroupUUID); err != nil {
			return nil, err
		}
	}
	return func(before, after *ingot.Port) error {
		if err := r.portChangeAllowed(&node, before, after); err != nil {
			return err
		}
		if r.since(102) && after.PortgroupUUID != "" && before.PhysicalNetwork != after.PhysicalNetwork {
			return ingot.Errorf(ingot.Invalid, "physical_network cannot be changed while the port belongs to a portgroup.")
		}
		if err := smartNIC(after); err != nil || group.UUID != after.PortgroupUUID {
			return err // a group that the port was given meanwhile is the store's to judge
		}
		return memberAllowed(&node, &group, before, after)
	}, nil
}

// memberAllowed refuses a port that is used alone in a group whose ports must not be. With the noop network Ironic does
// not look.
func memberAllowed(n *ingot.Node, group *ingot.Portgroup, before, p *ingot.Port) error {
	vif := ingot.Text(p.Internal, ingot.VIFKey)
	changed := before.PXEEnabled != p.PXEEnabled || before.PortgroupUUID != p.PortgroupUUID || vif != ""
	if group.UUID == "" || group.Standalone || !changed || n.Interfaces.Network == noopNetwork {
		return nil
	}
	var reasons []string
	if p.PXEEnabled {
		reasons = append(reasons, "'pxe_enabled' was set to True")
	}
	if vif != "" {
		reasons = append(reasons, "VIF "+vif+" is attached to the port")
	}
	if len(reasons) == 0 {
		return nil
	}
	return ingot.Errorf(ingot.Conflict, "Port group %s doesn't support standalone ports. This port %s cannot be  a member of that port group because of: %s",
		group.UUID, p.UUID, strings.Join(reasons, ", "))
}

// noopNetwork is the network interface that does nothing.
const noopNetwork = "noop"

// rewirable says whether a node's ports may be rewired: it is not in use yet, or in maintenance.
func rewirable(n *ingot.Node) bool {
	switch n.ProvisionState {
	case ingot.Enroll, ingot.Inspecting, ingot.InspectWait, ingot.Manageable:
		return true
	}
	return n.Maintenance
}

// portChangeAllowed applies Ironic's rules (its update_port): a machine in use keeps the addresses and cables that
// were true when it was deployed.
func (r *request) portChangeAllowed(n *ingot.Node, before, p *ingot.Port) error {
	connected := before.PXEEnabled == p.PXEEnabled && before.PhysicalNetwork == p.PhysicalNetwork &&
		before.PortgroupUUID == p.PortgroupUUID && sameObject(before.LocalLinkConnection, p.LocalLinkConnection)
	switch {
	case n.Reservation != "":
		return errLocked(n)
	case n.ProvisionState == ingot.Inspecting && r.since(39):
		return ingot.Errorf(ingot.Conflict, `Cannot update port "%s" on "%s" while it is in state "%s".`, p.UUID, n.UUID, n.ProvisionState)
	case (n.ProvisionState == ingot.Active || n.InstanceUUID != "") && before.Address != p.Address && !n.Maintenance:
		return ingot.Errorf(ingot.Conflict, "Cannot update hardware address for port %s as node %s is active or has instance UUID assigned", p.UUID, n.UUID)
	case !connected && !rewirable(n):
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
