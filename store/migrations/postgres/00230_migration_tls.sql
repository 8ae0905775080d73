-- +goose Up
-- Whether guests go to and from a compute host over TLS alone while they run.
ALTER TABLE hypervisors ADD COLUMN migration_tls BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE hypervisors DROP COLUMN migration_tls;
