-- +goose Up
-- The child node that a step is carried out on; '' is the operation's own.
ALTER TABLE operation_steps ADD COLUMN node_uuid TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE operation_steps DROP COLUMN node_uuid;
