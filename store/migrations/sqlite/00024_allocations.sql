-- +goose Up
CREATE TABLE allocations (
	id              INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid            TEXT NOT NULL UNIQUE,
	version         BIGINT NOT NULL,
	name            TEXT NOT NULL DEFAULT '',
	owner           TEXT NOT NULL DEFAULT '',
	resource_class  TEXT NOT NULL DEFAULT '',
	candidate_nodes TEXT,
	traits          TEXT,
	extra           TEXT,
	node_uuid       TEXT NOT NULL DEFAULT '',
	state           TEXT NOT NULL DEFAULT '',
	last_error      TEXT NOT NULL DEFAULT '',
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BLOB
);
CREATE UNIQUE INDEX allocations_name ON allocations (name) WHERE name <> '';
CREATE INDEX allocations_node ON allocations (node_uuid) WHERE node_uuid <> '';
CREATE INDEX allocations_state ON allocations (state);

-- +goose Down
DROP TABLE allocations;
