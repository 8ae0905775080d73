package api

import (
	"slices"

	"github.com/ingot-metal/ingot"
)

// patchNode is PATCH /v1/nodes/{node}.
func patchNode(r *request) (response, error) {
	a := r.args("reset_interfaces")
	reset := a.flag("reset_interfaces")
	if reset != nil && !r.since(45) {
		a.fail(errNotAcceptable())
	}
	if a.err != nil {
		return response{}, a.err
	}
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	ops, err := parsePatch(r, body)
	if err != nil {
		return response{}, err
	}
	p := nodePatch{r: r, ops: ops, reset: reset != nil && *reset}
	node, err := p.run()
	if err != nil {
		return response{}, err
	}
	return response{body: r.wholeNode(&node)}, nil
}

// nodePatch is one patch of a node at work.
type nodePatch struct {
	r      *request
	ops    []patchOp
	reset  bool // give the node the new driver's default interfaces
	parent string
	types  []ingot.HardwareType
}

func (p *nodePatch) run() (ingot.Node, error) {
	if err := checkPatch(p.r, p.r.tables.nodes, p.ops); err != nil {
		return ingot.Node{}, err
	}
	if p.reset && !p.names("driver") {
		return ingot.Node{}, ingot.Errorf(ingot.Invalid, "The reset_interfaces parameter can only be used when changing the node's driver.")
	}
	if !p.r.since(25) && slices.ContainsFunc(p.ops, func(op patchOp) bool { return op.path == "/chassis_uuid" && op.value == nil }) {
		return ingot.Node{}, errNotAcceptable() // a node could not be taken out of its chassis then
	}
	node, err := p.r.nodeInPath()
	if err != nil {
		return node, err
	}
	if err := mayPatch(p.r, p.r.tables.nodes, p.ops, holderOf(&node)); err != nil {
		return node, err
	}
	if err := p.checkNames(node.UUID); err != nil {
		return node, err
	}
	// What needs the store or the conductor is found out before the change, which runs in a transaction.
	preview := node
	if err := applyPatch(p.r.tables.nodes, &preview, p.ops); err != nil {
		return node, err
	}
	if p.names("parent_node") {
		if err := p.r.adopt(&preview); err != nil {
			return node, err
		}
		p.parent = preview.ParentNode
	}
	if p.types, err = p.r.hardware(&preview); err != nil {
		return node, err
	}
	return p.r.change(node.UUID, p.names("maintenance"), p.apply)
}

// names says whether an operation is on the field or below it.
func (p *nodePatch) names(field string) bool {
	return slices.ContainsFunc(p.ops, func(op patchOp) bool { return op.steps[0] == field })
}

func (p *nodePatch) checkNames(uuid string) error {
	for _, op := range p.ops {
		name, ok := op.value.(string)
		if op.path != "/name" || op.op == "remove" || !ok {
			continue
		}
		if err := p.r.checkName(name, "Node "+uuid+": Cannot change name to invalid name '"+name+"'"); err != nil {
			return err
		}
	}
	return nil
}

// apply judges the patch by the node as it is and applies it.
func (p *nodePatch) apply(n *ingot.Node) error {
	if err := p.allowedNow(n); err != nil {
		return err
	}
	before := *n
	if err := applyPatch(p.r.tables.nodes, n, p.ops); err != nil {
		return err
	}
	if p.names("parent_node") {
		n.ParentNode = p.parent
	}
	for _, rule := range []func(before, n *ingot.Node) error{p.guest, p.interfaces, p.flags, p.instance, p.class} {
		if err := rule(&before, n); err != nil {
			return err
		}
	}
	return nil
}

func (p *nodePatch) allowedNow(n *ingot.Node) error {
	removesInstance := len(p.ops) == 1 && p.ops[0].op == "remove" && p.ops[0].path == "/instance_uuid"
	switch {
	case n.Maintenance && removesInstance:
		return nil
	case n.TargetProvisionState != "" && !n.ProvisionState.Updatable():
		return ingot.Errorf(ingot.Conflict, "Node %s can not be updated while a state transition is in progress.", p.r.param("node"))
	case n.ProvisionState == ingot.Inspecting && p.r.since(39):
		return ingot.Errorf(ingot.Conflict, `Cannot update node "%s" while it is in state "%s".`, n.UUID, n.ProvisionState)
	case p.names("owner") && n.ProvisionState == ingot.Active && !p.r.may("node:update_owner_provisioned", holderOf(n)):
		return ingot.Errorf(ingot.Conflict, `Cannot update owner of node "%s" while it is in state "%s".`, n.UUID, n.ProvisionState)
	}
	return nil
}

// quietStates are those in which interfaces and resource class may change.
func quietStates() []ingot.State {
	return []ingot.State{ingot.Enroll, ingot.Inspecting, ingot.InspectWait, ingot.Manageable, ingot.Available}
}

const quietStatesText = "enroll, inspecting, inspect wait, manageable, available"

// interfaces lets the driver and its interfaces change only while the machine is not in use.
func (p *nodePatch) interfaces(before, n *ingot.Node) error {
	if before.Driver == n.Driver && before.Interfaces == n.Interfaces {
		return nil
	}
	if before.Driver != n.Driver && n.ConsoleEnabled {
		return ingot.Errorf(ingot.Conflict, "Node %s can not update the driver while the console is enabled. Please stop the console first.", p.r.param("node"))
	}
	for _, kind := range ingot.InterfaceKinds() {
		now := n.Interfaces.Field(kind)
		if *now != *before.Interfaces.Field(kind) && !slices.Contains(quietStates(), n.ProvisionState) && !n.Maintenance {
			return ingot.Errorf(ingot.Conflict, "Node %s can not have %s_interface updated unless it is in one of allowed (%s) states "+
				"or in maintenance mode. Current state is '%s'.", n.UUID, kind, quietStatesText, n.ProvisionState)
		}
		if p.reset && !p.names(kind+"_interface") {
			*now = ""
		}
	}
	return settle(n, p.types)
}

// flags are the rules of maintenance, protected and retired.
func (p *nodePatch) flags(before, n *ingot.Node) error {
	if before.Maintenance && !n.Maintenance {
		n.MaintenanceReason, n.Fault = "", ""
	}
	switch {
	case !n.Protected && before.Protected:
		n.ProtectedReason = ""
	case n.Protected && !before.Protected && n.ProvisionState != ingot.Active && n.ProvisionState != ingot.Rescue:
		return ingot.Errorf(ingot.Conflict, "Node %s can only be made protected in provision states 'active' or 'rescue', the current state is '%s'", n.UUID, n.ProvisionState)
	case n.ProtectedReason != "" && n.ProtectedReason != before.ProtectedReason && !n.Protected:
		return ingot.Errorf(ingot.Invalid, "The protected_reason field can only be set when protected is True")
	}
	switch {
	case !n.Retired && before.Retired:
		n.RetiredReason = ""
	case n.Retired && !before.Retired && n.ProvisionState == ingot.Available:
		return ingot.Errorf(ingot.Conflict, "Node %s can not have 'retired' set in provision state 'available', the current state is '%s'", n.UUID, n.ProvisionState)
	case n.RetiredReason != "" && n.RetiredReason != before.RetiredReason && !n.Retired:
		return ingot.Errorf(ingot.Invalid, "The retired_reason field can only be set when retired is True")
	}
	return nil
}

// instance keeps one instance from being put over another, and takes the instance's name from where older clients
// write it.
func (p *nodePatch) instance(before, n *ingot.Node) error {
	switch {
	case before.InstanceUUID != "" && n.InstanceUUID != "" && before.InstanceUUID != n.InstanceUUID:
		return ingot.Errorf(ingot.Conflict, "Node %s is associated with instance %s.", n.UUID, before.InstanceUUID)
	case n.AllocationUUID != "" && n.InstanceUUID == "":
		if !slices.Contains(quietStates(), n.ProvisionState) && !n.Maintenance {
			return ingot.Errorf(ingot.Conflict, "Node %s with an allocation can not have instance_uuid removed unless it is in one of allowed (%s) states "+
				"or in maintenance mode. Current state is '%s'.", n.UUID, quietStatesText, n.ProvisionState)
		}
		n.AllocationUUID = "" // the store ends the allocation with that
	}
	if p.names("instance_info") && n.InstanceName == "" {
		n.InstanceName = ingot.Text(n.InstanceInfo, "display_name")
	}
	return nil
}

// class keeps schedulers from seeing a machine that is in use as one of another sort.
func (p *nodePatch) class(before, n *ingot.Node) error {
	if before.ResourceClass != "" && before.ResourceClass != n.ResourceClass && !slices.Contains(quietStates(), n.ProvisionState) {
		return ingot.Errorf(ingot.Conflict, "Node %s can not have resource_class updated unless it is in one of allowed (%s) states. "+
			"Current state is '%s'.", n.UUID, quietStatesText, n.ProvisionState)
	}
	return nil
}
