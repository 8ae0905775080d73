package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/ingot-metal/ingot"
)

// NodeStore is what the nodes' handlers need of the store.
type NodeStore interface {
	// Node finds a node by UUID or name; NotFound when there is none.
	Node(ctx context.Context, ident string) (ingot.Node, error)
	ListNodes(ctx context.Context, query ingot.NodeQuery) ([]ingot.Node, error)
	// CreateNode writes a node and fills in what the store chooses (version, times). Another node with the UUID, name or
	// instance is Conflict, and the sentence names that node.
	CreateNode(ctx context.Context, node *ingot.Node, ports []ingot.Port, events ...ingot.Event) error
	// ChangeNode gives the node as it is after the change, which runs in the transaction and may run more than once.
	ChangeNode(ctx context.Context, change ingot.NodeChange) (ingot.Node, error)
	// DeleteNode is Conflict when the node is no longer of the version, and Locked while an operation is live.
	DeleteNode(ctx context.Context, uuid string, version int64, events ...ingot.Event) error
}

func errNoNode(ident string) error {
	return ingot.Errorf(ingot.NotFound, "Node %s could not be found.", ident)
}

// node finds the node that the path names, and judges the route's rule for it.
func (r *request) node() (ingot.Node, error) {
	node, err := r.nodeInPath()
	if err != nil {
		return node, err
	}
	return node, r.allow(holderOf(&node))
}

// nodeInPath finds the node that the path names, for whoever may see it; the route's rule is still to be judged.
func (r *request) nodeInPath() (ingot.Node, error) {
	ident, err := r.ident("node", "node")
	if err != nil {
		return ingot.Node{}, err
	}
	node, err := r.nodeNamed(ident)
	r.about = node.UUID
	return node, err
}

// nodeNamed finds a node by its UUID or, since 1.5, its name. One that the caller may not see is not there.
func (r *request) nodeNamed(ident string) (ingot.Node, error) {
	if _, isUUID := canonicalUUID(ident); !isUUID {
		switch {
		case !r.since(5):
			return ingot.Node{}, errNoNode(ident)
		case !r.validName(ident):
			return ingot.Node{}, ingot.Errorf(ingot.Invalid, "Expected a logical name or UUID but received %s.", ident)
		}
	}
	node, err := r.api.Nodes.Node(r.Context(), ident)
	if ingot.CodeOf(err) == ingot.NotFound && r.suffix {
		node, err = r.api.Nodes.Node(r.Context(), ident+".json")
	}
	if ingot.CodeOf(err) == ingot.NotFound || err == nil && !r.may("node:get", holderOf(&node)) {
		return ingot.Node{}, errNoNode(ident)
	}
	return node, err
}

// renderNode is a node on the wire.
func (r *request) renderNode(n *ingot.Node, shown view[ingot.Node, ingot.NodeQuery]) pairs {
	out := shown.render(n, 1)
	shown.redact(r, out, holderOf(n))
	if n.ProvisionState != "" {
		out.replace("provision_state", r.wireState(n.ProvisionState))
	}
	at := "nodes/" + n.UUID
	shown.link(r, at, out)
	out.set("links", r.links(at))
	return out
}

// wholeNode is all of a node that the client's version knows.
func (r *request) wholeNode(n *ingot.Node) pairs {
	return r.renderNode(n, viewOf(r, r.tables.nodes, nil))
}

// wireState is a state in the words of the client's version.
func (r *request) wireState(s ingot.State) any {
	switch {
	case s == ingot.Available && !r.since(2):
		return nil
	case s == ingot.InspectWait && !r.since(39):
		return ingot.Inspecting
	}
	return s
}

// listNodes is GET /v1/nodes.
func listNodes(r *request) (response, error) { return nodeList(r, false, nil) }

// listNodesDetail is GET /v1/nodes/detail, which old clients use.
func listNodesDetail(r *request) (response, error) { return nodeList(r, true, nil) }

// nodeList answers a page of nodes; narrow, where the list is below another thing, selects what belongs to it.
func nodeList(r *request, detail bool, narrow func(*request, *ingot.NodeQuery) error) (response, error) {
	table := r.tables.nodes
	a := r.args(append(pageArgs(detail), filterNames(table)...)...)
	s := selectionOf(r, a, table)
	if detail {
		s.fields = nil
	}
	var query ingot.NodeQuery
	filterBy(r, a, table, &query)
	if a.err != nil {
		return response{}, a.err
	}
	if query.ChassisUUID != "" && r.api.Chassis != nil {
		if _, err := r.api.Chassis.Get(r.Context(), query.ChassisUUID); ingot.CodeOf(err) == ingot.NotFound {
			return response{}, r.tables.chassis.missing(query.ChassisUUID)
		}
	}
	if narrow != nil {
		if err := narrow(r, &query); err != nil {
			return response{}, err
		}
	}
	var err error
	if query.Project, err = r.scope(query.Project); err != nil {
		return response{}, err
	}
	shown := viewOf(r, table, s.fields)
	query.Page = s.page
	query.Fields = shown.columns("uuid", "owner", "lessee")
	nodes, err := r.api.Nodes.ListNodes(r.Context(), query)
	if ingot.CodeOf(err) == ingot.NotFound {
		return response{}, errNoNode(s.page.Marker)
	}
	if err != nil {
		return response{}, err
	}
	if query.InstanceUUID != "" {
		s.page.Limit = 0 // an instance has one node: there is no next page
	}
	items := listOf(nodes, func(n *ingot.Node) string { return n.UUID }, func(n *ingot.Node) pairs { return r.renderNode(n, shown) })
	return r.collection("nodes", strings.TrimPrefix(r.URL.Path, "/v1/"), items, s.page.Limit), nil
}

// showNode is GET /v1/nodes/{node}.
func showNode(r *request) (response, error) {
	a := r.args("fields")
	fields := fieldsOf(r, a, r.tables.nodes)
	if a.err != nil {
		return response{}, a.err
	}
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	return response{body: r.renderNode(&node, viewOf(r, r.tables.nodes, fields))}, nil
}

// createNode is POST /v1/nodes.
func createNode(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	var node ingot.Node
	if err := fill(r, r.tables.nodes, "node", body, &node); err != nil {
		return response{}, err
	}
	object, _ := body.(map[string]any) // an object, as fill has seen
	if name, given := object["name"].(string); given {
		if err := r.checkName(name, "Cannot create node with invalid name '"+name+"'"); err != nil {
			return response{}, err
		}
	}
	if node.UUID == "" {
		node.UUID = newUUID()
	}
	r.about = node.UUID
	node.ProvisionState = ingot.Enroll
	if !r.since(11) {
		node.ProvisionState = ingot.Available
	}
	if err := r.keepOwn(&node); err != nil {
		return response{}, err
	}
	if err := r.prepare(&node); err != nil {
		return response{}, err
	}
	if node.Driver == ingot.GuestDriver {
		err = r.createGuest(&node)
	} else {
		err = r.api.Nodes.CreateNode(r.Context(), &node, nil, nodeEvent("created", &node))
	}
	if err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: r.wholeNode(&node), location: "nodes/" + node.UUID}, nil
}

// keepOwn gives a node that a project's admin creates to that project (Ironic: self_owned_node).
func (r *request) keepOwn(node *ingot.Node) error {
	project := r.who.Project
	if r.who.System {
		return nil
	}
	if node.Owner != "" && node.Owner != project {
		return ingot.Errorf(ingot.Invalid, "Cannot create a node as a project scoped admin with an owner other than your own project.")
	}
	node.Owner = project
	return nil
}

// errForeign refuses to tie a thing to a node of another owner (Ironic: authorize_node_link).
func errForeign(field, node string) error {
	return ingot.Errorf(ingot.Invalid, "Unable to apply the requested %s '%s'. Requested value was invalid.", field, node)
}

// prepare completes a new node: its interfaces and its parent.
func (r *request) prepare(node *ingot.Node) error {
	types, err := r.hardware(node)
	if err != nil {
		return err
	}
	if err := settle(node, types); err != nil {
		return err
	}
	if node.Driver == ingot.GuestDriver {
		switch {
		case !r.api.computes():
			return ingot.Errorf(ingot.Unsupported, "This service has no compute hosts for nodes with driver %s.", node.Driver)
		case node.ParentNode == "":
			return ingot.Errorf(ingot.Invalid, "A node with driver %s needs parent_node, its compute host; an allocation finds one.", node.Driver)
		}
	}
	return r.adopt(node)
}

// nodeEvent tells listeners what became of a node.
func nodeEvent(what string, n *ingot.Node) ingot.Event {
	return ingot.Event{Type: "node." + what, Node: n.UUID, Data: map[string]any{"name": n.Name, "driver": n.Driver}}
}

// reservedNames are the words below /v1/nodes that are not nodes.
func reservedNames() []string {
	return []string{"maintenance", "management", "states", "vendor_passthru", "detail", "validate"}
}

// checkName refuses names that could not be told from something else in a path.
func (r *request) checkName(name, complaint string) error {
	if !r.since(5) {
		return errNotAcceptable()
	}
	if _, isUUID := canonicalUUID(name); isUUID || !r.validName(name) {
		return ingot.Errorf(ingot.Invalid, "%s", complaint)
	}
	if contains(reservedNames(), name) {
		return ingot.Errorf(ingot.Invalid, `The word "%s" is reserved and can not be used as a node name. Reserved words are: %s.`,
			name, strings.Join(reservedNames(), ", "))
	}
	return nil
}

// deleteNode is DELETE /v1/nodes/{node}.
func deleteNode(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	if err := deletable(&node); err != nil {
		return response{}, err
	}
	version := node.Version
	if node.IsGuest() && r.api.computes() {
		if err := r.api.Compute.RemoveGuest(r.Context(), node); err != nil {
			return response{}, err
		}
		version = 0 // its machine is gone, which may be seen and noted before this is
	}
	if err := r.api.Nodes.DeleteNode(r.Context(), node.UUID, version, nodeEvent("deleted", &node)); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}

// deletable applies Ironic's rules (its destroy_node): maintenance allows what is otherwise refused.
func deletable(n *ingot.Node) error {
	state := n.ProvisionState
	switch {
	case n.Reservation != "":
		return errLocked(n)
	case !n.Maintenance && n.InstanceUUID != "":
		return ingot.Errorf(ingot.Conflict, "Node %s is associated with instance %s.", n.UUID, n.InstanceUUID)
	case n.Protected:
		return errProtected(n)
	case n.Maintenance, state == ingot.Manageable, state == ingot.Enroll, state == ingot.AdoptFailed, state == ingot.Available:
		return nil
	}
	return ingot.Errorf(ingot.Conflict, `Can not delete node "%s" while it is in provision state "%s". Valid provision states to `+
		`perform deletion are: "('manageable', 'enroll', 'adopt failed', 'available')", or set the node into maintenance mode`, n.UUID, state)
}

func errProtected(n *ingot.Node) error {
	return ingot.Errorf(ingot.Forbidden, "Node %s is protected and cannot be undeployed, rebuilt or deleted", n.UUID)
}

func errLocked(n *ingot.Node) error {
	return ingot.Errorf(ingot.Locked, "Node %s is locked by host %s, please retry after the current operation is completed.", n.UUID, cmp.Or(n.Reservation, n.Conductor))
}
