-- +goose Up
-- The project of who asked.
ALTER TABLE operations ADD COLUMN project TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE node_history ADD COLUMN project TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE operations DROP COLUMN project;
ALTER TABLE node_history DROP COLUMN project;
