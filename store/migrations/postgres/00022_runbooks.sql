-- +goose Up
CREATE TABLE runbooks (
	id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid            TEXT COLLATE "C" NOT NULL UNIQUE,
	version         BIGINT NOT NULL,
	name            TEXT COLLATE "C" NOT NULL UNIQUE,
	description     TEXT COLLATE "C" NOT NULL DEFAULT '',
	steps           TEXT,
	disable_ramdisk BOOLEAN NOT NULL DEFAULT FALSE,
	public          BOOLEAN NOT NULL DEFAULT FALSE,
	owner           TEXT COLLATE "C" NOT NULL DEFAULT '',
	traits          TEXT,
	extra           TEXT,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BYTEA
);

-- +goose Down
DROP TABLE runbooks;
