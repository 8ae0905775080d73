-- +goose Up
ALTER TABLE nodes ADD COLUMN traits TEXT; -- a JSON list, sorted

-- +goose Down
ALTER TABLE nodes DROP COLUMN traits;
