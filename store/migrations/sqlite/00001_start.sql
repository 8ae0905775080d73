-- +goose Up

-- The keys that secrets were encrypted with: the store refuses to start under a key that is not here.
CREATE TABLE encryption_keys (
	id          TEXT PRIMARY KEY,
	check_value TEXT NOT NULL,
	created_at  BIGINT NOT NULL
);

CREATE TABLE nodes (
	id                     INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of creation
	uuid                   TEXT NOT NULL UNIQUE,
	version                BIGINT NOT NULL,
	name                   TEXT NOT NULL DEFAULT '',
	driver                 TEXT NOT NULL DEFAULT '',
	driver_info            TEXT,
	properties             TEXT,
	extra                  TEXT,
	instance_info          TEXT,
	instance_uuid          TEXT NOT NULL DEFAULT '',
	instance_name          TEXT NOT NULL DEFAULT '',
	chassis_uuid           TEXT NOT NULL DEFAULT '',
	power_state            TEXT NOT NULL DEFAULT '',
	target_power_state     TEXT NOT NULL DEFAULT '',
	provision_state        TEXT NOT NULL DEFAULT '',
	target_provision_state TEXT NOT NULL DEFAULT '',
	provision_updated_at   BIGINT NOT NULL DEFAULT 0,
	last_error             TEXT NOT NULL DEFAULT '',
	reservation            TEXT NOT NULL DEFAULT '',
	maintenance            BOOLEAN NOT NULL DEFAULT FALSE,
	maintenance_reason     TEXT NOT NULL DEFAULT '',
	fault                  TEXT NOT NULL DEFAULT '',
	console_enabled        BOOLEAN NOT NULL DEFAULT FALSE,
	boot_mode              TEXT NOT NULL DEFAULT '',
	secure_boot            BOOLEAN,
	raid_config            TEXT,
	target_raid_config     TEXT,
	clean_step             TEXT,
	deploy_step            TEXT,
	service_step           TEXT,
	inspection_started_at  BIGINT NOT NULL DEFAULT 0,
	inspection_finished_at BIGINT NOT NULL DEFAULT 0,
	resource_class         TEXT NOT NULL DEFAULT '',
	conductor_group        TEXT NOT NULL DEFAULT '',
	conductor              TEXT NOT NULL DEFAULT '',
	automated_clean        BOOLEAN,
	protected              BOOLEAN NOT NULL DEFAULT FALSE,
	protected_reason       TEXT NOT NULL DEFAULT '',
	owner                  TEXT NOT NULL DEFAULT '',
	lessee                 TEXT NOT NULL DEFAULT '',
	description            TEXT NOT NULL DEFAULT '',
	allocation_uuid        TEXT NOT NULL DEFAULT '',
	retired                BOOLEAN NOT NULL DEFAULT FALSE,
	retired_reason         TEXT NOT NULL DEFAULT '',
	network_data           TEXT,
	shard                  TEXT NOT NULL DEFAULT '',
	parent_node            TEXT NOT NULL DEFAULT '',
	disable_power_off      BOOLEAN NOT NULL DEFAULT FALSE,
	bios_interface         TEXT NOT NULL DEFAULT '',
	boot_interface         TEXT NOT NULL DEFAULT '',
	console_interface      TEXT NOT NULL DEFAULT '',
	deploy_interface       TEXT NOT NULL DEFAULT '',
	firmware_interface     TEXT NOT NULL DEFAULT '',
	inspect_interface      TEXT NOT NULL DEFAULT '',
	management_interface   TEXT NOT NULL DEFAULT '',
	network_interface      TEXT NOT NULL DEFAULT '',
	power_interface        TEXT NOT NULL DEFAULT '',
	raid_interface         TEXT NOT NULL DEFAULT '',
	rescue_interface       TEXT NOT NULL DEFAULT '',
	storage_interface      TEXT NOT NULL DEFAULT '',
	vendor_interface       TEXT NOT NULL DEFAULT '',
	driver_internal_info   TEXT,
	agent                  TEXT,
	boot                   TEXT,
	evidence               TEXT,
	created_at             BIGINT NOT NULL,
	updated_at             BIGINT NOT NULL DEFAULT 0,
	secrets                BLOB -- encrypted: every secret of the row, by its place
);
CREATE UNIQUE INDEX nodes_name ON nodes (name) WHERE name <> '';
CREATE UNIQUE INDEX nodes_instance_uuid ON nodes (instance_uuid) WHERE instance_uuid <> '';
CREATE INDEX nodes_provision_state ON nodes (provision_state);
CREATE INDEX nodes_driver ON nodes (driver);
CREATE INDEX nodes_parent_node ON nodes (parent_node) WHERE parent_node <> '';

CREATE TABLE ports (
	id                    INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid                  TEXT NOT NULL UNIQUE,
	version               BIGINT NOT NULL,
	node_uuid             TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	address               TEXT NOT NULL UNIQUE,
	name                  TEXT NOT NULL DEFAULT '',
	description           TEXT NOT NULL DEFAULT '',
	pxe_enabled           BOOLEAN NOT NULL DEFAULT TRUE,
	local_link_connection TEXT,
	physical_network      TEXT NOT NULL DEFAULT '',
	portgroup_uuid        TEXT NOT NULL DEFAULT '',
	is_smartnic           BOOLEAN NOT NULL DEFAULT FALSE,
	extra                 TEXT,
	internal_info         TEXT,
	created_at            BIGINT NOT NULL,
	updated_at            BIGINT NOT NULL DEFAULT 0,
	secrets               BLOB
);
CREATE UNIQUE INDEX ports_name ON ports (name) WHERE name <> '';
CREATE INDEX ports_node ON ports (node_uuid);

CREATE TABLE operations (
	id                INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid              TEXT NOT NULL UNIQUE,
	kind              TEXT NOT NULL,
	node_uuid         TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	lane              TEXT NOT NULL,
	params            TEXT,
	phase             TEXT NOT NULL,
	position          TEXT NOT NULL DEFAULT '',
	slot              BIGINT NOT NULL DEFAULT 0,
	attempt           BIGINT NOT NULL DEFAULT 1,
	tries             BIGINT NOT NULL DEFAULT 0,
	due_at            BIGINT NOT NULL,
	step_since        BIGINT NOT NULL,
	phase_since       BIGINT NOT NULL,
	memory            TEXT,
	agent_fingerprint TEXT NOT NULL DEFAULT '',
	note              TEXT NOT NULL DEFAULT '',
	error             TEXT NOT NULL DEFAULT '',
	outcome           TEXT NOT NULL DEFAULT '',
	requester         TEXT NOT NULL DEFAULT '',
	conductor         TEXT NOT NULL DEFAULT '',
	claim             TEXT NOT NULL DEFAULT '',
	woken             BOOLEAN NOT NULL DEFAULT FALSE, -- a wake came while it was claimed
	started_at        BIGINT NOT NULL,
	ended_at          BIGINT NOT NULL DEFAULT 0,
	secrets           BLOB
);
CREATE INDEX operations_due ON operations (due_at) WHERE outcome = '' AND claim = '';
CREATE INDEX operations_claimed ON operations (conductor) WHERE claim <> '';
CREATE INDEX operations_live ON operations (kind) WHERE outcome = '';
CREATE INDEX operations_ended ON operations (ended_at) WHERE outcome <> '';
CREATE INDEX operations_node ON operations (node_uuid);

-- The nodes that live operations hold; the primary key is the lock.
CREATE TABLE operation_nodes (
	node_uuid TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE RESTRICT,
	lane      TEXT NOT NULL,
	operation TEXT NOT NULL REFERENCES operations (uuid) ON DELETE CASCADE,
	PRIMARY KEY (node_uuid, lane)
);
CREATE INDEX operation_nodes_operation ON operation_nodes (operation);

CREATE TABLE operation_steps (
	operation TEXT NOT NULL REFERENCES operations (uuid) ON DELETE CASCADE,
	position  BIGINT NOT NULL,
	interface TEXT NOT NULL DEFAULT '',
	step      TEXT NOT NULL,
	args      TEXT,
	priority  BIGINT NOT NULL DEFAULT 0,
	abortable BOOLEAN NOT NULL DEFAULT FALSE,
	source    TEXT NOT NULL DEFAULT '',
	state     TEXT NOT NULL,
	attempt   BIGINT NOT NULL DEFAULT 0,
	secrets   BLOB,
	PRIMARY KEY (operation, position)
);

CREATE TABLE node_history (
	id                     INTEGER PRIMARY KEY AUTOINCREMENT,
	uuid                   TEXT NOT NULL UNIQUE,
	node_uuid              TEXT NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	turn                   BIGINT NOT NULL, -- counts the entries of one node, for pruning
	created_at             BIGINT NOT NULL,
	severity               TEXT NOT NULL DEFAULT '',
	event_type             TEXT NOT NULL DEFAULT '',
	event                  TEXT NOT NULL DEFAULT '',
	requester              TEXT NOT NULL DEFAULT '',
	conductor              TEXT NOT NULL DEFAULT '',
	state                  TEXT NOT NULL DEFAULT '',
	target_provision_state TEXT NOT NULL DEFAULT '',
	duration               BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX node_history_turn ON node_history (node_uuid, turn);

CREATE TABLE node_inventory (
	node_uuid  TEXT PRIMARY KEY REFERENCES nodes (uuid) ON DELETE CASCADE,
	inventory  TEXT NOT NULL,
	plugin     TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

CREATE TABLE events (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	at   BIGINT NOT NULL,
	type TEXT NOT NULL,
	node TEXT NOT NULL DEFAULT '',
	data TEXT
);

CREATE TABLE dhcp_leases (
	network  TEXT NOT NULL,
	mac      TEXT NOT NULL,
	address  BIGINT NOT NULL, -- IPv4, as a number
	hostname TEXT NOT NULL DEFAULT '',
	until    BIGINT NOT NULL, -- Unix seconds
	PRIMARY KEY (network, mac)
);
CREATE UNIQUE INDEX dhcp_leases_address ON dhcp_leases (network, address);
CREATE INDEX dhcp_leases_until ON dhcp_leases (until);

CREATE TABLE bmc_leases (
	address TEXT PRIMARY KEY,
	owner   TEXT NOT NULL,
	until   BIGINT NOT NULL
);

CREATE TABLE blobs (
	key        TEXT PRIMARY KEY, -- a digest of the token, so that reading the table opens nothing
	media_type TEXT NOT NULL DEFAULT '',
	data       BLOB NOT NULL,    -- encrypted
	until      BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX blobs_until ON blobs (until);

CREATE TABLE conductors (
	hostname   TEXT PRIMARY KEY,
	grp        TEXT NOT NULL DEFAULT '',
	drivers    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE conductors;
DROP TABLE blobs;
DROP TABLE bmc_leases;
DROP TABLE dhcp_leases;
DROP TABLE events;
DROP TABLE node_inventory;
DROP TABLE node_history;
DROP TABLE operation_steps;
DROP TABLE operation_nodes;
DROP TABLE operations;
DROP TABLE ports;
DROP TABLE nodes;
DROP TABLE encryption_keys;
