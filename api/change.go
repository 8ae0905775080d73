package api

import (
	"time"

	"github.com/ingot-metal/ingot"
)

// A change waits for a node that is held, as Ironic does, before it is refused: a pass of the conductor is short.
const (
	lockTries = 3
	lockPause = time.Second
)

// change applies a change to the node as it is in the store, unless somebody holds it. The change may be called more
// than once, each time with a fresh node.
func (r *request) change(uuid string, wake bool, apply func(*ingot.Node) error) (node ingot.Node, err error) {
	err = r.patiently(func() error {
		var refused error
		node, err = r.api.Nodes.ChangeNode(r.Context(), ingot.NodeChange{
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
			return refused // without what the store may have put around it
		case ingot.CodeOf(err) == ingot.NotFound:
			return errNoNode(uuid)
		}
		return err
	})
	return node, err
}

// patiently does what needs a node that nobody holds, again while somebody does.
func (r *request) patiently(do func() error) error {
	for try := 0; ; try++ {
		err := do()
		if ingot.CodeOf(err) != ingot.Locked || try == lockTries || !r.api.Clock.wait(r.Context(), lockPause) {
			return err
		}
	}
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
