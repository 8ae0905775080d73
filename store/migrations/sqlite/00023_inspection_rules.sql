-- +goose Up
CREATE TABLE inspection_rules (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid        TEXT NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	description TEXT NOT NULL DEFAULT '',
	priority    BIGINT NOT NULL DEFAULT 0,
	phase       TEXT NOT NULL DEFAULT '',
	sensitive   BOOLEAN NOT NULL DEFAULT FALSE,
	conditions  TEXT,
	actions     TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BLOB
);

-- +goose Down
DROP TABLE inspection_rules;
