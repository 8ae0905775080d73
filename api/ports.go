package api

import (
	"regexp"

	"github.com/ingot-metal/ingot"
)

// datapathPattern is an OpenFlow datapath ID in lower case.
var datapathPattern = regexp.MustCompile(`^(0x)?[0-9a-f]{16}$`)

func portResource() *resource[ingot.Port, ingot.PortQuery] {
	type port = ingot.Port
	return &resource[port, ingot.PortQuery]{
		name: "port", noun: "Port", path: "ports", since: 1, named: 88, rule: "port",
		fields:  portFields(),
		store:   func(a *API) Records[port, ingot.PortQuery] { return a.Ports },
		uuid:    func(p *port) string { return p.UUID },
		version: func(p *port) int64 { return p.Version },
		page:    func(q *ingot.PortQuery) *ingot.Page { return &q.Page },
		node:    func(p *port) string { return p.NodeUUID },
		project: func(q *ingot.PortQuery) *string { return &q.Project },
		tell: func(p *port) (string, map[string]any) {
			return p.NodeUUID, map[string]any{"port": p.UUID, "address": p.Address}
		},
		params:    []string{"node", "node_uuid", "portgroup", "shard", "conductor_groups"},
		narrow:    narrowPorts,
		fresh:     func() port { return port{PXEEnabled: true} },
		take:      takePort,
		judge:     judgePort,
		deletable: func(r *request, p *port) error { return r.free(p.NodeUUID) },
	}
}

// portRoutes are the ports, and the lists of those of a node.
func (a *API) portRoutes(t *tables) []route {
	routes := t.ports.routes(a)
	if a.Nodes != nil {
		routes = append(routes, t.ports.below(a, "/nodes/{node}/ports", 1, ofNode(func(q *ingot.PortQuery) *string { return &q.NodeUUID }))...)
	}
	return routes
}

// ofNode selects what belongs to the node in the path.
func ofNode[Q any](at func(*Q) *string) func(*request, *Q) error {
	return func(r *request, q *Q) error {
		node, err := r.node()
		*at(q) = node.UUID
		return err
	}
}

// narrowPorts reads the list parameters that name other things than ports.
func narrowPorts(r *request, a *args, q *ingot.PortQuery) error {
	if a.has("portgroup") {
		return ingot.Errorf(ingot.NotFound, "Portgroup %s could not be found.", a.text("portgroup"))
	}
	if a.has("shard") || a.has("conductor_groups") {
		return ingot.Errorf(ingot.Unsupported, "cannot list ports by shard or conductor_groups here: list the nodes by them, and then their ports")
	}
	return r.nodeFilter(a, &q.NodeUUID)
}

// nodeFilter reads which node's things to list: node, or node_uuid.
func (r *request) nodeFilter(a *args, at *string) error {
	named := a.ident("node")
	if byUUID := a.uuid("node_uuid"); byUUID != "" {
		named = byUUID
	}
	if named == "" || a.err != nil {
		return a.err
	}
	if _, isUUID := canonicalUUID(named); !isUUID && !r.since(5) {
		return errNotAcceptable()
	}
	node, err := r.nodeNamed(named)
	*at = node.UUID
	return err
}

// takePort fills a new port; its node is named by node_uuid or node_ident.
func takePort(r *request, body any, p *ingot.Port) error {
	owner, err := r.takeOwner(body)
	if err != nil {
		return err
	}
	if err := r.tables.ports.fill(r, body, p); err != nil {
		return err
	}
	node, err := r.ownerNamed(owner)
	p.NodeUUID = node.UUID
	return err
}

// ownerNamed finds the node that a body gives a thing to: that there is none is the body's fault.
func (r *request) ownerNamed(ident string) (ingot.Node, error) {
	node, err := r.nodeNamed(ident)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.Invalid, "%w", err)
	}
	return node, err
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

// free refuses what changes a node's things while somebody holds the node.
func (r *request) free(uuid string) error {
	node, err := r.nodeNamed(uuid)
	if err == nil && node.Reservation != "" {
		err = errLocked(&node)
	}
	return err
}
