-- +goose Up

CREATE TABLE bios_settings (
	node_uuid  TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	name       TEXT NOT NULL,
	value      TEXT NOT NULL,
	registry   TEXT, -- what the machine's registry says of the setting
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (node_uuid, name)
);

CREATE TABLE firmware_components (
	node_uuid            TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	component            TEXT NOT NULL,
	initial_version      TEXT NOT NULL,
	current_version      TEXT NOT NULL,
	last_version_flashed TEXT NOT NULL,
	vendor               TEXT NOT NULL,
	model                TEXT NOT NULL,
	serial_number        TEXT NOT NULL,
	created_at           BIGINT NOT NULL,
	updated_at           BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (node_uuid, component)
);

-- +goose Down
DROP TABLE firmware_components;
DROP TABLE bios_settings;
