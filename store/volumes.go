package store

import (
	"context"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// VolumeConnectors are the store's volume connectors.
func (s *Store) VolumeConnectors() *Records[ingot.VolumeConnector, ingot.VolumeQuery] {
	return &Records[ingot.VolumeConnector, ingot.VolumeQuery]{s, s.tables.connectors}
}

// VolumeTargets are the store's volume targets.
func (s *Store) VolumeTargets() *Records[ingot.VolumeTarget, ingot.VolumeQuery] {
	return &Records[ingot.VolumeTarget, ingot.VolumeQuery]{s, s.tables.targets}
}

func matchVolumes(_ dialect, w *where, q *ingot.VolumeQuery) {
	w.text("node_uuid", q.NodeUUID)
	w.ofProject(q.Project)
}

func connectorKind() *kind[ingot.VolumeConnector, ingot.VolumeQuery] {
	type c = ingot.VolumeConnector
	return &kind[c, ingot.VolumeQuery]{
		noun:  "Volume connector",
		head:  func(v *c) head { return head{&v.UUID, &v.Version, &v.CreatedAt, &v.UpdatedAt} },
		page:  func(q *ingot.VolumeQuery) ingot.Page { return q.Page },
		match: matchVolumes,
		node:  func(v *c) string { return v.NodeUUID },
		judge: func(t *tx, v, was *c) error { return t.sameNode(v.NodeUUID, was.NodeUUID) },
		unique: []unique[c]{
			sole("uuid", func(v *c) string { return v.UUID }, "A volume connector with UUID %s already exists.", nil),
			{
				where:  "type = ? AND connector_id = ?",
				values: func(v *c) []any { return []any{v.Type, v.ConnectorID} },
				sentence: func(v, other *c) string {
					return fmt.Sprintf("A volume connector with type %s and connector ID %s already exists. It is volume connector %s of node %s.",
						v.Type, v.ConnectorID, other.UUID, other.NodeUUID)
				},
			},
		},
		table: &table[c]{
			name: "volume_connectors",
			uuid: func(v *c) string { return v.UUID },
			columns: []column[c]{
				{name: "uuid", place: func(v *c) field { return (*text)(&v.UUID) }, once: true, sort: own},
				{name: "version", place: func(v *c) field { return (*number)(&v.Version) }, quiet: true},
				{name: "node_uuid", place: func(v *c) field { return (*text)(&v.NodeUUID) }, sort: own},
				{name: "type", place: func(v *c) field { return (*text)(&v.Type) }, sort: own},
				{name: "connector_id", place: func(v *c) field { return (*text)(&v.ConnectorID) }, sort: own},
				{name: "extra", place: func(v *c) field { return document{&v.Extra, false} }},
				{name: "created_at", place: func(v *c) field { return (*moment)(&v.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(v *c) field { return (*moment)(&v.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}

func targetKind() *kind[ingot.VolumeTarget, ingot.VolumeQuery] {
	type v = ingot.VolumeTarget
	return &kind[v, ingot.VolumeQuery]{
		noun:  "Volume target",
		head:  func(t *v) head { return head{&t.UUID, &t.Version, &t.CreatedAt, &t.UpdatedAt} },
		page:  func(q *ingot.VolumeQuery) ingot.Page { return q.Page },
		match: matchVolumes,
		node:  func(t *v) string { return t.NodeUUID },
		judge: func(t *tx, now, was *v) error { return t.sameNode(now.NodeUUID, was.NodeUUID) },
		unique: []unique[v]{
			sole("uuid", func(t *v) string { return t.UUID }, "A volume target with UUID %s already exists.", nil),
			{
				where:  "node_uuid = ? AND boot_index = ?",
				values: func(t *v) []any { return []any{t.NodeUUID, t.BootIndex} },
				sentence: func(t, other *v) string {
					return fmt.Sprintf("A volume target with boot index '%d' for the same node already exists. It is volume target %s.", t.BootIndex, other.UUID)
				},
			},
		},
		table: &table[v]{
			name: "volume_targets",
			uuid: func(t *v) string { return t.UUID },
			columns: []column[v]{
				{name: "uuid", place: func(t *v) field { return (*text)(&t.UUID) }, once: true, sort: own},
				{name: "version", place: func(t *v) field { return (*number)(&t.Version) }, quiet: true},
				{name: "node_uuid", place: func(t *v) field { return (*text)(&t.NodeUUID) }, sort: own},
				{name: "volume_type", place: func(t *v) field { return (*text)(&t.VolumeType) }, sort: own},
				{name: "volume_id", place: func(t *v) field { return (*text)(&t.VolumeID) }, sort: own},
				{name: "boot_index", place: func(t *v) field { return (*whole)(&t.BootIndex) }, sort: own},
				{name: "properties", place: func(t *v) field { return document{&t.Properties, true} }},
				{name: "extra", place: func(t *v) field { return document{&t.Extra, false} }},
				{name: "created_at", place: func(t *v) field { return (*moment)(&t.CreatedAt) }, once: true, sort: own},
				{name: "updated_at", place: func(t *v) field { return (*moment)(&t.UpdatedAt) }, quiet: true, sort: own},
			},
		},
	}
}

// Shards gives the shards that nodes are in, those with the most nodes first.
func (s *Store) Shards(ctx context.Context) ([]ingot.Shard, error) {
	rows, err := s.read(ctx).rows("SELECT shard, count(*) AS nodes FROM nodes GROUP BY shard ORDER BY nodes DESC, shard")
	if err != nil {
		return nil, s.sentence(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var shards []ingot.Shard
	for rows.Next() {
		var shard ingot.Shard
		if err := rows.Scan(&shard.Name, &shard.Count); err != nil {
			return nil, err
		}
		shards = append(shards, shard)
	}
	return shards, s.sentence(rows.Err())
}
