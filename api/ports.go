package api

import (
	"context"
	"net/http"
	"regexp"
	"slices"

	"github.com/ingot-metal/ingot"
)

// PortStore is what the ports' handlers need of the store.
type PortStore interface {
	// Port finds a port by UUID, MAC address or name; NotFound when there is none.
	Port(ctx context.Context, ident string) (ingot.Port, error)
	ListPorts(ctx context.Context, query ingot.PortQuery) ([]ingot.Port, error)
	// CreatePort is Conflict when another port has the UUID, address or name; the sentence names the node it belongs to.
	CreatePort(ctx context.Context, port *ingot.Port, events ...ingot.Event) error
	// ChangePort gives the port as it is after the change, which runs in the transaction; version 0 takes any.
	ChangePort(ctx context.Context, uuid string, version int64, change func(*ingot.Port) error, events ...ingot.Event) (ingot.Port, error)
	DeletePort(ctx context.Context, uuid string, version int64, events ...ingot.Event) error
}

// datapathPattern is an OpenFlow datapath ID in lower case.
var datapathPattern = regexp.MustCompile(`^(0x)?[0-9a-f]{16}$`)

func (r *request) port() (ingot.Port, error) {
	ident, err := r.ident("port", "port")
	if err != nil {
		return ingot.Port{}, err
	}
	missing := ingot.Errorf(ingot.NotFound, "Port %s could not be found.", ident)
	if _, isUUID := canonicalUUID(ident); !isUUID && !r.since(88) {
		return ingot.Port{}, missing
	}
	port, err := r.api.Ports.Port(r.Context(), ident)
	if ingot.CodeOf(err) == ingot.NotFound {
		return port, missing
	}
	return port, err
}

func (r *request) renderPort(p *ingot.Port, selected []string) map[string]any {
	out := render(r, r.tables.ports, p, selected)
	out["links"] = r.links("ports/" + p.UUID)
	return out
}

// listPorts is GET /v1/ports.
func listPorts(r *request) (response, error) { return portList(r, "ports", false) }

// listPortsDetail is GET /v1/ports/detail, which old clients use.
func listPortsDetail(r *request) (response, error) { return portList(r, "ports/detail", true) }

// listNodePorts is GET /v1/nodes/{node}/ports.
func listNodePorts(r *request) (response, error) { return portList(r, "ports", false) }

// listNodePortsDetail is GET /v1/nodes/{node}/ports/detail.
func listNodePortsDetail(r *request) (response, error) { return portList(r, "ports/detail", true) }

func portList(r *request, path string, detail bool) (response, error) {
	table := r.tables.ports
	a := r.args(slices.Concat(pageArgs(), filterNames(table), []string{"node", "node_uuid", "portgroup", "shard", "conductor_groups"})...)
	s := selectionOf(r, a, table)
	if detail {
		s.fields = nil
	}
	query := ingot.PortQuery{Page: s.page}
	filterBy(r, a, table, &query)
	named := a.ident("node")
	if byUUID := a.uuid("node_uuid"); byUUID != "" {
		named = byUUID
	}
	if a.has("portgroup") {
		a.fail(ingot.Errorf(ingot.NotFound, "Portgroup %s could not be found.", a.text("portgroup")))
	}
	if a.has("shard") || a.has("conductor_groups") {
		a.fail(ingot.Errorf(ingot.Unsupported, "cannot list ports by shard or conductor_groups here: list the nodes by them, and then their ports"))
	}
	if a.err != nil {
		return response{}, a.err
	}
	if err := r.portsOf(named, &query, &path); err != nil {
		return response{}, err
	}
	ports, err := r.api.Ports.ListPorts(r.Context(), query)
	if err != nil {
		return response{}, err
	}
	items := make([]map[string]any, len(ports))
	last := ""
	for i := range ports {
		items[i], last = r.renderPort(&ports[i], s.fields), ports[i].UUID
	}
	return r.collection("ports", path, items, s.page.Limit, last), nil
}

// portsOf narrows the query to the ports of the node in the path or, if there is none, the one that is named.
func (r *request) portsOf(named string, query *ingot.PortQuery, path *string) error {
	var node ingot.Node
	var err error
	switch {
	case r.param("node") != "":
		node, err = r.node()
		*path = "nodes/" + r.param("node") + "/" + *path
	case named != "":
		if _, isUUID := canonicalUUID(named); !isUUID && !r.since(5) {
			return errNotAcceptable()
		}
		node, err = r.nodeNamed(named)
	}
	query.NodeUUID = node.UUID
	return err
}

// showPort is GET /v1/ports/{port}.
func showPort(r *request) (response, error) {
	a := r.args("fields")
	fields := fieldsOf(r, a, r.tables.ports)
	if a.err != nil {
		return response{}, a.err
	}
	port, err := r.port()
	if err != nil {
		return response{}, err
	}
	return response{body: r.renderPort(&port, fields)}, nil
}

// createPort is POST /v1/ports.
func createPort(r *request) (response, error) {
	body, err := r.json()
	if err != nil {
		return response{}, err
	}
	owner, err := r.takeOwner(body)
	if err != nil {
		return response{}, err
	}
	port := ingot.Port{PXEEnabled: true}
	if err := fill(r, r.tables.ports, "port", body, &port); err != nil {
		return response{}, err
	}
	node, err := r.nodeNamed(owner)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.Invalid, "%w", err)
	}
	if err != nil {
		return response{}, err
	}
	port.NodeUUID = node.UUID
	if port.UUID == "" {
		port.UUID = newUUID()
	}
	if err := r.api.Ports.CreatePort(r.Context(), &port, portEvent("created", &port)); err != nil {
		return response{}, err
	}
	return response{status: http.StatusCreated, body: r.renderPort(&port, nil), location: "ports/" + port.UUID}, nil
}

// takeOwner reads whose port it is to be: node_uuid, or since 1.94 node_ident, which it takes out of the body.
func (r *request) takeOwner(body any) (string, error) {
	object, ok := body.(map[string]any)
	if !ok {
		return "", nil // fill says what is wrong
	}
	owner, byUUID := object["node_uuid"]
	ident, byIdent := object["node_ident"]
	if byIdent {
		delete(object, "node_ident")
		owner = ident
	}
	name, isText := owner.(string)
	switch {
	case object["address"] == nil:
		return "", nil
	case byIdent == byUUID:
		return "", schemaError("port", "%s is not valid under any of the given schemas: exactly one of 'node_uuid' and 'node_ident' is required", repr(object))
	case !isText:
		return "", schemaError("port", "%s is not of type 'string'", repr(owner))
	case byIdent && !r.since(94):
		return "", errNotAcceptable()
	}
	if id, ok := canonicalUUID(name); ok {
		return id, nil
	}
	return name, nil
}

func portEvent(what string, p *ingot.Port) ingot.Event {
	return ingot.Event{Type: "port." + what, Node: p.NodeUUID, Data: map[string]any{"port": p.UUID, "address": p.Address}}
}

// deletePort is DELETE /v1/ports/{port}.
func deletePort(r *request) (response, error) {
	port, err := r.port()
	if err != nil {
		return response{}, err
	}
	node, err := r.nodeNamed(port.NodeUUID)
	if err != nil {
		return response{}, err
	}
	if node.Reservation != "" {
		return response{}, errLocked(&node)
	}
	if err := r.api.Ports.DeletePort(r.Context(), port.UUID, port.Version, portEvent("deleted", &port)); err != nil {
		return response{}, err
	}
	return response{status: http.StatusNoContent}, nil
}
