-- +goose Up
-- Where other processes on the database reach a conductor; '' is nowhere.
ALTER TABLE conductors ADD COLUMN address TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE conductors DROP COLUMN address;
