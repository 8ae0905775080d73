-- +goose Up
CREATE TABLE inspection_rules (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid        TEXT COLLATE "C" NOT NULL UNIQUE,
	version     BIGINT NOT NULL,
	description TEXT COLLATE "C" NOT NULL DEFAULT '',
	priority    BIGINT NOT NULL DEFAULT 0,
	phase       TEXT COLLATE "C" NOT NULL DEFAULT '',
	sensitive   BOOLEAN NOT NULL DEFAULT FALSE,
	conditions  TEXT,
	actions     TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL DEFAULT 0,
	secrets     BYTEA
);

-- +goose Down
DROP TABLE inspection_rules;
