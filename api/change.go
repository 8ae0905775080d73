package api

import "github.com/ingot-metal/ingot"

// change applies a change to the node as it is in the store, unless somebody holds it. The change may be called more
// than once, each time with a fresh node.
func (r *request) change(uuid string, wake bool, apply func(*ingot.Node) error) (ingot.Node, error) {
	var refused error
	node, err := r.api.Nodes.ChangeNode(r.Context(), ingot.NodeChange{
		UUID:   uuid,
		Wake:   wake,
		Events: []ingot.Event{{Type: "node.updated", Node: uuid}},
		Change: func(n *ingot.Node) error {
			if refused = apply(n); refused == nil && n.Reservation != "" {
				refused = errLocked(n)
			}
			return refused
		},
	})
	switch {
	case refused != nil:
		return node, refused // without what the store may have put around it
	case ingot.CodeOf(err) == ingot.NotFound:
		return node, errNoNode(uuid)
	}
	return node, err
}

// setMaintenance is PUT /v1/nodes/{node}/maintenance.
func setMaintenance(r *request) (response, error) {
	a := r.args("reason")
	reason := a.text("reason")
	if a.err != nil {
		return response{}, a.err
	}
	return maintain(r, true, reason)
}

// clearMaintenance is DELETE /v1/nodes/{node}/maintenance. It takes the fault away too: the operator has judged.
func clearMaintenance(r *request) (response, error) { return maintain(r, false, "") }

func maintain(r *request, on bool, reason string) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	_, err = r.change(node.UUID, true, func(n *ingot.Node) error {
		n.Maintenance, n.MaintenanceReason = on, reason
		if !on {
			n.Fault = ""
		}
		return nil
	})
	if err != nil {
		return response{}, err
	}
	return response{status: 202}, nil
}
