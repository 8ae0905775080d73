-- +goose Up
CREATE TABLE chassis (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid        TEXT COLLATE "C" NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	description TEXT COLLATE "C" NOT NULL DEFAULT '',
	extra       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BYTEA
);
-- Nodes could not name a chassis before: what is there is the default.
CREATE INDEX nodes_chassis ON nodes (chassis_uuid) WHERE chassis_uuid <> '';

-- +goose Down
DROP INDEX nodes_chassis;
DROP TABLE chassis;
