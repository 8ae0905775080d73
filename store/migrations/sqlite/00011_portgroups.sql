-- +goose Up
CREATE TABLE portgroups (
	id                         INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid                       TEXT NOT NULL UNIQUE,
	version                    BIGINT NOT NULL,
	node_uuid                  TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	address                    TEXT NOT NULL DEFAULT '',
	name                       TEXT NOT NULL DEFAULT '',
	mode                       TEXT NOT NULL DEFAULT '',
	properties                 TEXT,
	standalone_ports_supported BOOLEAN NOT NULL DEFAULT TRUE,
	physical_network           TEXT NOT NULL DEFAULT '',
	category                   TEXT NOT NULL DEFAULT '',
	dynamic_portgroup          BOOLEAN NOT NULL DEFAULT FALSE,
	extra                      TEXT,
	internal_info              TEXT,
	created_at                 BIGINT NOT NULL,
	updated_at                 BIGINT NOT NULL DEFAULT 0,
	secrets                    BLOB
);
CREATE UNIQUE INDEX portgroups_address ON portgroups (address) WHERE address <> '';
CREATE UNIQUE INDEX portgroups_name ON portgroups (name) WHERE name <> '';
CREATE INDEX portgroups_node ON portgroups (node_uuid);

ALTER TABLE ports ADD COLUMN vendor TEXT NOT NULL DEFAULT '';
ALTER TABLE ports ADD COLUMN category TEXT NOT NULL DEFAULT '';
ALTER TABLE ports ADD COLUMN available_for_dynamic_portgroup BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX ports_portgroup ON ports (portgroup_uuid) WHERE portgroup_uuid <> '';

-- +goose Down
DROP INDEX ports_portgroup;
ALTER TABLE ports DROP COLUMN available_for_dynamic_portgroup;
ALTER TABLE ports DROP COLUMN category;
ALTER TABLE ports DROP COLUMN vendor;
DROP TABLE portgroups;
