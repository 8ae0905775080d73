-- +goose Up
CREATE TABLE runbooks (
	id              INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid            TEXT NOT NULL UNIQUE,
	version         BIGINT NOT NULL,
	name            TEXT NOT NULL UNIQUE,
	description     TEXT NOT NULL DEFAULT '',
	steps           TEXT,
	disable_ramdisk BOOLEAN NOT NULL DEFAULT FALSE,
	public          BOOLEAN NOT NULL DEFAULT FALSE,
	owner           TEXT NOT NULL DEFAULT '',
	traits          TEXT,
	extra           TEXT,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BLOB
);

-- +goose Down
DROP TABLE runbooks;
