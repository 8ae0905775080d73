package api

import "github.com/ingot-metal/ingot"

// adopt checks that a node's parent is there, and names it by its UUID.
func (r *request) adopt(node *ingot.Node) error {
	if node.ParentNode == "" {
		return nil
	}
	parent, err := r.nodeNamed(node.ParentNode)
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return r.noParent(node, err)
	case err != nil:
		return err
	case parent.UUID == node.UUID:
		return ingot.Errorf(ingot.Invalid, "cannot make node %s its own parent", node.UUID)
	case parent.Owner != node.Owner:
		return errForeign("parent_node", node.ParentNode)
	case parent.ParentNode != "":
		return ingot.Errorf(ingot.Invalid, "Node %s can not be a parent: it is a child of node %s.", parent.UUID, parent.ParentNode)
	}
	children, err := r.api.Nodes.ListNodes(r.Context(), ingot.NodeQuery{ParentNode: node.UUID, Page: ingot.Page{Limit: 1}})
	if err != nil {
		return err
	}
	if len(children) > 0 {
		return ingot.Errorf(ingot.Invalid, "Node %s can not be a child: it is the parent of %s.", node.UUID, children[0].Label())
	}
	node.ParentNode = parent.UUID
	return nil
}

// noParent refuses a parent that is not there; of a guest, it names those that could be meant.
func (r *request) noParent(node *ingot.Node, missing error) error {
	if node.Driver != ingot.GuestDriver || !r.api.computes() {
		return ingot.Errorf(ingot.Invalid, "%w", missing)
	}
	known, err := r.computeHosts()
	if err != nil {
		return err
	}
	return ingot.Errorf(ingot.Invalid, "%w The compute hosts are: %s.", missing, known)
}
