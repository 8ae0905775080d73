-- +goose Up
CREATE TABLE flavors (
	id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid            TEXT COLLATE "C" NOT NULL UNIQUE,
	version         BIGINT NOT NULL,
	resource_class  TEXT COLLATE "C" NOT NULL UNIQUE,
	resources       TEXT,
	arch            TEXT NOT NULL,
	boot_mode       TEXT NOT NULL,
	required_traits TEXT,
	provided_traits TEXT,
	inherit_traits  TEXT,
	fallback_for    TEXT,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BYTEA
);

-- Compute hosts: uuid is the node's.
CREATE TABLE hypervisors (
	id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of creation
	uuid            TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES nodes (uuid),
	version         BIGINT NOT NULL,
	type            TEXT COLLATE "C" NOT NULL,
	uri             TEXT NOT NULL,
	ratios          TEXT,
	reserved        TEXT,
	pools           TEXT,
	networks        TEXT,
	cpu             TEXT,
	on_host_failure TEXT NOT NULL,
	autostart       BOOLEAN NOT NULL,
	disabled        BOOLEAN NOT NULL,
	draining        BOOLEAN NOT NULL,
	state           TEXT NOT NULL,
	state_reason    TEXT NOT NULL,
	host_uuid       TEXT COLLATE "C" NOT NULL,
	facts           TEXT,
	missed          BIGINT NOT NULL,
	failures        BIGINT NOT NULL,
	last_seen_at    BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	updated_at      BIGINT NOT NULL DEFAULT 0,
	secrets         BYTEA
);
CREATE UNIQUE INDEX hypervisors_host ON hypervisors (host_uuid) WHERE host_uuid <> '';

-- What compute hosts have of each resource, and how much of it is claimed.
CREATE TABLE capacities (
	host      TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid),
	resource  TEXT COLLATE "C" NOT NULL,
	total     BIGINT NOT NULL,
	reserved  BIGINT NOT NULL,
	ratio     BIGINT NOT NULL, -- in thousandths
	max_unit  BIGINT NOT NULL,
	step_size BIGINT NOT NULL,
	used      BIGINT NOT NULL DEFAULT 0 CHECK (used >= 0),
	PRIMARY KEY (host, resource)
);

-- What guests have of their hosts.
CREATE TABLE claims (
	guest      TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid),
	host       TEXT COLLATE "C" NOT NULL,
	resource   TEXT COLLATE "C" NOT NULL,
	amount     BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (guest, host, resource),
	FOREIGN KEY (host, resource) REFERENCES capacities (host, resource)
);
CREATE INDEX claims_host ON claims (host);

-- Guests of one group are on different hosts.
CREATE TABLE group_members (
	name  TEXT COLLATE "C" NOT NULL,
	host  TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid),
	guest TEXT COLLATE "C" NOT NULL REFERENCES nodes (uuid) ON DELETE CASCADE,
	PRIMARY KEY (name, host)
);
CREATE INDEX group_members_guest ON group_members (guest);

-- +goose Down
DROP TABLE group_members;
DROP TABLE claims;
DROP TABLE capacities;
DROP TABLE hypervisors;
DROP TABLE flavors;
