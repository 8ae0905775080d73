-- +goose Up
-- Whether a compute host that is lost is known to be off, and since when it is lost.
ALTER TABLE hypervisors ADD COLUMN fence TEXT NOT NULL DEFAULT '';
ALTER TABLE hypervisors ADD COLUMN fence_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE hypervisors ADD COLUMN down_since BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE hypervisors DROP COLUMN down_since;
ALTER TABLE hypervisors DROP COLUMN fence_reason;
ALTER TABLE hypervisors DROP COLUMN fence;
