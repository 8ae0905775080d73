-- +goose Up
CREATE TABLE chassis (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid        TEXT NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	description TEXT NOT NULL DEFAULT '',
	extra       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BLOB
);
-- Nodes could not name a chassis before: what is there is the default.
CREATE INDEX nodes_chassis ON nodes (chassis_uuid) WHERE chassis_uuid <> '';

-- +goose Down
DROP INDEX nodes_chassis;
DROP TABLE chassis;
