-- +goose Up
-- The process whose row it is; '' once another has put back what it had claimed.
ALTER TABLE conductors ADD COLUMN process TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE conductors DROP COLUMN process;
