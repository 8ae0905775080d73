-- +goose Up
CREATE TABLE deploy_templates (
	id          INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid        TEXT NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	name        TEXT NOT NULL UNIQUE,
	description TEXT NOT NULL DEFAULT '',
	steps       TEXT,
	extra       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BLOB
);

-- +goose Down
DROP TABLE deploy_templates;
