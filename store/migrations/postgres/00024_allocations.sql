-- +goose Up
CREATE TABLE allocations (
	id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid            TEXT COLLATE "C" NOT NULL UNIQUE,
	version         BIGINT NOT NULL,
	name            TEXT COLLATE "C" NOT NULL DEFAULT '',
	owner           TEXT COLLATE "C" NOT NULL DEFAULT '',
	resource_class  TEXT COLLATE "C" NOT NULL DEFAULT '',
	candidate_nodes TEXT,
	traits          TEXT,
	extra           TEXT,
	node_uuid       TEXT COLLATE "C" NOT NULL DEFAULT '',
	state           TEXT COLLATE "C" NOT NULL DEFAULT '',
	last_error      TEXT COLLATE "C" NOT NULL DEFAULT '',
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BYTEA
);
CREATE UNIQUE INDEX allocations_name ON allocations (name) WHERE name <> '';
CREATE INDEX allocations_node ON allocations (node_uuid) WHERE node_uuid <> '';
CREATE INDEX allocations_state ON allocations (state);

-- +goose Down
DROP TABLE allocations;
