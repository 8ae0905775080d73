-- +goose Up
CREATE TABLE portgroups (
	id                         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid                       TEXT COLLATE "C" NOT NULL UNIQUE,
	version                    BIGINT NOT NULL,
	node_uuid                  TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	address                    TEXT COLLATE "C" NOT NULL DEFAULT '',
	name                       TEXT COLLATE "C" NOT NULL DEFAULT '',
	mode                       TEXT COLLATE "C" NOT NULL DEFAULT '',
	properties                 TEXT,
	standalone_ports_supported BOOLEAN NOT NULL DEFAULT TRUE,
	physical_network           TEXT COLLATE "C" NOT NULL DEFAULT '',
	category                   TEXT COLLATE "C" NOT NULL DEFAULT '',
	dynamic_portgroup          BOOLEAN NOT NULL DEFAULT FALSE,
	extra                      TEXT,
	internal_info              TEXT,
	created_at                 BIGINT NOT NULL,
	updated_at                 BIGINT NOT NULL DEFAULT 0,
	secrets                    BYTEA
);
CREATE UNIQUE INDEX portgroups_address ON portgroups (address) WHERE address <> '';
CREATE UNIQUE INDEX portgroups_name ON portgroups (name) WHERE name <> '';
CREATE INDEX portgroups_node ON portgroups (node_uuid);

ALTER TABLE ports ADD COLUMN vendor TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE ports ADD COLUMN category TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE ports ADD COLUMN available_for_dynamic_portgroup BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX ports_portgroup ON ports (portgroup_uuid) WHERE portgroup_uuid <> '';

-- +goose Down
DROP INDEX ports_portgroup;
ALTER TABLE ports DROP COLUMN available_for_dynamic_portgroup;
ALTER TABLE ports DROP COLUMN category;
ALTER TABLE ports DROP COLUMN vendor;
DROP TABLE portgroups;
