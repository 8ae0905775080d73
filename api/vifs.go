package api

import (
	"context"
	"net/http"

	"github.com/ingot-metal/ingot"
)

// VIFStore is what the virtual interfaces' handlers need of the store.
type VIFStore interface {
	// ChangeNodePorts changes a node's ports and port groups together, one change at a time for each node. The change may
	// run more than once.
	ChangeNodePorts(ctx context.Context, node string, change func(*ingot.Node, []ingot.Port, []ingot.Portgroup) error, events ...ingot.Event) error
}

// listVIFs is GET /v1/nodes/{node}/vifs: the virtual interfaces that are attached to the node's ports and port groups.
// With the noop network nothing is attached.
func listVIFs(r *request) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	items := []map[string]any{}
	add := func(internal map[string]any) {
		if id := ingot.Text(internal, ingot.VIFKey); id != "" && node.Interfaces.Network != noopNetwork {
			items = append(items, map[string]any{"id": id})
		}
	}
	all := ingot.Page{Limit: -1}
	ports, err := r.api.Ports.List(r.Context(), ingot.PortQuery{NodeUUID: node.UUID, Page: all})
	if err != nil {
		return response{}, err
	}
	for i := range ports {
		add(ports[i].Internal)
	}
	groups, err := r.api.Portgroups.List(r.Context(), ingot.PortgroupQuery{NodeUUID: node.UUID, Page: all})
	if err != nil {
		return response{}, err
	}
	for i := range groups {
		add(groups[i].Internal)
	}
	return response{body: map[string]any{"vifs": items}}, nil
}

// attachVIF is POST /v1/nodes/{node}/vifs.
func attachVIF(r *request) (response, error) {
	want, err := vifWanted(r)
	if err != nil {
		return response{}, err
	}
	return r.changeVIFs("attached", want.id, want.attach)
}

// detachVIF is DELETE /v1/nodes/{node}/vifs/{vif}.
func detachVIF(r *request) (response, error) {
	id, err := r.ident("vif", "vif_id")
	if err != nil {
		return response{}, err
	}
	return r.changeVIFs("detached", id, func(n *ingot.Node, ports []ingot.Port, groups []ingot.Portgroup) error {
		for i := range ports {
			if ingot.Text(ports[i].Internal, ingot.VIFKey) == id {
				ports[i].Internal = ingot.WithVIF(ports[i].Internal, "")
				return nil
			}
		}
		for i := range groups {
			if ingot.Text(groups[i].Internal, ingot.VIFKey) == id {
				groups[i].Internal = ingot.WithVIF(groups[i].Internal, "")
				return nil
			}
		}
		return ingot.Errorf(ingot.Invalid, "Unable to detach VIF %s from node %s because it is not attached to it.", id, n.UUID)
	})
}

// changeVIFs changes what is attached to the node, unless somebody holds it. The noop network has nothing to do for it.
func (r *request) changeVIFs(what, id string, change func(*ingot.Node, []ingot.Port, []ingot.Portgroup) error) (response, error) {
	node, err := r.node()
	if err != nil {
		return response{}, err
	}
	event := ingot.Event{Type: "vif." + what, Node: node.UUID, Data: map[string]any{"vif": id}}
	if node.Interfaces.Network == noopNetwork {
		return response{status: http.StatusNoContent}, free(&node)
	}
	err = r.api.VIFs.ChangeNodePorts(r.Context(), node.UUID, func(n *ingot.Node, ports []ingot.Port, groups []ingot.Portgroup) error {
		if err := free(n); err != nil {
			return err
		}
		return change(n, ports, groups)
	}, event)
	return response{status: http.StatusNoContent}, err
}
