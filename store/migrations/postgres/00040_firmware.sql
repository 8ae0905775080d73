-- +goose Up

CREATE TABLE bios_settings (
	node_uuid  TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	name       TEXT COLLATE "C" NOT NULL,
	value      TEXT COLLATE "C" NOT NULL,
	registry   TEXT, -- what the machine's registry says of the setting
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (node_uuid, name)
);

CREATE TABLE firmware_components (
	node_uuid            TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	component            TEXT COLLATE "C" NOT NULL,
	initial_version      TEXT COLLATE "C" NOT NULL,
	current_version      TEXT COLLATE "C" NOT NULL,
	last_version_flashed TEXT COLLATE "C" NOT NULL,
	vendor               TEXT COLLATE "C" NOT NULL,
	model                TEXT COLLATE "C" NOT NULL,
	serial_number        TEXT COLLATE "C" NOT NULL,
	created_at           BIGINT NOT NULL,
	updated_at           BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (node_uuid, component)
);

-- +goose Down
DROP TABLE firmware_components;
DROP TABLE bios_settings;
