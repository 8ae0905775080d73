package api

import (
	"slices"

	"github.com/ingot-metal/ingot"
)

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
		params:    []string{"node", "node_uuid", "portgroup"},
		narrow:    narrowPorts,
		exclusive: onePortFilter,
		fresh:     func() port { return port{PXEEnabled: true, ForDynamicGroups: true} },
		take:      takePort,
		judge:     judgePort,
		deletable: deletablePort,
		older:     (*request).hideTunnels,
	}
}

// portRoutes are the ports, and the lists of those of a node.
func (a *API) portRoutes(t *tables) []route {
	return slices.Concat(t.ports.routes(a),
		t.ports.below(a, "/nodes/{node}/ports", 1, ofNode(func(q *ingot.PortQuery) *string { return &q.NodeUUID })),
		t.ports.below(a, "/portgroups/{portgroup}/ports", 24, inPortgroup),
	)
}

// ofNode selects what belongs to the node in the path.
func ofNode[Q any](at func(*Q) *string) func(*request, *Q) error {
	return func(r *request, q *Q) error {
		node, err := r.node()
		*at(q) = node.UUID
		return err
	}
}

// inPortgroup selects the ports of the group in the path.
func inPortgroup(r *request, q *ingot.PortQuery) error {
	g, err := r.tables.portgroups.find(r)
	q.PortgroupUUID = g.UUID
	return err
}

// narrowPorts reads the list parameters that name other things than ports.
func narrowPorts(r *request, a *args, q *ingot.PortQuery) error {
	if named := a.ident("portgroup"); named != "" && a.err == nil {
		if !r.since(24) {
			return errNotAcceptable()
		}
		g, err := r.tables.portgroups.get(r, named)
		if err != nil {
			return err
		}
		q.PortgroupUUID = g.UUID
	}
	return r.nodeFilter(a, &q.NodeUUID)
}

// onePortFilter refuses what Ironic cannot combine.
func onePortFilter(q *ingot.PortQuery) error {
	switch {
	case given(q.NodeUUID != "", q.PortgroupUUID != "", len(q.Shards) > 0) > 1:
		return ingot.Errorf(ingot.Forbidden, "Operation not permitted.")
	case len(q.ConductorGroups) > 0 && given(q.NodeUUID != "", q.PortgroupUUID != "", q.Address != "") > 0:
		return ingot.Errorf(ingot.Invalid, "Filtering by conductor_groups cannot be combined with node_ident, portgroup_ident, or node address filters.")
	}
	return nil
}

// given is how many of the filters were.
func given(filters ...bool) (n int) {
	for _, f := range filters {
		if f {
			n++
		}
	}
	return n
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
	if err := r.linkKnown(p.LocalLinkConnection); err != nil {
		return err
	}
	node, err := r.ownerNamed(owner)
	if err != nil {
		return err
	}
	p.NodeUUID = node.UUID
	if err := r.hasNetwork(&node, p); err != nil {
		return err
	}
	if err := smartNIC(p); err != nil || p.PortgroupUUID == "" {
		return err
	}
	group, err := r.groupNamed(p.PortgroupUUID)
	if err != nil {
		return err
	}
	// As in Ironic, a port that does not say is taken.
	if object, _ := body.(map[string]any); object["pxe_enabled"] != nil && p.PXEEnabled && !group.Standalone {
		return ingot.Errorf(ingot.Conflict, "Port group %s doesn't support standalone ports. This port cannot be created as a member of that portgroup "+
			"as the port's 'pxe_enabled' field was set to True.", group.UUID)
	}
	return nil
}

// groupNamed finds the port group that a body gives a port to.
func (r *request) groupNamed(uuid string) (ingot.Portgroup, error) {
	group, err := r.tables.portgroups.get(r, uuid)
	if ingot.CodeOf(err) == ingot.NotFound {
		err = ingot.Errorf(ingot.Invalid, "%w", err)
	}
	return group, err
}

// smartNIC refuses a smart NIC that does not say where its agent is.
func smartNIC(p *ingot.Port) error {
	_, hasPort := p.LocalLinkConnection["port_id"]
	_, hasHost := p.LocalLinkConnection["hostname"]
	if p.IsSmartNIC && !(hasPort && hasHost) {
		return ingot.Errorf(ingot.Invalid, "Smart NIC port must have port_id and hostname in local_link_connection")
	}
	return nil
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

// deletablePort refuses to delete a port while somebody holds its node, or it carries an instance's traffic.
func deletablePort(r *request, p *ingot.Port) error {
	node, err := r.nodeNamed(p.NodeUUID)
	if err != nil {
		return err
	}
	if vif := ingot.Text(p.Internal, ingot.VIFKey); vif != "" && !node.Maintenance {
		return ingot.Errorf(ingot.Conflict, "Cannot delete the port %s as it is bound to VIF %s for use.", p.UUID, vif)
	}
	return free(&node)
}

// free refuses what changes a node's things while somebody holds the node.
func free(n *ingot.Node) error {
	if n.Reservation != "" {
		return errLocked(n)
	}
	return nil
}
