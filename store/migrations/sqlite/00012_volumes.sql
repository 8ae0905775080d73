-- +goose Up
CREATE TABLE volume_connectors (
	id           INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid         TEXT NOT NULL UNIQUE,
	version      BIGINT NOT NULL,
	node_uuid    TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	type         TEXT NOT NULL,
	connector_id TEXT NOT NULL,
	extra        TEXT,
	created_at   BIGINT NOT NULL,
	updated_at   BIGINT NOT NULL DEFAULT 0,
	secrets      BLOB,
	UNIQUE (type, connector_id)
);
CREATE INDEX volume_connectors_node ON volume_connectors (node_uuid);

CREATE TABLE volume_targets (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid        TEXT NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	node_uuid   TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	volume_type TEXT NOT NULL,
	volume_id   TEXT NOT NULL,
	boot_index  BIGINT NOT NULL,
	properties  TEXT,
	extra       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BLOB,
	UNIQUE (node_uuid, boot_index)
);
CREATE INDEX nodes_shard ON nodes (shard) WHERE shard <> '';

-- +goose Down
DROP INDEX nodes_shard;
DROP TABLE volume_targets;
DROP TABLE volume_connectors;
