-- +goose Up
-- When the last guest could not be made on a compute host: what is long ago does not count.
ALTER TABLE hypervisors ADD COLUMN failed_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE hypervisors DROP COLUMN failed_at;
