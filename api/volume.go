package api

import (
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// What Ingot's storage interface does is noop: connectors and targets are kept for those who attach the volumes, as
// Ironic with noop keeps them.
const (
	storageReader = "clients: who attaches the volume (Ironic with the noop storage interface keeps it likewise)"
	bootReader    = "store: one volume of a node for each place in the boot order"
)

type (
	connectorField = field[ingot.VolumeConnector, ingot.VolumeQuery]
	targetField    = field[ingot.VolumeTarget, ingot.VolumeQuery]
)

// connectorFields is all that the wire knows of volume connectors: Ironic's CONNECTOR_SCHEMA.
func connectorFields() []connectorField {
	type c = ingot.VolumeConnector
	return []connectorField{
		{name: "uuid", brief: true, column: id(func(v *c) *string { return &v.UUID }), create: true, readBy: "store: the key"},
		{name: "node_uuid", brief: true, column: id(func(v *c) *string { return &v.NodeUUID }), create: true, patch: true, required: true, readBy: "store: whose connector it is"},
		{name: "type", brief: true, column: text(func(v *c) *string { return &v.Type }), create: true, patch: true, required: true, max: 32, readBy: storageReader},
		{name: "connector_id", brief: true, column: text(func(v *c) *string { return &v.ConnectorID }), create: true, patch: true, required: true, max: 255, readBy: storageReader},
		{name: "extra", column: object(func(v *c) *map[string]any { return &v.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "created_at", column: moment(func(v *c) *time.Time { return &v.CreatedAt })},
		{name: "updated_at", column: moment(func(v *c) *time.Time { return &v.UpdatedAt })},
	}
}

// targetFields is all that the wire knows of volume targets: Ironic's TARGET_SCHEMA.
func targetFields() []targetField {
	type v = ingot.VolumeTarget
	return []targetField{
		{name: "uuid", brief: true, column: id(func(t *v) *string { return &t.UUID }), create: true, readBy: "store: the key"},
		{name: "node_uuid", brief: true, column: id(func(t *v) *string { return &t.NodeUUID }), create: true, patch: true, required: true, readBy: "store: whose volume it is"},
		{name: "volume_type", brief: true, column: text(func(t *v) *string { return &t.VolumeType }), create: true, patch: true, required: true, max: 64, readBy: storageReader},
		{name: "volume_id", brief: true, column: text(func(t *v) *string { return &t.VolumeID }), create: true, patch: true, required: true, max: 255, readBy: storageReader},
		{name: "boot_index", brief: true, column: integer(func(t *v) *int { return &t.BootIndex }), create: true, patch: true, required: true, readBy: bootReader},
		{name: "properties", column: sealed(func(t *v) *map[string]any { return &t.Properties }), create: true, patch: true, secret: maskSecrets, see: "volume:view_target_properties", readBy: storageReader},
		{name: "extra", column: object(func(t *v) *map[string]any { return &t.Extra }), create: true, patch: true, readBy: "clients: notes of their own"},
		{name: "created_at", column: moment(func(t *v) *time.Time { return &t.CreatedAt })},
		{name: "updated_at", column: moment(func(t *v) *time.Time { return &t.UpdatedAt })},
	}
}

func connectorResource() *resource[ingot.VolumeConnector, ingot.VolumeQuery] {
	type c = ingot.VolumeConnector
	s := volumes("connector", connectorFields(), func(v *c) *string { return &v.NodeUUID })
	s.store = func(a *API) Records[c, ingot.VolumeQuery] { return a.VolumeConnectors }
	s.uuid = func(v *c) string { return v.UUID }
	s.version = func(v *c) int64 { return v.Version }
	s.tell = func(v *c) (string, map[string]any) {
		return v.NodeUUID, map[string]any{"connector": v.UUID, "type": v.Type, "connector_id": v.ConnectorID}
	}
	return s
}

func targetResource() *resource[ingot.VolumeTarget, ingot.VolumeQuery] {
	type v = ingot.VolumeTarget
	s := volumes("target", targetFields(), func(t *v) *string { return &t.NodeUUID })
	s.store = func(a *API) Records[v, ingot.VolumeQuery] { return a.VolumeTargets }
	s.uuid = func(t *v) string { return t.UUID }
	s.version = func(t *v) int64 { return t.Version }
	s.tell = func(t *v) (string, map[string]any) {
		return t.NodeUUID, map[string]any{"target": t.UUID, "volume_type": t.VolumeType, "volume_id": t.VolumeID}
	}
	return s
}

// volumes is what connectors and targets have in common: both belong to a node, and change while it is off.
func volumes[T any](name string, fields []field[T, ingot.VolumeQuery], node func(*T) *string) *resource[T, ingot.VolumeQuery] {
	s := &resource[T, ingot.VolumeQuery]{
		name: name, noun: "Volume " + name, path: "volume/" + name + "s", list: name + "s", topic: "volume_" + name,
		since: 32, noDetail: true, detail: 32, rule: "volume", fields: fields,
		node:    func(t *T) string { return *node(t) },
		project: func(q *ingot.VolumeQuery) *string { return &q.Project },
		page:    func(q *ingot.VolumeQuery) *ingot.Page { return &q.Page },
		params:  []string{"node"},
		narrow:  func(r *request, a *args, q *ingot.VolumeQuery) error { return r.nodeFilter(a, &q.NodeUUID) },
	}
	s.take = func(r *request, body any, t *T) error {
		if err := s.fill(r, body, t); err != nil {
			return err
		}
		_, err := r.nodeNamed(*node(t))
		if ingot.CodeOf(err) == ingot.NotFound {
			err = ingot.Errorf(ingot.Invalid, "Invalid input for field/attribute node_uuid. Value: '%s'. ", *node(t))
		}
		return err
	}
	s.judge = func(r *request, t *T, ops []patchOp) (func(before, after *T) error, error) {
		preview := *t
		if err := applyPatch(fields, &preview, ops); err != nil {
			return nil, err
		}
		owner, err := r.ownerNamed(*node(&preview))
		if err != nil {
			return nil, err
		}
		return func(*T, *T) error {
			return switchedOff(&owner, "volume "+name+" update", owner.PowerState == ingot.PowerOff)
		}, nil
	}
	s.deletable = func(r *request, t *T) error {
		owner, err := r.nodeNamed(*node(t))
		if err != nil {
			return err
		}
		unused := slices.Contains([]ingot.State{ingot.Manageable, ingot.Enroll, ingot.AdoptFailed}, owner.ProvisionState)
		return switchedOff(&owner, "volume "+name+" deletion", unused || owner.PowerState == ingot.PowerOff)
	}
	return s
}

// switchedOff refuses to change a volume under a machine that may be using it, or while somebody holds its node.
func switchedOff(n *ingot.Node, action string, off bool) error {
	if err := free(n); err != nil || off {
		return err
	}
	state := string(n.PowerState)
	if state == "" {
		state = "None"
	}
	return ingot.Errorf(ingot.Invalid, `The requested action "%s" can not be performed on node "%s" while it is in state "%s".`, action, n.UUID, state)
}

// volumeRoutes are the volume connectors and targets, and the lists of those of a node.
func (a *API) volumeRoutes(t *tables) []route {
	if a.VolumeConnectors == nil || a.VolumeTargets == nil {
		return nil
	}
	of := ofNode(func(q *ingot.VolumeQuery) *string { return &q.NodeUUID })
	return slices.Concat(
		[]route{{"GET", "/volume", 32, "volume:list", showVolume}, {"GET", "/nodes/{node}/volume", 32, "volume:get", showNodeVolume}},
		t.connectors.routes(a), t.connectors.below(a, "/nodes/{node}/volume/connectors", 32, of),
		t.targets.routes(a), t.targets.below(a, "/nodes/{node}/volume/targets", 32, of),
	)
}

// showVolume is GET /v1/volume: where its parts are, as discovery says where resources are.
func showVolume(r *request) (response, error) {
	if err := r.bare(); err != nil {
		return response{}, err
	}
	if _, err := r.scope(""); err != nil {
		return response{}, err
	}
	return volumeLinks(r, "volume/"), nil
}

// showNodeVolume is GET /v1/nodes/{node}/volume.
func showNodeVolume(r *request) (response, error) {
	if _, err := r.node(); err != nil {
		return response{}, err
	}
	return volumeLinks(r, "nodes/"+r.param("node")+"/volume/"), nil
}

func volumeLinks(r *request, at string) response {
	return response{body: map[string]any{"links": r.links(at), "connectors": r.links(at + "connectors"), "targets": r.links(at + "targets")}}
}
