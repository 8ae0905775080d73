-- +goose Up
-- A lease that yields ends soon after its owner was taken for dead: the owner asks before everything that it sends whether
-- it is still alive.
ALTER TABLE bmc_leases ADD COLUMN yields BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE bmc_leases DROP COLUMN yields;
