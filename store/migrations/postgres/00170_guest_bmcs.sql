-- +goose Up
-- Virtual BMCs in front of guests: uuid is the guest's node.
CREATE TABLE guest_bmcs (
	id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid       TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES nodes (uuid) ON DELETE CASCADE,
	version    BIGINT NOT NULL,
	port       BIGINT NOT NULL UNIQUE,
	username   TEXT NOT NULL,
	boot       TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL DEFAULT 0,
	secrets    BYTEA
);

-- +goose Down
DROP TABLE guest_bmcs;
