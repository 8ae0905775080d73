-- +goose Up

-- The keys that secrets were encrypted with: the store refuses to start under a key that is not here.
CREATE TABLE encryption_keys (
	id          TEXT COLLATE "C" PRIMARY KEY,
	check_value TEXT COLLATE "C" NOT NULL,
	created_at  BIGINT NOT NULL
);

-- event_epoch is added to transaction IDs: a database that was restored elsewhere counts them anew.
CREATE TABLE event_epoch (
	shift BIGINT NOT NULL
);
INSERT INTO event_epoch (shift) VALUES (0);

CREATE TABLE nodes (
	id                     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid                   TEXT COLLATE "C" NOT NULL UNIQUE,
	version                BIGINT NOT NULL,
	name                   TEXT COLLATE "C" NOT NULL DEFAULT '',
	driver                 TEXT COLLATE "C" NOT NULL DEFAULT '',
	driver_info            TEXT,
	properties             TEXT,
	extra                  TEXT,
	instance_info          TEXT,
	instance_uuid          TEXT COLLATE "C" NOT NULL DEFAULT '',
	instance_name          TEXT COLLATE "C" NOT NULL DEFAULT '',
	chassis_uuid           TEXT COLLATE "C" NOT NULL DEFAULT '',
	power_state            TEXT COLLATE "C" NOT NULL DEFAULT '',
	target_power_state     TEXT COLLATE "C" NOT NULL DEFAULT '',
	provision_state        TEXT COLLATE "C" NOT NULL DEFAULT '',
	target_provision_state TEXT COLLATE "C" NOT NULL DEFAULT '',
	provision_updated_at   BIGINT NOT NULL DEFAULT 0,
	last_error             TEXT COLLATE "C" NOT NULL DEFAULT '',
	reservation            TEXT COLLATE "C" NOT NULL DEFAULT '',
	maintenance            BOOLEAN NOT NULL DEFAULT FALSE,
	maintenance_reason     TEXT COLLATE "C" NOT NULL DEFAULT '',
	fault                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	console_enabled        BOOLEAN NOT NULL DEFAULT FALSE,
	boot_mode              TEXT COLLATE "C" NOT NULL DEFAULT '',
	secure_boot            BOOLEAN,
	raid_config            TEXT,
	target_raid_config     TEXT,
	clean_step             TEXT,
	deploy_step            TEXT,
	service_step           TEXT,
	inspection_started_at  BIGINT NOT NULL DEFAULT 0,
	inspection_finished_at BIGINT NOT NULL DEFAULT 0,
	resource_class         TEXT COLLATE "C" NOT NULL DEFAULT '',
	conductor_group        TEXT COLLATE "C" NOT NULL DEFAULT '',
	conductor              TEXT COLLATE "C" NOT NULL DEFAULT '',
	automated_clean        BOOLEAN,
	protected              BOOLEAN NOT NULL DEFAULT FALSE,
	protected_reason       TEXT COLLATE "C" NOT NULL DEFAULT '',
	owner                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	lessee                 TEXT COLLATE "C" NOT NULL DEFAULT '',
	description            TEXT COLLATE "C" NOT NULL DEFAULT '',
	allocation_uuid        TEXT COLLATE "C" NOT NULL DEFAULT '',
	retired                BOOLEAN NOT NULL DEFAULT FALSE,
	retired_reason         TEXT COLLATE "C" NOT NULL DEFAULT '',
	network_data           TEXT,
	shard                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	parent_node            TEXT COLLATE "C" NOT NULL DEFAULT '',
	disable_power_off      BOOLEAN NOT NULL DEFAULT FALSE,
	bios_interface         TEXT COLLATE "C" NOT NULL DEFAULT '',
	boot_interface         TEXT COLLATE "C" NOT NULL DEFAULT '',
	console_interface      TEXT COLLATE "C" NOT NULL DEFAULT '',
	deploy_interface       TEXT COLLATE "C" NOT NULL DEFAULT '',
	firmware_interface     TEXT COLLATE "C" NOT NULL DEFAULT '',
	inspect_interface      TEXT COLLATE "C" NOT NULL DEFAULT '',
	management_interface   TEXT COLLATE "C" NOT NULL DEFAULT '',
	network_interface      TEXT COLLATE "C" NOT NULL DEFAULT '',
	power_interface        TEXT COLLATE "C" NOT NULL DEFAULT '',
	raid_interface         TEXT COLLATE "C" NOT NULL DEFAULT '',
	rescue_interface       TEXT COLLATE "C" NOT NULL DEFAULT '',
	storage_interface      TEXT COLLATE "C" NOT NULL DEFAULT '',
	vendor_interface       TEXT COLLATE "C" NOT NULL DEFAULT '',
	driver_internal_info   TEXT,
	agent                  TEXT,
	boot                   TEXT,
	evidence               TEXT,
	created_at             BIGINT NOT NULL,
	updated_at             BIGINT NOT NULL DEFAULT 0,
	secrets                BYTEA -- encrypted: every secret of the row, by its place
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX nodes_name ON nodes (name) WHERE name <> '';
CREATE UNIQUE INDEX nodes_instance_uuid ON nodes (instance_uuid) WHERE instance_uuid <> '';
CREATE INDEX nodes_provision_state ON nodes (provision_state);
CREATE INDEX nodes_driver ON nodes (driver);
CREATE INDEX nodes_parent_node ON nodes (parent_node) WHERE parent_node <> '';

CREATE TABLE ports (
	id                    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uuid                  TEXT COLLATE "C" NOT NULL UNIQUE,
	version               BIGINT NOT NULL,
	node_uuid             TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	address               TEXT COLLATE "C" NOT NULL UNIQUE,
	name                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	description           TEXT COLLATE "C" NOT NULL DEFAULT '',
	pxe_enabled           BOOLEAN NOT NULL DEFAULT TRUE,
	local_link_connection TEXT,
	physical_network      TEXT COLLATE "C" NOT NULL DEFAULT '',
	portgroup_uuid        TEXT COLLATE "C" NOT NULL DEFAULT '',
	is_smartnic           BOOLEAN NOT NULL DEFAULT FALSE,
	extra                 TEXT,
	internal_info         TEXT,
	created_at            BIGINT NOT NULL,
	updated_at            BIGINT NOT NULL DEFAULT 0,
	secrets               BYTEA
);
CREATE UNIQUE INDEX ports_name ON ports (name) WHERE name <> '';
CREATE INDEX ports_node ON ports (node_uuid);

CREATE TABLE operations (
	id                BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uuid              TEXT COLLATE "C" NOT NULL UNIQUE,
	kind              TEXT COLLATE "C" NOT NULL,
	node_uuid         TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	lane              TEXT COLLATE "C" NOT NULL,
	params            TEXT,
	phase             TEXT COLLATE "C" NOT NULL,
	position          TEXT COLLATE "C" NOT NULL DEFAULT '',
	slot              BIGINT NOT NULL DEFAULT 0,
	attempt           BIGINT NOT NULL DEFAULT 1,
	tries             BIGINT NOT NULL DEFAULT 0,
	due_at            BIGINT NOT NULL,
	step_since        BIGINT NOT NULL,
	phase_since       BIGINT NOT NULL,
	memory            TEXT,
	agent_fingerprint TEXT COLLATE "C" NOT NULL DEFAULT '',
	note              TEXT COLLATE "C" NOT NULL DEFAULT '',
	error             TEXT COLLATE "C" NOT NULL DEFAULT '',
	outcome           TEXT COLLATE "C" NOT NULL DEFAULT '',
	requester         TEXT COLLATE "C" NOT NULL DEFAULT '',
	conductor         TEXT COLLATE "C" NOT NULL DEFAULT '',
	claim             TEXT COLLATE "C" NOT NULL DEFAULT '',
	woken             BOOLEAN NOT NULL DEFAULT FALSE, -- a wake came while it was claimed
	started_at        BIGINT NOT NULL,
	ended_at          BIGINT NOT NULL DEFAULT 0,
	secrets           BYTEA
) WITH (fillfactor = 70);
CREATE INDEX operations_due ON operations (due_at) WHERE outcome = '' AND claim = '';
CREATE INDEX operations_claimed ON operations (conductor) WHERE claim <> '';
CREATE INDEX operations_live ON operations (kind) WHERE outcome = '';
CREATE INDEX operations_ended ON operations (ended_at) WHERE outcome <> '';
CREATE INDEX operations_node ON operations (node_uuid);

-- The nodes that live operations hold; the primary key is the lock.
CREATE TABLE operation_nodes (
	node_uuid TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE RESTRICT,
	lane      TEXT COLLATE "C" NOT NULL,
	operation TEXT COLLATE "C" NOT NULL REFERENCES operations (uuid) ON DELETE CASCADE,
	PRIMARY KEY (node_uuid, lane)
);
CREATE INDEX operation_nodes_operation ON operation_nodes (operation);

CREATE TABLE operation_steps (
	operation TEXT COLLATE "C" NOT NULL REFERENCES operations (uuid) ON DELETE CASCADE,
	position  BIGINT NOT NULL,
	interface TEXT COLLATE "C" NOT NULL DEFAULT '',
	step      TEXT COLLATE "C" NOT NULL,
	args      TEXT,
	priority  BIGINT NOT NULL DEFAULT 0,
	abortable BOOLEAN NOT NULL DEFAULT FALSE,
	source    TEXT COLLATE "C" NOT NULL DEFAULT '',
	state     TEXT COLLATE "C" NOT NULL,
	attempt   BIGINT NOT NULL DEFAULT 0,
	secrets   BYTEA,
	PRIMARY KEY (operation, position)
);

CREATE TABLE node_history (
	id                     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	uuid                   TEXT COLLATE "C" NOT NULL UNIQUE,
	node_uuid              TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	turn                   BIGINT NOT NULL, -- counts the entries of one node, for pruning
	created_at             BIGINT NOT NULL,
	severity               TEXT COLLATE "C" NOT NULL DEFAULT '',
	event_type             TEXT COLLATE "C" NOT NULL DEFAULT '',
	event                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	requester              TEXT COLLATE "C" NOT NULL DEFAULT '',
	conductor              TEXT COLLATE "C" NOT NULL DEFAULT '',
	state                  TEXT COLLATE "C" NOT NULL DEFAULT '',
	target_provision_state TEXT COLLATE "C" NOT NULL DEFAULT '',
	duration               BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX node_history_turn ON node_history (node_uuid, turn);

CREATE TABLE node_inventory (
	node_uuid  TEXT COLLATE "C" PRIMARY KEY REFERENCES nodes (uuid) ON DELETE CASCADE,
	inventory  TEXT COLLATE "C" NOT NULL,
	plugin     TEXT,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

-- An event's ID is its transaction's ID (shifted left by twelve) and a count within the transaction, so that the IDs of
-- transactions that have ended are all below those of transactions under way.
CREATE TABLE events (
	id   BIGINT PRIMARY KEY,
	at   BIGINT NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	node TEXT COLLATE "C" NOT NULL DEFAULT '',
	data TEXT
);

CREATE TABLE dhcp_leases (
	network  TEXT COLLATE "C" NOT NULL,
	mac      TEXT COLLATE "C" NOT NULL,
	address  BIGINT NOT NULL, -- IPv4, as a number
	hostname TEXT COLLATE "C" NOT NULL DEFAULT '',
	until    BIGINT NOT NULL, -- Unix seconds
	PRIMARY KEY (network, mac)
);
CREATE UNIQUE INDEX dhcp_leases_address ON dhcp_leases (network, address);
CREATE INDEX dhcp_leases_until ON dhcp_leases (until);

CREATE TABLE bmc_leases (
	address TEXT COLLATE "C" PRIMARY KEY,
	owner   TEXT COLLATE "C" NOT NULL,
	until   BIGINT NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE blobs (
	key        TEXT COLLATE "C" PRIMARY KEY, -- a digest of the token, so that reading the table opens nothing
	media_type TEXT COLLATE "C" NOT NULL DEFAULT '',
	data       BYTEA NOT NULL,    -- encrypted
	until      BIGINT NOT NULL,
	created_at BIGINT NOT NULL
);
CREATE INDEX blobs_until ON blobs (until);

CREATE TABLE conductors (
	hostname   TEXT COLLATE "C" PRIMARY KEY,
	grp        TEXT COLLATE "C" NOT NULL DEFAULT '',
	drivers    TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
) WITH (fillfactor = 70);

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
DROP TABLE event_epoch;
DROP TABLE encryption_keys;
