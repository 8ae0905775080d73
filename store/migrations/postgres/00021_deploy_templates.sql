-- +goose Up
CREATE TABLE deploy_templates (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid        TEXT COLLATE "C" NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	name        TEXT COLLATE "C" NOT NULL UNIQUE,
	description TEXT COLLATE "C" NOT NULL DEFAULT '',
	steps       TEXT,
	extra       TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BYTEA
);

-- +goose Down
DROP TABLE deploy_templates;
